import Foundation

/// NCIS: normalized capped importance sampling over sessions, decision by decision.
///
/// Sources: Gilotte et al., "Offline A/B Testing for Recommender Systems", WSDM 2018 (capped and
/// normalized weights); it is how the UnifiedRL paper (arXiv 2404.17589, 2024) judges policies.
///
///     V̂ = Σ_t γ^t · (Σ_i w̄_{i,t}·r_it) / (Σ_i w̄_{i,t}),   w̄_{i,t} = min(c, Π_{k≤t} π/μ)
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | c | `cap` | | 20, ours |
/// | w̄ | | [n, T] | – |
///
/// The cap trades variance for bias toward what was logged: no session can count more than c times,
/// and none is lost. The interval does not know of that bias.
///
/// ## Departures from the sources
///
/// * Gilotte et al. weigh single displays. Here the weight of a step is the capped product of the
///   ratios up to it, so that the estimate is of a session's discounted return and grows into
///   `SelfNormalizedPerDecision` as c grows. Test: "a cap that nothing reaches changes nothing".
/// * A session that is over keeps its (capped) weight, as in `SelfNormalizedPerDecision`.
package struct CappedImportanceSampling: PolicyValueEstimator {
  /// c, the largest weight of a step.
  package var cap: Double
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String { EstimatorKind.cappedImportanceSampling.rawValue }

  /// An estimator with the given cap, above 0.
  package init(cap: Double = 20, configuration: WeightedConfiguration = WeightedConfiguration()) {
    configuration.check()
    precondition(cap > 0, "cap \(cap)")
    self.cap = cap
    self.configuration = configuration
  }

  /// What the policy of `sessions` is worth.
  /// - Throws: `EvaluationError` where a propensity is unknown, or no session has any weight.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    let largest = log(cap)
    let weighted = try sessions.weightedSessions().map { session in
      WeightedSession(
        rewards: session.rewards, logWeights: session.logWeights.map { min($0, largest) },
        discount: session.discount)
    }
    return try SelfNormalizedPerDecision.estimate(
      name, configuration, on: sessions, weighted: weighted, seed: seed)
  }
}
