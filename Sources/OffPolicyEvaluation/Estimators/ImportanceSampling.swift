/// Trajectory-wise importance sampling: each logged session counts as often as the policy would
/// have lived it.
///
/// Source: Precup, Sutton and Singh, "Eligibility Traces for Off-Policy Policy Evaluation", ICML
/// 2000, section 2.
///
///     V̂ = (1/n) · Σ_i w_i · G_i,   w_i = Π_{t<T_i} π(a_it|s_it)/μ(a_it|s_it),   G_i = Σ_t γ^t·r_it
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | w_i | `WeightedSession.logWeight` | [n] | in nats |
/// | G_i | `WeightedSession.discountedReturn` | [n] | – |
/// | γ | of the sessions | | 0.95 |
///
/// Unbiased where propensities are right and μ > 0 wherever π is. The weight is a product over the
/// session's steps and weights of the vector, so that a long session's is a lottery: read the
/// effective sample size first.
///
/// ## Departures from the source
///
/// * A session has any length; the product ends with it.
/// * A session that the log's window cut counts with what it earned up to there: the estimate is of
///   the logged part of the return, below the whole one where rewards are positive. Test: "pure
///   weighting reads the logged part of a cut session".
/// * A log weight above 300 is held there (`WeightTerms.largestLogWeight`).
package struct ImportanceSampling: PolicyValueEstimator {
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String { EstimatorKind.importanceSampling.rawValue }

  /// An estimator with the given interval.
  package init(configuration: WeightedConfiguration = WeightedConfiguration()) {
    configuration.check()
    self.configuration = configuration
  }

  /// What the policy of `sessions` is worth.
  /// - Throws: `EvaluationError` where a propensity is unknown.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    let weighted = try sessions.weightedSessions()
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: sessions,
      sums: RatioSums(
        contributions: weighted.map { WeightTerms.weight($0.logWeight) * $0.discountedReturn }),
      logWeights: weighted.map(\.logWeight), seed: seed)
  }
}
