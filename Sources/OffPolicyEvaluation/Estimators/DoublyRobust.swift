import DenseKernels
import FusionMDP
import SeededRandom

/// Doubly robust estimation over sessions: a model of the value, corrected by weighted errors of it.
///
/// Source: Jiang and Li, "Doubly Robust Off-policy Value Evaluation for Reinforcement Learning", ICML
/// 2016, eq. 10; cross-fitting: Chernozhukov et al., "Double/Debiased Machine Learning", 2018.
///
///     V_t = V̂(s_t) + ρ_t·(r_t + γ·V_{t+1} − Q̂(s_t, a_t)),      V̂ = mean of V_0               (eq. 10)
///         ⇔ V_0 = V̂(s_0) + Σ_t γ^t·w_{0:t}·(r_t + γ·V̂(s_{t+1}) − Q̂(s_t, a_t))
///     V̂(s) = E_{a~π} Q̂(s, a)
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | Q̂ | `model` on the other folds | (s, a) → 1 | linear in 1, s, a, a² (ours) |
/// | – | `folds` | | 5, ours |
/// | – | `draws`: actions of π_h a state | | 4, ours |
/// | ρ_t, w_{0:t} | `ImportanceRatios`, `WeightedSession` | [T] | – |
///
/// Consistent where the propensities are right, whatever Q̂; and where Q̂ is right, whatever the
/// propensities. With both only nearly right its error is about their product.
///
/// ## Departures from the source
///
/// * Computed in the second form, with weights in log space; the recursion is its test.
/// * Q̂ of a session is fitted on the users of other folds, so that no session corrects a model that
///   has learnt it by heart. Of a single user the folds are of sessions; of a single session there is
///   none other, and the fit is on all.
/// * A session that the log's window cut goes on: V_T = V̂ of the state after its last step, not 0.
///   Test: "a cut session goes on with the model's value".
/// * A deterministic policy is smoothed (`KernelBandwidth`), and Q̂ is of the smoothed policy, with
///   `draws` actions of it a state in the place of the expectation.
package struct DoublyRobust: PolicyValueEstimator {
  /// What is estimated.
  package var estimand: Estimand
  /// Q̂; its interval's constants are not used.
  package var model: LinearFittedQ
  /// Parts of the users, each with a model fitted on the others.
  package var folds: Int
  /// Actions of a smoothed policy a state.
  package var draws: Int
  /// How the interval is made.
  package var configuration: WeightedConfiguration

  /// Name in results.
  package var name: String {
    (estimand == .sessionValue ? EstimatorKind.doublyRobust : .oneStepDoublyRobust).rawValue
  }

  /// An estimator with the given model of the value; for `.requestValue` every request is a session
  /// of one step, as for `OneStepImportanceSampling`.
  package init(
    estimand: Estimand = .sessionValue, model: LinearFittedQ = LinearFittedQ(), folds: Int = 5,
    draws: Int = 4, configuration: WeightedConfiguration = WeightedConfiguration()
  ) {
    configuration.check()
    precondition(folds > 1 && draws > 0, "\(folds) folds, \(draws) draws")
    self.estimand = estimand
    self.model = model
    self.folds = folds
    self.draws = draws
    self.configuration = configuration
  }

  /// What the policy of `sessions` is worth.
  /// - Throws: `EvaluationError` where a propensity is unknown or the model has no solution, or what
  ///   `progress` throws.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    let root = RandomStream(seed: seed, name: "off-policy-evaluation")
    var stream = root.child("smoothed-actions")
    let isOneStep = estimand == .requestValue
    let base = isOneStep ? sessions.requests(clusteredBy: configuration.resampling) : sessions
    let smoothed = try base.smoothed(draws: draws, using: &stream)
    let weighted = try base.weightedSessions()
    var foldStream = root.child("folds")
    let parts = crossFitted(
      SessionClusters(base.data, unit: isOneStep ? .users : configuration.resampling),
      using: &foldStream)
    var contributions = [Double](repeating: 0, count: weighted.count)
    var summaries: [FitSummary] = []
    for (index, part) in parts.enumerated() {
      let transitions = part.others.flatMap { Array(base.data.session($0)) }
      let fitted = try model.fit(smoothed, transitions: transitions)
      summaries.append(fitted.summary)
      correct(&contributions, of: part.own, smoothed, weighted: weighted, q: fitted.values)
      try progress.report(done: index + 1, of: parts.count)
    }
    return try WeightedEstimate(name: name, configuration: configuration).estimate(
      on: base, sums: RatioSums(contributions: contributions),
      logWeights: weighted.map(\.meanLogWeight), fit: diagnostics(base, summaries), seed: seed)
  }

  /// Sessions of each fold, and those that its model is fitted on.
  private func crossFitted(
    _ clusters: SessionClusters, using stream: inout RandomStream
  ) -> [(own: [Int], others: [Int])] {
    let groups = clusters.members
    guard groups.count > 1 else {
      let all = groups.flatMap { $0 }
      return [(all, all)]
    }
    let count = min(folds, groups.count)
    var sessions = [[Int]](repeating: [], count: count)
    for (position, group) in stream.shuffled(groups.count).enumerated() {
      sessions[position % count] += groups[group]
    }
    return (0..<count).map { fold in
      let others = (0..<count).filter { $0 != fold }.flatMap { sessions[$0] }
      return (sessions[fold].sorted(), others.sorted())
    }
  }

  /// V_0 of these sessions, in reward units.
  private func correct(
    _ contributions: inout [Double], of own: [Int], _ sessions: EvaluationSessions,
    weighted: [WeightedSession], q: FittedQ.Values
  ) {
    let scale = sessions.rewardScale
    let samples = sessions.actions.samples
    var m = 0
    while m < own.count {
      var rows: [Int] = []
      let first = m
      while m < own.count, rows.isEmpty || rows.count < 2048 {
        rows += sessions.data.session(own[m])
        m += 1
      }
      var batch = sessions.batch(at: rows, draws: [Int](repeating: 0, count: rows.count))
      let logged = q(batch.states, batch.actions)  // Q̂(s, a), [B]
      let bootstraps = batch.bootstraps
      var values = [Double](repeating: 0, count: rows.count)  // V̂(s), [B]
      var next = values  // V̂(s'), [B]
      for draw in 0..<samples {
        if draw > 0 { sessions.setDraw(draw, at: rows, in: &batch) }
        let ours = q(batch.states, batch.policyActions)
        let following = q(batch.nextStates, batch.nextPolicyActions)
        for row in rows.indices {
          values[row] += scale * ours[row] / Double(samples)
          next[row] += scale * following[row] / Double(samples)
        }
      }
      var row = 0
      for session in own[first..<m] {
        let start = row
        let steps = weighted[session]
        contributions[session] = DoublyRobustTerms.initialValue(
          values: values[start..<start + steps.rewards.count], logWeights: steps.logWeights,
          errors: steps.rewards.map { reward in
            defer { row += 1 }
            return Double(reward) + sessions.discount * Double(bootstraps[row]) * next[row]
              - scale * logged[row]
          }, discount: sessions.discount)
      }
    }
  }

  /// Means over the folds' models.
  private func diagnostics(
    _ sessions: EvaluationSessions, _ summaries: [FitSummary]
  ) -> FitDiagnostics {
    let scale = sessions.rewardScale
    let squares = summaries.map { $0.temporalDifferenceError * $0.temporalDifferenceError }
    return FitDiagnostics(
      temporalDifferenceError: scale * FitSpread.mean(squares).squareRoot(),
      regularizer: scale * FitSpread.mean(summaries.map(\.regularizer)),
      qMean: scale * FitSpread.mean(summaries.map(\.qMean)),
      actionDistance: sessions.actionDistance, convergence: nil)
  }
}
