import FusionMDP

/// The direct method on single requests: a reward model, read at the policy's actions.
///
/// Source: Dudík, Langford and Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011, section
/// 3.1.
///
///     V̂ = (1/N) · Σ_j r̂(s_j, π_e(s_j))
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | r̂ | `LinearFittedQ` on sessions of one request | (s, a) → 1 | linear in 1, s, a, a² (ours) |
///
/// The estimand is the mean reward of a request, as for `OneStepImportanceSampling`. It needs no
/// propensities and no smoothing, and is as wrong as its model is. For the value of sessions the
/// direct method is `FittedQEvaluation` (a network) or `LinearFittedQ` (in closed form).
///
/// ## Departures from the source
///
/// * Actions are vectors of weights, and the model is linear in their squares too.
/// * The paper has no interval; see `FitSpread`, with requests in the place of sessions.
package struct OneStepDirectMethod: PolicyValueEstimator {
  /// The reward model; its number of initial states is not used: the mean is over all requests.
  package var model: LinearFittedQ

  /// Name in results.
  package var name: String { EstimatorKind.oneStepDirectMethod.rawValue }

  /// An estimator with the given reward model.
  package init(model: LinearFittedQ = LinearFittedQ()) { self.model = model }

  /// What a request is worth under the policy of `sessions`.
  /// - Throws: `EvaluationError.singular`.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    let requests = sessions.requests(clusteredBy: model.configuration.resampling)
    var configuration = model.configuration
    configuration.resampling = .users
    configuration.initialStates = requests.data.sessionCount
    let found = try FitSpread(configuration: configuration, name: name).estimate(
      on: requests, seed: seed, rounds: 1, progress: progress
    ) { transitions, _, onRound in
      let fitted = try model.fit(requests, transitions: transitions)
      try onRound()
      return fitted
    }
    let owners = (requests.data as? RequestSessions)?.sessionOfRequest ?? []
    return found.replacing(
      parts: EstimateParts(
        sessions: found.parts.sessions.map { owners[$0] },
        contributions: found.parts.contributions, refits: found.parts.refits,
        draws: found.parts.draws))
  }
}
