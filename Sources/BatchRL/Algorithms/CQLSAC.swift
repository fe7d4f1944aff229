// CQL+SAC: soft actor-critic with conservative Q-learning.
//
// Sources: Kumar, Zhou, Tucker and Levine, "Conservative Q-learning for offline reinforcement
// learning", NeurIPS 2020 (arXiv 2006.04779), CQL(H), and its published code; Haarnoja et al.,
// "Soft actor-critic", ICML 2018 (arXiv 1801.01290); a baseline of Zhang et al., KDD 2022 (arXiv
// 2208.04560), called the paper here.
//
// | symbol     | name here           | shape      | default, source                            |
// | ---------- | ------------------- | ---------- | ------------------------------------------ |
// | s, s′      | states, nextStates  | [B, S]     | normalized                                 |
// | a          | logged              | [B, A]     | in [−1, 1]                                 |
// | π          | actor               | S → 2A     | hidden [256, 256], CQL                     |
// | Q_φj, Q_φ′j| critics, targets    | (S, A) → 1 | two, hidden [256, 256], CQL                |
// | γ          | discount            |            | 0.95, the paper (CQL: 0.99)                |
// | lr of π, α | actorLearningRate   |            | 1e-4, CQL's code                           |
// | lr of Q    | criticLearningRate  |            | 3e-4, CQL                                  |
// | τ          | softUpdateRate      |            | 0.005, SAC                                 |
// | α          | temperature         |            | learnt, target entropy −A, SAC             |
// | N          | sampledActions      |            | 10 of each kind, CQL                       |
// | α_CQL      | conservatism        |            | 5, CQL's code                              |
// | τ_CQL      | penaltyThreshold    |            | 5, CQL, if α_CQL is learnt (Lagrange)      |
//
//     a′ ~ π(s′),  y = r + γ·c_end·min_j Q_φ′j(s′, a′)
//     min_φj (1/B) Σ (y − Q_φj(s, a))² + α_CQL·R_j                 (R: ConservativePenalty)
//     min_π (1/B) Σ (α·log π(ã|s) − min_j Q_φj(s, ã)),  ã ~ π(s)
//     min_α −log α·((1/B) Σ log π(ã|s) + H̄),  H̄ = −A
//     x′ ← τ·x + (1 − τ)·x′
//
// The policy that is deployed decides for tanh μ(s).
//
// ## Departures from the sources
//
// * y has no entropy term, as CQL's code by default; SAC's has.
// * Candidates of R are N uniform actions and N of π(s), as CQL's appendix F; its code adds N of
//   π(s′). (`ConservativePenaltyTests`)
// * No imitation in the first steps, with which CQL's code begins.
// * A terminal transition has no bootstrap; the last one of a truncated session has.
//   (`BootstrapTargetTests`)

import DenseKernels
package import DurableFiles
package import FusionMDP
import NeuralNetworks
import PolicyArtifacts
package import SeededRandom

/// The constants of CQL+SAC.
package struct CQLSACConfiguration: LearnerConfiguration {
  /// The widths of the hidden layers of every network.
  package var hidden = [256, 256]
  /// γ, in 0..<1.
  package var discount: Float = 0.95
  /// Adam's step size for the actor and for the temperature.
  package var actorLearningRate: Float = 1e-4
  /// Adam's step size for the critics, and for a learnt α_CQL.
  package var criticLearningRate: Float = 3e-4
  /// τ: how far the slow copies move at a time.
  package var softUpdateRate: Float = 0.005
  /// N: the uniform actions a state whose values are held down, and as many of the policy.
  package var sampledActions = 10
  /// α_CQL: how much the penalty counts; where it begins if it is learnt.
  package var conservatism: Float = 5
  /// Whether α_CQL is learnt, so that the penalty stays at the threshold (CQL's Lagrange form).
  package var learnsConservatism = false
  /// τ_CQL: where a learnt α_CQL holds the penalty, in units of Q.
  package var penaltyThreshold: Float = 5
  /// Training stops when |Q| exceeds this many times max(1, max |r|) / (1 − γ), which no true
  /// value exceeds once.
  package var explosionFactor: Float = 10

  /// The defaults.
  package init() {}

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    SettingRanges.widths("hidden", hidden)
      ?? SettingRanges.discount(discount)
      ?? SettingRanges.counts([("sampledActions", sampledActions)])
      ?? SettingRanges.shares([("softUpdateRate", softUpdateRate)])
      ?? SettingRanges.notNegative([
        ("conservatism", conservatism), ("penaltyThreshold", penaltyThreshold),
      ])
      ?? SettingRanges.positive([
        ("actorLearningRate", actorLearningRate), ("criticLearningRate", criticLearningRate),
        ("explosionFactor", explosionFactor),
      ])
      ?? (learnsConservatism ? SettingRanges.positive([("conservatism", conservatism)]) : nil)
  }
}

/// CQL+SAC.
package struct CQLSAC: BatchLearner {
  /// The algorithm's name in files and on the command line.
  package static let algorithm = "cql_sac"
  /// What log α and log α_CQL are kept in, so that neither can overflow.
  static let logarithmRange: ClosedRange<Float> = -13.815...13.815  // 1e-6 to 1e6

  /// The constants.
  package let configuration: CQLSACConfiguration
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// The number of threads of a step: the two critics are trained side by side.
  package var threads = 1

  private var actor: StochasticActorTrainer
  private var critics: TwinCritics
  /// log α.
  private var temperature: ParameterTrainer
  /// log α_CQL.
  private var conservatism: ParameterTrainer
  private var guardrail: ValueGuard

  /// An untrained learner.
  package init(
    stateSize: Int, actionSize: Int,
    configuration: CQLSACConfiguration = CQLSACConfiguration(),
    initializedFrom stream: RandomStream
  ) {
    self.configuration = configuration
    self.stateSize = stateSize
    self.actionSize = actionSize
    actor = StochasticActorTrainer(
      stateSize: stateSize, actionSize: actionSize, hidden: configuration.hidden,
      learningRate: configuration.actorLearningRate, initializedFrom: stream)
    critics = TwinCritics(
      stateSize: stateSize, actionSize: actionSize, hidden: configuration.hidden,
      learningRate: configuration.criticLearningRate, initializedFrom: stream)
    temperature = ParameterTrainer([0], learningRate: configuration.actorLearningRate)
    conservatism = ParameterTrainer(
      VectorMath.log([max(configuration.conservatism, 1e-6)]),
      learningRate: configuration.criticLearningRate)
    guardrail = ValueGuard(
      factor: configuration.explosionFactor, discount: configuration.discount)
  }

  /// One step of the algorithm.
  package mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics {
    let states = Matrix(rows: batch.count, columns: stateSize, values: batch.states)
    guardrail.observe(rewards: batch.rewards)
    try critics.update(
      criticObjective(batch, states: states, stream), step: number, threads: threads)
    let penalty = critics.trainers.reduce(0) { $0 + $1.penalty } / 2
    try TrainingDivergence.check(penalty, "conservative penalty", step: number)
    let values = ValueStatistics(critics.first.values)

    let alpha = VectorMath.exp(temperature.values)[0]
    let improvement = actor.update(
      states: states, critics: critics.trainers.map(\.network), temperature: alpha,
      drawingFrom: stream.child("improvement noise"))
    try TrainingDivergence.check(improvement.loss, "actor loss", step: number)
    let policyValues = ValueStatistics(improvement.values)
    try guardrail.check(max(values.largest, policyValues.largest), step: number)

    let entropyGap = improvement.logDensity - Double(actionSize)  // log π + H̄
    temperature.update(gradient: [Float(-entropyGap)], within: Self.logarithmRange)
    if configuration.learnsConservatism {
      // min over log α_CQL of −α_CQL·(R − τ_CQL).
      let slope = -weight * (Float(penalty) - configuration.penaltyThreshold)
      conservatism.update(gradient: [slope], within: Self.logarithmRange)
    }
    critics.softUpdate(rate: configuration.softUpdateRate)
    return StepMetrics(
      losses: [
        .init("actor", improvement.loss), .init("penalty", penalty),
        .init("temperature", Double(alpha)), .init("entropy", -improvement.logDensity),
      ] + critics.losses, dataValues: values, policyValues: policyValues,
      temporalDifferenceError: critics.first.meanAbsoluteError,
      actions: ActionStatistics(actions: improvement.actions, logged: batch.actions))
  }

  /// α_CQL.
  private var weight: Float {
    configuration.learnsConservatism
      ? VectorMath.exp(conservatism.values)[0] : configuration.conservatism
  }

  /// y, and the candidates whose values are held down.
  private func criticObjective(
    _ batch: TransitionBatch, states: Matrix, _ stream: RandomStream
  ) -> CriticTrainer.Objective {
    let nextStates = Matrix(rows: batch.count, columns: stateSize, values: batch.nextStates)
    let next = actor.draw(at: nextStates, from: stream.child("target noise"))
    let targets = BootstrapTarget.targets(
      rewards: batch.rewards, bootstraps: batch.bootstraps,
      stateValues: critics.targetValues(at: .joiningColumns([nextStates, next.actions])),
      discount: configuration.discount)
    let logged = Matrix(rows: batch.count, columns: actionSize, values: batch.actions)
    let (candidates, logDensities) = candidates(at: states, stream.child("candidates"))
    return CriticTrainer.Objective(
      stateActions: Matrix.joiningColumns([states, logged]), targets: targets,
      penalty: .init(candidates: candidates, logDensities: logDensities, weight: weight))
  }

  /// N uniform actions and N of the policy beside each state [B·2N, S + A], and their log densities.
  private func candidates(
    at states: Matrix, _ stream: RandomStream
  ) -> (stateActions: Matrix, logDensities: [Float]) {
    let n = configuration.sampledActions
    let drawn = actor.draw(
      at: states.repeatingRows(n), from: stream.child("policy"))  // [B·N, A]
    var uniform = stream.child("uniform")
    let uniformLogDensity = -Float(actionSize) * 0.693_147_2  // a box of edge 2
    var actions: [Float] = []
    actions.reserveCapacity(states.rows * 2 * n * actionSize)
    var logDensities: [Float] = []
    logDensities.reserveCapacity(states.rows * 2 * n)
    for state in 0..<states.rows {
      for _ in 0..<n * actionSize { actions.append(Float(uniform.uniform() * 2 - 1)) }
      actions += drawn.actions.values[state * n * actionSize..<(state + 1) * n * actionSize]
      for _ in 0..<n { logDensities.append(uniformLogDensity) }
      logDensities += drawn.logDensities[state * n..<(state + 1) * n]
    }
    let count = states.rows * 2 * n
    return (
      Matrix.joiningColumns([
        states.repeatingRows(2 * n), Matrix(rows: count, columns: actionSize, values: actions),
      ]), logDensities
    )
  }

  /// tanh μ on raw states.
  package func policy(normalizer: StateNormalizer) -> any FusionPolicy {
    NetworkPolicy(name: Self.algorithm, network: actor.mode, normalizer: normalizer)
  }

  /// Q_φ1.
  package func values(states: [Float], actions: [Float]) -> [Float]? {
    critics.values(states: states, actions: actions, stateSize: stateSize)
  }

  /// All networks, slow copies, optimizers, α, α_CQL and the scale of the rewards.
  package func tensors() -> [(String, Tensor)] {
    actor.tensors() + critics.tensors() + temperature.tensors("log_temperature")
      + conservatism.tensors("log_conservatism") + guardrail.tensors()
  }

  /// Takes over stored tensors.
  package mutating func load(_ stored: (String) throws -> Tensor) throws {
    try actor.load(stored)
    try critics.load(stored)
    try temperature.load("log_temperature", stored)
    try conservatism.load("log_conservatism", stored)
    try guardrail.load(stored)
  }
}
