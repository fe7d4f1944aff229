import Foundation

/// The lift of an arm with an interval that may be looked at as often as one likes.
package struct SequentialLift: Sendable, Equatable {
  /// R_arm / R_reference − 1.
  package let fraction: Double
  /// Lower end of the confidence sequence at this look.
  package let low: Double
  /// Upper end.
  package let high: Double
  /// Standard error of ln(R_arm / R_reference), users as clusters.
  package let standardError: Double
  /// ln of the mixture martingale at a lift of zero: the evidence against "no lift", in nats.
  package let logEvidence: Double

  /// e^(−evidence), at most 1. It lies below α exactly when the (1 − α) sequence excludes zero;
  /// whatever the rule of stopping, it does so with probability α at most when there is no lift.
  package var pValue: Double { min(1, exp(-logEvidence)) }
}

/// Anytime-valid intervals for the lift of a ratio metric.
///
/// With λ̂_t = ln(R_arm/R_reference) at look t, and V_t its variance over draws of users,
///
///     V_t = Var(R_arm)/R_arm² + Var(R_reference)/R_reference²            (delta method)
///     λ̂_t ± √( V_t · (1 + ρ_t) · ln( (1 + ρ_t)/(ρ_t·α²) ) ),   ρ_t = V_t/W
///     lift interval = exp(λ̂_t ± …) − 1
///
/// This is the normal mixture boundary of Robbins as an asymptotic confidence sequence, with 1/V_t
/// as the intrinsic time: √((v + 1/W)·ln((v + 1/W)·W/α²))/v at v = 1/V_t. The martingale behind it
/// at lift zero is
///
///     ln M_t = ½·ln(ρ_t/(1 + ρ_t)) + λ̂_t²/(2·V_t·(1 + ρ_t)),
///
/// and the interval holds every lift whose martingale lies below 1/α (Ville's inequality).
///
/// The tuning parameter W decides at which variance the interval is shortest in standard errors;
/// it must not depend on the experiment's own data. It follows from the standard error of ln
/// ratio that is planned for the end, s: W = s²·(x − 1) with x − ln x = 1 + 2·ln(1/α). At α = 0.05
/// the half-width is 3.03 standard errors there, at most 3.2 down to a seventh of that variance
/// and at most 3.6 up to seven times as much; a fixed-time interval has 1.96.
///
/// ## What it needs
///
/// * Enough users for normal estimates: the guarantee is asymptotic in the number of users. Where
///   the half-width of ln ratio is 1 or more there is no lift: a ratio may be zero there for all
///   one knows, and the delta method fails.
/// * Looks whose errors hang together as Cov(λ̂_s, λ̂_t) = V_t for s < t (independent increments), or
///   more closely. A level of each user plus independent days has the first when all enter
///   together and the second when some enter later. Days of a user that are alike only for a
///   while come near it. For whatever dependence, n looks err with probability
///   2n·Φ(−3.03) = 0.0024·n at most.
///
/// Sources: Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49(2), 2021 (two-sided
/// normal mixture); Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
/// theory and asymptotic confidence sequences", Annals of Statistics 52(6), 2024 (estimated
/// variances, choice of W); Jennison and Turnbull, JASA 92, 1997, and Van Lancker, Betz and
/// Rosenblum, Biometrics 81(1), 2025 (when looks at the same users have independent increments).
package struct ConfidenceSequence: Sendable, Equatable {
  /// Probability that the sequence ever excludes the truth.
  package let alpha: Double
  /// Standard error of ln ratio at which the sequence is tightest.
  package let plannedStandardError: Double
  /// W above.
  package let mixtureVariance: Double

  /// Half-width of ln ratio from which on there is no lift.
  package static let widestReach = 1.0

  /// A sequence; both values are chosen before the experiment.
  /// - Precondition: 0 < alpha < 1; a finite standard error above zero.
  package init(alpha: Double = 0.05, plannedStandardError: Double = 0.01) {
    precondition(alpha > 0 && alpha < 1, "alpha \(alpha) outside (0, 1)")
    precondition(
      plannedStandardError > 0 && plannedStandardError.isFinite,
      "planned standard error \(plannedStandardError)")
    self.alpha = alpha
    self.plannedStandardError = plannedStandardError
    let right = 1 - 2 * log(alpha)
    var x = right + log(right)  // the root above 1 of x − ln x = right, by Newton's steps
    for _ in 0..<50 { x -= (x - log(x) - right) / (1 - 1 / x) }
    self.mixtureVariance = plannedStandardError * plannedStandardError * (x - 1)
  }

  /// Half-width of the interval in standard errors.
  package func multiplier(standardError: Double) -> Double {
    let rho = standardError * standardError / mixtureVariance
    return ((1 + rho) * log((1 + rho) / (rho * alpha * alpha))).squareRoot()
  }

  /// The lift of an arm over the reference at one look.
  /// - Returns: nil when a ratio is undefined or not above zero, nothing varies, or the interval
  ///   would reach further than a factor e either way.
  package func lift(arm: RatioEstimate, reference: RatioEstimate) -> SequentialLift? {
    guard let treated = arm.value, let base = reference.value, treated > 0, base > 0 else {
      return nil
    }
    let variance = arm.variance / (treated * treated) + reference.variance / (base * base)
    guard variance > 0, variance.isFinite else { return nil }
    let logRatio = log(treated / base)
    let rho = variance / mixtureVariance
    let reach = multiplier(standardError: variance.squareRoot()) * variance.squareRoot()
    guard reach < Self.widestReach else { return nil }
    let evidence =
      0.5 * log(rho / (1 + rho)) + logRatio * logRatio / (2 * variance * (1 + rho))
    return SequentialLift(
      fraction: treated / base - 1, low: expm1(logRatio - reach), high: expm1(logRatio + reach),
      standardError: variance.squareRoot(), logEvidence: evidence)
  }
}
