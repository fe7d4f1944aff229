import Foundation

/// Importance sampling over the sum of the weights, also called weighted importance sampling.
///
/// Source: Precup, Sutton and Singh, "Eligibility Traces for Off-Policy Policy Evaluation", ICML
/// 2000, section 2.
///
///     V̂ = Σ_i w_i·G_i / Σ_i w_i
///
/// Symbols are those of `ImportanceSampling`. Between the smallest and the largest logged return
/// whatever the weights, and the same if all propensities are off by one factor. The price is a bias
/// of order 1/n.
///
/// ## Departures from the source
///
/// * Those of `ImportanceSampling`; weights are divided by the largest, so that none overflows.
/// * The paper has no interval: contributions are V̂ plus each session's influence on it.
package struct SelfNormalizedImportanceSampling: PolicyValueEstimator {
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String { EstimatorKind.selfNormalizedImportanceSampling.rawValue }

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
    let weighted = try sessions.weightedSessions()
    let logWeights = weighted.map(\.logWeight)
    let largest = logWeights.max() ?? -.infinity
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: sessions,
      sums: RatioSums(
        values: weighted.map(\.discountedReturn),
        weights: logWeights.map { largest > -.infinity ? exp($0 - largest) : 0 }),
      logWeights: logWeights, seed: seed)
  }
}
