// TD3: twin delayed deterministic policy gradient, on logged transitions alone.
//
// Source: Fujimoto, van Hoof and Meger, "Addressing function approximation error in actor-critic
// methods", ICML 2018, algorithm 1, and its published code; a baseline of Zhang et al., KDD 2022
// (arXiv 2208.04560), called the paper here. TD3+BC and UWAC+TD3 are this learner with other
// weights in its two losses (`TwinDelayedConfiguration`).
//
// | symbol    | name here          | shape      | default, source                              |
// | --------- | ------------------ | ---------- | -------------------------------------------- |
// | s, s′     | states, nextStates | [B, S]     | normalized                                   |
// | a         | logged             | [B, A]     | in [−1, 1]                                   |
// | π, π′     | actor, its target  | S → A      | MLP, ReLU, tanh; hidden [256, 256], TD3      |
// | Q_φj, Q_φ′j| critics, targets  | (S, A) → 1 | two, hidden [256, 256], TD3                  |
// | γ         | discount           |            | 0.95, the paper (TD3: 0.99)                  |
// | lr        | actor-, criticLearningRate |    | 3e-4, TD3's code                             |
// | τ         | softUpdateRate     |            | 0.005, TD3                                   |
// | d         | policyDelay        |            | 2, TD3                                       |
// | σ̃, c      | targetNoise, -Bound|            | 0.2, 0.5, TD3                                |
//
//     a′ = clip(π′(s′) + clip(N(0, σ̃²), ±c), ±1)
//     y  = r + γ·c_end·min_j Q_φ′j(s′, a′)
//     min_φj (1/B) Σ w·(y − Q_φj(s, a))²                              every step
//     min_π −(1/B) Σ v·Q_φ1(s, π(s)) + β·(1/BA) Σ (π(s) − a)²          every d steps
//     x′ ← τ·x + (1 − τ)·x′                                            every d steps
//
// For TD3 itself w = v = 1 and β = 0.
//
// ## Departures from the source
//
// * Transitions are logged ones; there is no interaction. That is what the paper compares, and why
//   the learner fails: nothing keeps π where the data are. (`PendulumRegimeTests`)
// * A terminal transition has no bootstrap; the last one of a truncated session has.
//   (`BootstrapTargetTests`)

package import DenseKernels
package import DurableFiles
package import FusionMDP
package import NeuralNetworks
import PolicyArtifacts
package import SeededRandom

/// What a variant of TD3 changes in the two losses.
package protocol TwinDelayedConfiguration: LearnerConfiguration {
  /// The algorithm's name in files and on the command line.
  static var algorithm: String { get }
  /// What it has in common with TD3.
  var td3: TD3Configuration { get }
  /// The dropout of the critics' hidden units while they are trained.
  var dropout: Dropout? { get }
  /// β: how much the squared distance to the logged actions counts.
  var cloningWeight: Float { get }

  /// The defaults.
  init()

  /// w: how much each transition counts in the critics' loss; 1 each when nil.
  ///
  /// Shapes: nextStateActions (s′, a′) [B, S + A] → [B].
  func criticWeights(
    targets: [MultilayerPerceptron], nextStateActions: Matrix, drawingFrom stream: RandomStream
  ) -> [Float]?

  /// v: how much each state counts in the actor's loss; 1 each when nil.
  ///
  /// Shapes: stateActions (s, π(s)) [B, S + A], values Q_φ1 there [B] → [B].
  func valueWeights(
    critic: MultilayerPerceptron, stateActions: Matrix, values: [Float],
    drawingFrom stream: RandomStream
  ) -> [Float]?
}

extension TwinDelayedConfiguration {
  /// None.
  package var dropout: Dropout? { nil }
  /// 0.
  package var cloningWeight: Float { 0 }

  /// Nil.
  package func criticWeights(
    targets: [MultilayerPerceptron], nextStateActions: Matrix, drawingFrom stream: RandomStream
  ) -> [Float]? { nil }

  /// Nil.
  package func valueWeights(
    critic: MultilayerPerceptron, stateActions: Matrix, values: [Float],
    drawingFrom stream: RandomStream
  ) -> [Float]? { nil }
}

/// The constants of TD3.
package struct TD3Configuration: TwinDelayedConfiguration {
  package static let algorithm = "td3"

  /// The widths of the hidden layers of every network.
  package var hidden = [256, 256]
  /// γ, in 0..<1.
  package var discount: Float = 0.95
  /// Adam's step size for the actor.
  package var actorLearningRate: Float = 3e-4
  /// Adam's step size for the critics.
  package var criticLearningRate: Float = 3e-4
  /// τ: how far the slow copies move at a time.
  package var softUpdateRate: Float = 0.005
  /// d: the steps between updates of the actor and of the slow copies.
  package var policyDelay = 2
  /// σ̃: the deviation of the noise on the next action.
  package var targetNoise: Float = 0.2
  /// c: where that noise is cut.
  package var targetNoiseBound: Float = 0.5
  /// Training stops when |Q| exceeds this many times max(1, max |r|) / (1 − γ), which no true
  /// value exceeds once.
  package var explosionFactor: Float = 10

  /// The defaults.
  package init() {}

  package var td3: TD3Configuration { self }

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    SettingRanges.widths("hidden", hidden)
      ?? SettingRanges.discount(discount)
      ?? SettingRanges.counts([("policyDelay", policyDelay)])
      ?? SettingRanges.shares([("softUpdateRate", softUpdateRate)])
      ?? SettingRanges.notNegative([
        ("targetNoise", targetNoise), ("targetNoiseBound", targetNoiseBound),
      ])
      ?? SettingRanges.positive([
        ("actorLearningRate", actorLearningRate), ("criticLearningRate", criticLearningRate),
        ("explosionFactor", explosionFactor),
      ])
  }
}

/// TD3.
package typealias TD3 = TwinDelayedLearner<TD3Configuration>

/// TD3 and what weighs its losses otherwise.
package struct TwinDelayedLearner<Configuration: TwinDelayedConfiguration>: BatchLearner {
  /// The algorithm's name in files and on the command line.
  package static var algorithm: String { Configuration.algorithm }

  /// The constants.
  package let configuration: Configuration
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// The number of threads of a step: the two critics are trained side by side.
  package var threads = 1

  private var actor: ActorTrainer
  /// π′.
  private var actorTarget: MultilayerPerceptron
  private var critics: TwinCritics
  private var guardrail: ValueGuard

  /// An untrained learner.
  package init(
    stateSize: Int, actionSize: Int, configuration: Configuration = Configuration(),
    initializedFrom stream: RandomStream
  ) {
    self.configuration = configuration
    self.stateSize = stateSize
    self.actionSize = actionSize
    let common = configuration.td3
    actor = ActorTrainer(
      stateSize: stateSize, actionSize: actionSize, hidden: common.hidden,
      learningRate: common.actorLearningRate, initializedFrom: stream)
    actorTarget = actor.network
    critics = TwinCritics(
      stateSize: stateSize, actionSize: actionSize, hidden: common.hidden,
      learningRate: common.criticLearningRate, initializedFrom: stream)
    guardrail = ValueGuard(factor: common.explosionFactor, discount: common.discount)
  }

  /// One step of the algorithm.
  package mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics {
    let states = Matrix(rows: batch.count, columns: stateSize, values: batch.states)
    let logged = Matrix(rows: batch.count, columns: actionSize, values: batch.actions)
    guardrail.observe(rewards: batch.rewards)
    let objective = criticObjective(batch, states: states, logged: logged, stream)
    try critics.update(objective, step: number, threads: threads)
    let values = ValueStatistics(critics.first.values)

    let movesActor = number.isMultiple(of: configuration.td3.policyDelay)
    let improvement = evaluateActor(
      states: states, logged: logged, wantsGradient: movesActor, stream)
    try TrainingDivergence.check(improvement.loss, "actor loss", step: number)
    let policyValues = ValueStatistics(improvement.values)
    try guardrail.check(max(values.largest, policyValues.largest), step: number)
    if let gradient = improvement.actionGradient {
      actor.update(actionGradient: gradient)
      actorTarget.softUpdate(
        toward: actor.network, rate: configuration.td3.softUpdateRate)
      critics.softUpdate(rate: configuration.td3.softUpdateRate)
    }
    return StepMetrics(
      losses: [.init("actor", improvement.loss)] + critics.losses, dataValues: values,
      policyValues: policyValues, temporalDifferenceError: critics.first.meanAbsoluteError,
      sampleWeight: objective.weights.map { Double(VectorMath.sum($0)) / Double(batch.count) },
      actions: ActionStatistics(actions: improvement.actions, logged: batch.actions))
  }

  /// y, w and the masks of the critics' step.
  private func criticObjective(
    _ batch: TransitionBatch, states: Matrix, logged: Matrix, _ stream: RandomStream
  ) -> CriticTrainer.Objective {
    let common = configuration.td3
    let nextStates = Matrix(rows: batch.count, columns: stateSize, values: batch.nextStates)
    var noise = stream.child("target noise")
    let nextActions = SmoothedActions.smoothed(
      actorTarget(nextStates), noise: noise.gaussians(batch.count * actionSize),
      deviation: common.targetNoise, bound: common.targetNoiseBound)
    let nextStateActions = Matrix.joiningColumns([nextStates, nextActions])
    let targets = BootstrapTarget.targets(
      rewards: batch.rewards, bootstraps: batch.bootstraps,
      stateValues: critics.targetValues(at: nextStateActions), discount: common.discount)
    var masks = stream.child("dropout")
    return CriticTrainer.Objective(
      stateActions: Matrix.joiningColumns([states, logged]), targets: targets,
      weights: configuration.criticWeights(
        targets: critics.targets, nextStateActions: nextStateActions, drawingFrom: stream),
      masks: configuration.dropout?.masks(
        for: critics.first.network.shape, count: batch.count, using: &masks) ?? [])
  }

  /// What the actor's step measures and follows.
  private struct Improvement {
    var loss: Double
    var values: [Float]
    var actions: [Float]
    /// ∂L/∂a [B, A], in steps that move the actor.
    var actionGradient: Matrix?
  }

  /// The actor's loss and its gradient, which passes through the critic to π alone.
  private mutating func evaluateActor(
    states: Matrix, logged: Matrix, wantsGradient: Bool, _ stream: RandomStream
  ) -> Improvement {
    let critic = critics.first.network
    let actions = actor.actions(at: states)
    let stateActions = Matrix.joiningColumns([states, actions])
    let (values, tape) = critic.forward(stateActions)
    let objective = ValueObjective.lossAndGradient(
      values: values,
      weights: configuration.valueWeights(
        critic: critic, stateActions: stateActions, values: values.values, drawingFrom: stream))
    var gradient =
      wantsGradient
      ? critic.inputGradient(outputGradient: objective.gradient, tape: tape)
        .columns(stateSize..<stateSize + actionSize) : nil
    var loss = objective.loss
    if configuration.cloningWeight > 0 {
      let cloning = Losses.squaredError(actions, targets: logged, reduction: .meanOverEntries)
      loss += Double(configuration.cloningWeight) * cloning.value
      gradient?.add(cloning.gradient, scaledBy: configuration.cloningWeight)
    }
    return Improvement(
      loss: loss, values: values.values, actions: actions.values, actionGradient: gradient)
  }

  /// π on raw states.
  package func policy(normalizer: StateNormalizer) -> any FusionPolicy {
    NetworkPolicy(name: Self.algorithm, network: actor.network, normalizer: normalizer)
  }

  /// Q_φ1.
  package func values(states: [Float], actions: [Float]) -> [Float]? {
    critics.values(states: states, actions: actions, stateSize: stateSize)
  }

  /// All networks, slow copies, optimizers and the scale of the rewards.
  package func tensors() -> [(String, Tensor)] {
    actor.tensors() + LearnerTensors.of(actorTarget, "actor.target") + critics.tensors()
      + guardrail.tensors()
  }

  /// Takes over stored tensors.
  package mutating func load(_ stored: (String) throws -> Tensor) throws {
    try actor.load(stored)
    try LearnerTensors.load(&actorTarget, "actor.target", from: stored)
    try critics.load(stored)
    try guardrail.load(stored)
  }
}
