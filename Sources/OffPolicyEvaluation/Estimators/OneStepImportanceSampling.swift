import Foundation

/// Inverse propensity weighting of single requests, kernel-smoothed for a deterministic policy.
///
/// Source: Kallus and Zhou, "Policy Evaluation and Optimization with Continuous Treatments", AISTATS
/// 2018; the self-normalized form (SNIPS): Swaminathan and Joachims, "The Self-Normalized Estimator
/// for Counterfactual Learning", NIPS 2015.
///
///     V̂ = (1/N) · Σ_j w_j·r_j   or   Σ_j w_j·r_j / Σ_j w_j,    w_j = π_h(a_j|s_j)/μ(a_j|s_j)
///
/// **The estimand is another one**: the mean reward of a request in the states that the *log* visited,
/// as if each request were the only one. It says nothing of what a decision does to the rest of the
/// session, and it is in reward units a request, not a session. In exchange the weight is that of one
/// decision, which logs can often carry.
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | h | `EvaluationSessions.bandwidth` | | automatic |
/// | w_j | | [N] | – |
///
/// ## Departures from the sources
///
/// * The kernel is a truncated Gaussian that is normalized on the box, where Kallus and Zhou correct
///   for the box's edges by other kernels; E[π_h/μ] = 1 holds everywhere. Test: "a smoothed policy's
///   weights have mean one at the edge of the box too".
/// * A policy with a density of its own is not smoothed.
/// * Requests of one user are not independent: users (or sessions) are the clusters.
package struct OneStepImportanceSampling: PolicyValueEstimator {
  /// Whether to divide by the sum of the weights.
  package var isSelfNormalized: Bool
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String {
    (isSelfNormalized ? EstimatorKind.oneStepSelfNormalized : .oneStepImportanceSampling).rawValue
  }

  /// An estimator with the given interval.
  package init(
    isSelfNormalized: Bool, configuration: WeightedConfiguration = WeightedConfiguration()
  ) {
    configuration.check()
    self.isSelfNormalized = isSelfNormalized
    self.configuration = configuration
  }

  /// What a request is worth under the policy of `sessions`.
  /// - Throws: `EvaluationError` where a propensity is unknown, or no request has any weight.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    let requests = sessions.requests(clusteredBy: configuration.resampling)
    let logWeights = try requests.ratios().logRatios
    let rewards = requests.rewards.map { Double($0) }
    let sums: RatioSums
    if isSelfNormalized {
      let largest = logWeights.max() ?? -.infinity
      sums = RatioSums(
        values: rewards,
        weights: logWeights.map { largest > -.infinity ? exp($0 - largest) : 0 })
    } else {
      sums = RatioSums(
        contributions: zip(logWeights, rewards).map { WeightTerms.weight($0) * $1 })
    }
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: requests, sums: sums, logWeights: logWeights, seed: seed)
  }
}
