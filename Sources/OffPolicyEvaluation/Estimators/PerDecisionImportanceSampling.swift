/// Per-decision importance sampling: a reward is weighted by the decisions before it, not by those
/// that came after.
///
/// Source: Precup, Sutton and Singh, "Eligibility Traces for Off-Policy Policy Evaluation", ICML
/// 2000, section 3.
///
///     V̂ = (1/n) · Σ_i Σ_t γ^t · w_{i,0:t} · r_it,   w_{i,0:t} = Π_{k≤t} π(a_ik|s_ik)/μ(a_ik|s_ik)
///
/// Symbols are those of `ImportanceSampling`. Unbiased like it, with less variance.
///
/// ## Departures from the source
///
/// * Those of `ImportanceSampling`.
package struct PerDecisionImportanceSampling: PolicyValueEstimator {
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String { EstimatorKind.perDecisionImportanceSampling.rawValue }

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
    let powers = sessions.discountPowers
    let contributions = weighted.map { session in
      var sum = 0.0
      for (t, reward) in session.rewards.enumerated() {
        sum += powers[t] * WeightTerms.weight(session.logWeights[t]) * Double(reward)
      }
      return sum
    }
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: sessions, sums: RatioSums(contributions: contributions),
      logWeights: weighted.map(\.meanLogWeight), seed: seed)
  }
}
