import DenseKernels
package import FusionMDP
import NeuralNetworks
import SeededRandom

/// The paper's Conservative-OPEstimator: what a policy is worth, said with caution.
///
/// Source: "Multi-Task Fusion via Reinforcement Learning for Long-Term User Satisfaction in
/// Recommender Systems", KDD 2022, Algorithm 2, eqs. 9 and 10. The regulariser is that of
/// conservative Q-learning (Kumar et al., 2020).
///
///     V̂(π_e) = E_{s~d0} Σ_a π_e(a|s)·Q̂(s, a)                                   (eq. 9)
///     Q̂_{k+1} = argmin α·R + T                                                  (eq. 10)
///     R = E_{s~D, a~π_e} Q(s, a) − E_{(s, a)~D} Q(s, a)
///     T = ½·E_D (Q(s, a) − r − γ·Q_k(s', π_e(s')))²
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | π_e | `policy` | state → [A] | – |
/// | D | `sessions`, the test set | | – |
/// | α | `conservativeWeight` | | 0.5e-3, paper |
/// | K | `configuration.rounds` | | 5000, paper |
/// | m | `configuration.batchSize` | | 512, paper |
/// | n | `configuration.initialStates` | | 5000, paper |
/// | γ | `configuration.discount` | | 0.95, paper |
/// | learning rate (Adam) | `configuration.learningRate` | | 1e-4, paper |
/// | Q(·; θ), MLP with ReLU | `configuration.hidden` | (s, a) → 1 | [256, 256], not in the paper |
/// | Q_k | `configuration.target` | | the previous iterate |
///
/// ## Departures from the paper
///
/// * "argmin" is one step of Adam on a mini-batch a round, as Algorithm 2 has it; Q_k in the target
///   is the network as it stands before that step and receives no gradient. `slowCopy` is an
///   option. Test: "the target is a constant, and reads the previous iterate".
/// * Q̂ = lim Q_k is read from the mean of the last fifth of the iterates, not from the last one,
///   whose mini-batch noise the bootstrapped target amplifies; `averagedShare` 0 takes the last.
///   Test: "averaging the last rounds makes the seed matter less".
/// * Q_0 is a random network around the logged sessions' mean return, where the paper does not say:
///   a short fit then errs toward the behavior's value and not toward zero. Test: "before it has
///   learnt anything, a fit says what the log says".
/// * The fit sees rewards divided by their root mean square c and α divided by c, which is the
///   same objective: α·R + T with Q = c·Q' is c²·((α/c)·R' + T'). Values are reported in the
///   rewards' own unit. Test: "an estimate scales with the rewards".
/// * A terminal step has no next value (the paper leaves it open); a truncated one has. Test: "a
///   terminal step does not bootstrap, a truncated one does".
/// * The policy is asked once a state, before the fit (`PolicyActionTable`), not every round.
/// * The paper has no interval; see `FitSpread`.
package struct ConservativeEstimator: PolicyValueEstimator {
  /// The constants of the fit.
  package var configuration: FittedQConfiguration
  /// α, in the unit of the rewards.
  package var conservativeWeight: Double
  /// Name in results.
  package var name = "conservative"

  /// An estimator with the paper's constants unless told otherwise.
  package init(
    configuration: FittedQConfiguration = FittedQConfiguration(),
    conservativeWeight: Double = 0.5e-3
  ) {
    configuration.check()
    precondition(conservativeWeight >= 0, "conservative weight \(conservativeWeight)")
    self.configuration = configuration
    self.conservativeWeight = conservativeWeight
  }

  /// Evaluates `policy` on the test sessions `data`.
  /// - Throws: `EvaluationError`, or what `progress` throws.
  package func estimate(
    policy: any FusionPolicy, data: any TransitionSource, normalizer: StateNormalizer,
    seed: UInt64, progress: EvaluationProgress = .silent
  ) throws -> PolicyValueEstimate {
    let sessions = try EvaluationSessions(
      policy: policy, data: data, normalizer: normalizer, discount: configuration.discount,
      samples: configuration.policySamples, seed: seed)
    return try estimate(on: sessions, seed: seed, progress: progress)
  }

  /// Evaluates a policy whose decisions are known already; another estimator with the same seed
  /// sees the same batches, initial network and initial states.
  /// - Throws: `EvaluationError.diverged`, or what `progress` throws.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    precondition(
      sessions.discount == configuration.discount,
      "sessions with discount \(sessions.discount), fit with \(configuration.discount)")
    return try FitSpread(configuration: configuration, name: name).estimate(
      on: sessions, seed: seed, rounds: configuration.rounds, progress: progress
    ) { transitions, stream, onRound in
      try fit(sessions, transitions: transitions, using: &stream, onRound: onRound)
    }
  }

  /// Algorithm 2, lines 1 to 6: K rounds on mini-batches of the given transitions.
  private func fit(
    _ sessions: EvaluationSessions, transitions: [Int], using stream: inout RandomStream,
    onRound: () throws -> Void
  ) throws -> FittedQ {
    let shape = MultilayerPerceptron.Shape(
      inputs: sessions.data.stateSize + sessions.data.actionSize, hidden: configuration.hidden,
      outputs: 1)
    var initialization = stream.child("initialization")
    var q = MultilayerPerceptron(shape: shape, initializedBy: &initialization)
    if let bias = q.layout.entries.last {  // Q_0 lies around the logged sessions' mean return
      q.parameters[bias.offset] += Float(sessions.loggedReturn.mean / sessions.rewardScale)
    }
    var slow = q
    var optimizer = Adam(
      parameterCount: q.layout.count, learningRate: configuration.learningRate)
    var step = FitStep(
      conservativeWeight: conservativeWeight / sessions.rewardScale,
      discount: configuration.discount, parameterCount: q.layout.count)
    let bound =
      configuration.divergenceFactor * max(1, sessions.largestReward)
      / (1 - configuration.discount)
    let averagedFrom =
      configuration.rounds - max(1, Int(configuration.averagedShare * Double(configuration.rounds)))
    var average = IterateAverage(count: q.layout.count)
    var course = IterateCourse(rounds: configuration.rounds, count: q.layout.count)
    for round in 0..<configuration.rounds {
      let batch = batch(sessions, transitions: transitions, using: &stream)
      let targetNetwork = configuration.target == .previousIterate ? q : slow  // Q_k
      step.compute(q: q, target: targetNetwork, batch: batch)
      guard step.loss.isFinite, abs(step.qMean) <= bound else {
        throw EvaluationError.diverged(
          estimator: name, round: round, loss: step.loss, qMean: step.qMean, bound: bound)
      }
      optimizer.step(&q.parameters, gradient: step.gradient)
      if case .slowCopy(let rate) = configuration.target {
        slow.softUpdate(toward: q, rate: rate)
      }
      if round >= averagedFrom { average.add(q.parameters) }
      course.add(q.parameters, round: round)
      // The last tenth of the rounds is what the diagnostics are a mean over.
      if 10 * round >= 9 * configuration.rounds { step.recordDiagnostics() }
      try onRound()
    }
    func values(_ parameters: [Float]) -> FittedQ.Values {
      let network = MultilayerPerceptron(shape: shape, parameters: parameters)
      return { states, actions in
        network(Matrix.joiningColumns([states, actions])).values.map { Double($0) }
      }
    }
    return FittedQ(
      summary: step.summary, values: values(average.mean),  // Q̂
      course: course.means.map { FittedQ.Course(before: values($0.before), last: values($0.last)) })
  }

  /// The transitions of one round.
  private func batch(
    _ sessions: EvaluationSessions, transitions: [Int], using stream: inout RandomStream
  ) -> EvaluationBatch {
    guard !configuration.readsAllTransitions else {
      return sessions.batch(at: transitions, using: &stream)
    }
    let rows = stream.indices(below: transitions.count, count: configuration.batchSize)
    return sessions.batch(at: rows.map { transitions[$0] }, using: &stream)
  }
}
