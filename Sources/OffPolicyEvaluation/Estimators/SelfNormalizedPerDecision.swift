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
/// * Those of `ImportanceSampling`; a step at which no session has any weight counts as 0.
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
    try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: sessions, sums: sums(of: weighted, coefficients: sessions.discountPowers),
      logWeights: weighted.map(\.meanLogWeight), seed: seed)
  }

  /// Σ_i w_{i,0:t}·r_it over Σ_i w_{i,0:t} at each step.
  static func sums(of sessions: [WeightedSession], coefficients: [Double]) -> RatioSums {
    var sums = RatioSums(coefficients: coefficients)
    for session in sessions {
      let weights = session.logWeights.map(WeightTerms.weight)
      sums.append(
        zip(weights, session.rewards).map { $0 * Double($1) }, over: weights,
        tail: weights[weights.count - 1])
    }
    return sums
  }
}
