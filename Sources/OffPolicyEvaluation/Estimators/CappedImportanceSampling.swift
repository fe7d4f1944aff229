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
/// and none is lost. The interval does not know of that bias, so what the cap took stands beside it
/// (`CapDiagnostics`): with m_t the share of the weight at step t that it took off,
///
///     V̂ without cap − V̂ = Σ_t γ^t · m_t · (r̄_t of what was taken off − r̄_t of what was left)
///
/// (Bottou et al., "Counterfactual Reasoning and Learning Systems", JMLR 2013, section 4.4, split
/// clipped weights so; here for normalized ones.) Where m is small the bias is, whatever the rewards.
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
    let free = try sessions.weightedSessions()
    let weighted = free.map { session in
      WeightedSession(
        rewards: session.rewards, logWeights: session.logWeights.map { min($0, largest) },
        discount: session.discount)
    }
    let estimate = try SelfNormalizedPerDecision.estimate(
      name, configuration, on: sessions, weighted: weighted, seed: seed)
    let powers = sessions.discountPowers
    let uncapped = SelfNormalizedPerDecision.sums(of: free, coefficients: powers)
      .value(of: 0..<free.count)
    return estimate.replacing(
      cap: CapDiagnostics(
        cap: cap, cappedShare: Self.cappedShare(free, largest: largest),
        removedShare: Self.removedShare(free, largest: largest, powers: powers),
        shift: (uncapped ?? estimate.value) - estimate.value))
  }

  /// The share of sessions with a step that the cap holds.
  private static func cappedShare(_ sessions: [WeightedSession], largest: Double) -> Double {
    let held = sessions.count { session in session.logWeights.contains { $0 > largest } }
    return Double(held) / Double(sessions.count)
  }

  /// Σ_t γ^t·m_t / Σ_t γ^t with m_t = Σ_i (w_it − w̄_it) / Σ_i w_it; sessions that are over count on.
  private static func removedShare(
    _ sessions: [WeightedSession], largest: Double, powers: [Double]
  ) -> Double {
    // Of one scale a step, which cancels: the largest weight at it.
    var scales = [Double](repeating: -.infinity, count: powers.count)
    func each(_ session: WeightedSession, _ body: (_ t: Int, _ logWeight: Double) -> Void) {
      for t in powers.indices {
        body(t, session.logWeights[min(t, session.logWeights.count - 1)])
      }
    }
    for session in sessions { each(session) { scales[$0] = max(scales[$0], $1) } }
    var totals = [Double](repeating: 0, count: powers.count)
    var removed = totals
    for session in sessions {
      each(session) { t, logWeight in
        guard logWeight > -.infinity else { return }
        let weight = exp(logWeight - scales[t])
        totals[t] += weight
        if logWeight > largest { removed[t] += weight - exp(largest - scales[t]) }
      }
    }
    var share = 0.0
    for t in powers.indices where totals[t] > 0 { share += powers[t] * removed[t] / totals[t] }
    return share / powers.reduce(0, +)
  }
}
