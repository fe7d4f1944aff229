import Foundation

/// Per-decision importance sampling over the sum of the weights at each step.
///
/// Source: Thomas, "Safe Reinforcement Learning", dissertation, University of Massachusetts, 2015,
/// section 3.8 (consistent weighted per-decision importance sampling).
///
///     V̂ = Σ_t γ^t · (Σ_i w_{i,0:t}·r_it) / (Σ_i w_{i,0:t})
///
/// Symbols are those of `PerDecisionImportanceSampling`. Consistent, with a bias of order 1/n.
///
/// ## Departures from the source
///
/// * A session that is over counts on in the sums below the line with the weight that it ended
///   with, as one that stays where nothing is earned: without it the steps of long sessions would
///   be worth too much. Test: "a session that is over keeps its weight".
/// * Those of `ImportanceSampling` but for the last: each step's weights are divided by the largest
///   of them, so that none overflows and no step is lost because all of its products are small. Test:
///   "products beyond every number keep all steps". A step at which no session has any weight
///   counts as 0.
/// * What the diagnostics call a session's weight is its share of the weights at each step,
///   Σ_t γ^t·w_{i,0:t} / Σ_j w_{j,0:t}. Test: "late steps that rest on one session are told".
package struct SelfNormalizedPerDecision: PolicyValueEstimator {
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String { EstimatorKind.selfNormalizedPerDecision.rawValue }

  /// An estimator with the given interval.
  package init(configuration: WeightedConfiguration = WeightedConfiguration()) {
    configuration.check()
    self.configuration = configuration
  }

  /// What the policy of `sessions` is worth.
  /// - Throws: `EvaluationError` where a propensity is unknown, or no session has any weight.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    try Self.estimate(
      name, configuration, on: sessions, weighted: sessions.weightedSessions(), seed: seed)
  }

  /// The estimate of sessions whose weights are given.
  static func estimate(
    _ name: String, _ configuration: WeightedConfiguration, on sessions: EvaluationSessions,
    weighted: [WeightedSession], seed: UInt64
  ) throws -> PolicyValueEstimate {
    let sums = sums(of: weighted, coefficients: sessions.discountPowers)
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: sessions, sums: sums, logWeights: sums.shares().map { log($0) }, seed: seed)
  }

  /// Σ_i w_{i,0:t}·r_it over Σ_i w_{i,0:t} at each step.
  static func sums(of sessions: [WeightedSession], coefficients: [Double]) -> RatioSums {
    RatioSums(
      coefficients: coefficients,
      units: sessions.map { ($0.logWeights, $0.rewards.map { Double($0) }) })
  }
}
