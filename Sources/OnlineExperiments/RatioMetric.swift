import SeededRandom

/// A ratio of two user-level sums with the variance that comes from the users.
///
///     R = Σ_u x_u / Σ_u n_u,   Var(R) ≈ N/(N − 1) · Σ_u (x_u − R·n_u)² / (Σ_u n_u)²
///
/// The users are the independent units: whatever one user does on several days or in several
/// plays is one draw. (Delta method; Deng, Knoblich and Lu, KDD 2018.)
package struct RatioEstimate: Sendable, Equatable {
  /// The ratio R, nil when the denominators add up to zero.
  package let value: Double?
  /// Variance of R over draws of users.
  package let variance: Double

  /// A ratio and its variance.
  package init(value: Double?, variance: Double) {
    self.value = value
    self.variance = variance
  }

  /// The ratio of the users' sums.
  /// - Precondition: as many numerators as denominators, at least two.
  package init(numerators: [Double], denominators: [Double]) {
    precondition(
      numerators.count == denominators.count && numerators.count >= 2,
      "\(numerators.count) numerators, \(denominators.count) denominators; 2 or more needed")
    let total = denominators.reduce(0, +)
    guard total > 0 else {
      self.init(value: nil, variance: 0)
      return
    }
    let ratio = numerators.reduce(0, +) / total
    var squares = 0.0
    for (x, n) in zip(numerators, denominators) {
      squares += (x - ratio * n) * (x - ratio * n)
    }
    let users = Double(numerators.count)
    self.init(value: ratio, variance: users / (users - 1) * squares / (total * total))
  }

  /// Standard error of the ratio.
  package var standardError: Double { variance.squareRoot() }

  /// The normal interval of the ratio for one look; nil when the ratio is undefined.
  package func interval(confidence: Double = 0.95) -> (low: Double, high: Double)? {
    guard let value else { return nil }
    let reach = NormalDistribution.quantile(0.5 + confidence / 2) * standardError
    return (value - reach, value + reach)
  }

  /// One value a user whose plain mean is R and whose sample variance gives Var(R):
  /// `y_u = R + (x_u − R·n_u) / n̄`.
  ///
  /// - Returns: as many values as users, or nil when the ratio is undefined.
  static func linearized(numerators: [Double], denominators: [Double]) -> [Double]? {
    let total = denominators.reduce(0, +)
    guard total > 0 else { return nil }
    let ratio = numerators.reduce(0, +) / total
    let meanDenominator = total / Double(numerators.count)
    return zip(numerators, denominators).map { x, n in
      ratio + (x - ratio * n) / meanDenominator
    }
  }
}

/// How far an arm lies above the reference, as a fraction of the reference.
package struct RelativeLift: Sendable, Equatable {
  /// R_arm / R_reference − 1.
  package let fraction: Double
  /// Ends of the interval; nil when the reference is too uncertain to be told from zero, for
  /// then no finite interval has the wanted coverage.
  package let low: Double?
  /// See `low`.
  package let high: Double?
  /// Two-sided p-value of "both arms have the same ratio" (Wald test of the difference).
  package let pValue: Double

  /// Fieller's interval: every ρ for which "R_arm = ρ·R_reference" is not rejected.
  ///
  ///     (R_arm − ρ·R_ref)² ≤ z²·(Var R_arm + ρ²·Var R_ref)
  ///
  /// At ρ = 1 this is the test of the p-value, so the interval excludes zero exactly when p
  /// lies below 1 − confidence. Normal quantiles: meant for a hundred users an arm and more.
  /// - Returns: nil when either ratio is undefined or the reference is zero.
  package init?(arm: RatioEstimate, reference: RatioEstimate, confidence: Double = 0.95) {
    guard let treated = arm.value, let base = reference.value, base != 0 else { return nil }
    let z = NormalDistribution.quantile(0.5 + confidence / 2)
    let difference = treated - base
    let deviation = (arm.variance + reference.variance).squareRoot()
    self.fraction = treated / base - 1
    if deviation > 0 {
      self.pValue = min(1, 2 * NormalDistribution.cumulative(-abs(difference) / deviation))
    } else {
      self.pValue = difference == 0 ? 1 : 0
    }
    let leading = base * base - z * z * reference.variance
    guard leading > 0 else {
      self.low = nil
      self.high = nil
      return
    }
    let constant = treated * treated - z * z * arm.variance
    let middle = treated * base
    let root = max(0, middle * middle - leading * constant).squareRoot()
    self.low = (middle - root) / leading - 1
    self.high = (middle + root) / leading - 1
  }
}
