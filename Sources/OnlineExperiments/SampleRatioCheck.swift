import Foundation

/// Whether the arms got the shares of users that they were meant to get.
///
/// A mismatch means that users were lost or added on the way to one arm, and then no lift of
/// that experiment can be believed, however small its p-value.
package struct SampleRatioCheck: Sendable, Equatable {
  /// Users counted in each arm.
  package let observed: [Int]
  /// Users that the shares promise to each arm.
  package let expected: [Double]
  /// Pearson's statistic, Σ (observed − expected)² / expected.
  package let statistic: Double
  /// Probability of a statistic at least as large when the shares hold; χ², arms − 1 degrees.
  package let pValue: Double
  /// Below this p-value the split is held to be broken.
  package static let threshold = 0.001

  /// True when the split is too far from its shares to be chance.
  package var isMismatch: Bool { pValue < Self.threshold }

  /// Compares counts with shares.
  /// - Precondition: two arms or more, as many shares as counts, each above zero.
  package init(counts: [Int], shares: [Double]) {
    precondition(
      counts.count == shares.count && counts.count >= 2,
      "\(counts.count) counts for \(shares.count) shares")
    precondition(shares.allSatisfy { $0 > 0 }, "shares must lie above 0: \(shares)")
    let users = Double(counts.reduce(0, +))
    let total = shares.reduce(0, +)
    let expected = shares.map { users * $0 / total }
    var statistic = 0.0
    for (count, mean) in zip(counts, expected) where mean > 0 {
      statistic += (Double(count) - mean) * (Double(count) - mean) / mean
    }
    self.observed = counts
    self.expected = expected
    self.statistic = statistic
    self.pValue = ChiSquareDistribution.upperTail(statistic, degrees: counts.count - 1)
  }
}

/// The χ² distribution with a whole number of degrees of freedom.
package enum ChiSquareDistribution {
  /// P(X ≥ x), by the recurrence Q(k + 2) = Q(k) + (x/2)^(k/2)·e^(−x/2) / Γ(k/2 + 1).
  ///
  /// It starts from the closed forms Q(1) = erfc(√(x/2)) and Q(2) = e^(−x/2).
  /// - Precondition: at least one degree of freedom.
  /// - Complexity: O(degrees).
  package static func upperTail(_ x: Double, degrees: Int) -> Double {
    precondition(degrees >= 1, "\(degrees) degrees of freedom")
    guard x > 0 else { return 1 }
    let half = x / 2
    var k = degrees % 2 == 0 ? 2 : 1
    var tail = k == 2 ? exp(-half) : erfc(half.squareRoot())
    // (x/2)^(k/2)·e^(−x/2) / Γ(k/2 + 1), with Γ(3/2) = √π/2.
    var term =
      k == 2 ? half * exp(-half) : half.squareRoot() * exp(-half) * 2 / Double.pi.squareRoot()
    while k < degrees {
      tail += term
      k += 2
      term *= half / (Double(k) / 2)
    }
    return min(tail, 1)
  }
}
