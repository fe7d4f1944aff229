// IQL: implicit Q-learning.
//
// Source: Kostrikov, Nair and Levine, "Offline reinforcement learning with implicit Q-learning",
// ICLR 2022 (arXiv 2110.06169), and its published code. Not in the paper's table; the usual strong
// baseline, which never asks for the value of an action that was not logged.
//
// | symbol     | name here           | shape      | default, source                          |
// | ---------- | ------------------- | ---------- | ---------------------------------------- |
// | s, s′      | states, nextStates  | [B, S]     | normalized                               |
// | a          | logged              | [B, A]     | in [−1, 1]                               |
// | m, σ       | actor, logDeviations| S → A, [A] | MLP, ReLU, tanh; hidden [256, 256]       |
// | V          | stateValue          | S → 1      | hidden [256, 256]                        |
// | Q_φj, Q_φ′j| critics, targets    | (S, A) → 1 | two, hidden [256, 256]                   |
// | γ          | discount            |            | 0.95, KDD 2022 (IQL: 0.99)               |
// | lr         | learningRate        |            | 3e-4, all networks                       |
// | τ          | expectile           |            | 0.7                                      |
// | β          | inverseTemperature  |            | 3                                        |
// |            | largestWeight       |            | 100                                      |
// |            | softUpdateRate      |            | 0.005                                    |
//
//     min_V (1/B) Σ |τ − 1(u < 0)|·u²,  u = min_j Q_φ′j(s, a) − V(s)
//     min_m,σ −(1/B) Σ min(exp(β·u), 100)·log N(a; m(s), σ²)      with V after its step
//     min_φj (1/B) Σ (r + γ·c_end·V(s′) − Q_φj(s, a))²
//     φ′ ← softUpdateRate·φ + (1 − softUpdateRate)·φ′
//
// The policy that is deployed decides for m(s).
//
// ## Departures from the source
//
// * The actor's learning rate stays; the source lets it fall as a cosine over the run.
// * Rewards are taken as they are; the source scales them by the spread of returns.
// * A terminal transition has no bootstrap; the last one of a truncated session has.
//   (`BootstrapTargetTests`)

import DenseKernels
package import DurableFiles
package import FusionMDP
import NeuralNetworks
import PolicyArtifacts
package import SeededRandom

/// The constants of IQL.
package struct IQLConfiguration: LearnerConfiguration {
  /// The widths of the hidden layers of every network.
  package var hidden = [256, 256]
  /// γ, in 0..<1.
  package var discount: Float = 0.95
  /// Adam's step size for every network.
  package var learningRate: Float = 3e-4
  /// τ, between 0 and 1: ½ is the mean of the logged actions' values, near 1 their best.
  package var expectile: Float = 0.7
  /// β: how much better actions count; 0 is behavior cloning.
  package var inverseTemperature: Float = 3
  /// What an action counts at most.
  package var largestWeight: Float = 100
  /// How far the slow copies of the critics move at a time.
  package var softUpdateRate: Float = 0.005
  /// Training stops when |Q| exceeds this many times max(1, max |r|) / (1 − γ), which no true
  /// value exceeds once.
  package var explosionFactor: Float = 10

  /// The defaults.
  package init() {}

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    SettingRanges.widths("hidden", hidden)
      ?? SettingRanges.discount(discount)
      ?? SettingRanges.shares([("softUpdateRate", softUpdateRate), ("expectile", expectile)])
      ?? SettingRanges.notNegative([("inverseTemperature", inverseTemperature)])
      ?? SettingRanges.positive([
        ("learningRate", learningRate), ("largestWeight", largestWeight),
        ("explosionFactor", explosionFactor),
      ])
  }
}

/// IQL.
package struct IQL: BatchLearner {
  /// The algorithm's name in files and on the command line.
  package static let algorithm = "iql"
  /// What log σ is kept in, as in the published code.
  static let logDeviationRange: ClosedRange<Float> = -10...2

  /// The constants.
  package let configuration: IQLConfiguration
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// The number of threads of a step: the two critics are trained side by side.
  package var threads = 1

  private var actor: ActorTrainer
  private var logDeviations: ParameterTrainer
  private var stateValue: MultilayerPerceptron
  private var stateValueOptimizer: Adam
  private var critics: TwinCritics
  private var guardrail: ValueGuard

  /// An untrained learner.
  package init(
    stateSize: Int, actionSize: Int, configuration: IQLConfiguration = IQLConfiguration(),
    initializedFrom stream: RandomStream
  ) {
    self.configuration = configuration
    self.stateSize = stateSize
    self.actionSize = actionSize
    actor = ActorTrainer(
      stateSize: stateSize, actionSize: actionSize, hidden: configuration.hidden,
      learningRate: configuration.learningRate, initializedFrom: stream)
    logDeviations = ParameterTrainer(
      [Float](repeating: 0, count: actionSize), learningRate: configuration.learningRate)
    var values = stream.child("state value")
    stateValue = MultilayerPerceptron(
      shape: .init(inputs: stateSize, hidden: configuration.hidden, outputs: 1),
      initializedBy: &values)
    stateValueOptimizer = Adam(
      parameterCount: stateValue.layout.count, learningRate: configuration.learningRate)
    critics = TwinCritics(
      stateSize: stateSize, actionSize: actionSize, hidden: configuration.hidden,
      learningRate: configuration.learningRate, initializedFrom: stream)
    guardrail = ValueGuard(
      factor: configuration.explosionFactor, discount: configuration.discount)
  }

  /// One step of the algorithm; draws nothing.
  package mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics {
    let states = Matrix(rows: batch.count, columns: stateSize, values: batch.states)
    let logged = Matrix(rows: batch.count, columns: actionSize, values: batch.actions)
    let stateActions = Matrix.joiningColumns([states, logged])
    guardrail.observe(rewards: batch.rewards)

    let logValues = critics.targetValues(at: stateActions)  // min_j Q_φ′j(s, a) [B]
    let valueLoss = updateStateValue(states: states, targets: logValues)
    try TrainingDivergence.check(valueLoss, "state value loss", step: number)

    let regression = updateActor(states: states, logged: logged, values: logValues)
    try TrainingDivergence.check(regression.loss, "actor loss", step: number)

    let nextStates = Matrix(rows: batch.count, columns: stateSize, values: batch.nextStates)
    let targets = BootstrapTarget.targets(
      rewards: batch.rewards, bootstraps: batch.bootstraps,
      stateValues: stateValue(nextStates).values, discount: configuration.discount)
    try critics.update(
      CriticTrainer.Objective(stateActions: stateActions, targets: targets), step: number,
      threads: threads)
    critics.softUpdate(rate: configuration.softUpdateRate)
    let values = ValueStatistics(critics.first.values)
    let policyValues = ValueStatistics(
      critics.first.network(Matrix.joiningColumns([states, regression.actions])).values)
    try guardrail.check(max(values.largest, policyValues.largest), step: number)
    return StepMetrics(
      losses: [.init("state_value", valueLoss), .init("actor", regression.loss)] + critics.losses,
      dataValues: values, policyValues: policyValues,
      temporalDifferenceError: critics.first.meanAbsoluteError,
      sampleWeight: regression.meanWeight,
      actions: ActionStatistics(actions: regression.actions.values, logged: batch.actions))
  }

  /// One step of V; the loss before it.
  private mutating func updateStateValue(states: Matrix, targets: [Float]) -> Double {
    let (output, tape) = stateValue.forward(states)
    let result = ExpectileLoss.lossAndGradient(
      values: output, targets: targets, expectile: configuration.expectile)
    var gradient = stateValue.zeroGradient()
    _ = stateValue.backward(
      outputGradient: result.gradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    stateValueOptimizer.step(&stateValue.parameters, gradient: gradient)
    return result.loss
  }

  /// One step of m and σ; the loss and the actions before it.
  private mutating func updateActor(
    states: Matrix, logged: Matrix, values: [Float]
  ) -> (loss: Double, actions: Matrix, meanWeight: Double) {
    let weights = AdvantageRegression.weights(
      values: values, stateValues: stateValue(states).values,
      inverseTemperature: configuration.inverseTemperature, largest: configuration.largestWeight)
    let actions = actor.actions(at: states)
    let result = AdvantageRegression.lossAndGradients(
      means: actions, logDeviations: logDeviations.values, actions: logged, weights: weights)
    actor.update(actionGradient: result.meanGradient)
    logDeviations.update(gradient: result.logDeviationGradient, within: Self.logDeviationRange)
    return (
      result.value, actions, weights.reduce(0.0) { $0 + Double($1) } / Double(weights.count)
    )
  }

  /// m on raw states.
  package func policy(normalizer: StateNormalizer) -> any FusionPolicy {
    NetworkPolicy(name: Self.algorithm, network: actor.network, normalizer: normalizer)
  }

  /// Q_φ1.
  package func values(states: [Float], actions: [Float]) -> [Float]? {
    critics.values(states: states, actions: actions, stateSize: stateSize)
  }

  /// All networks, slow copies, optimizers, σ and the scale of the rewards.
  package func tensors() -> [(String, Tensor)] {
    actor.tensors() + logDeviations.tensors("log_deviations")
      + LearnerTensors.of(stateValue, "state_value")
      + LearnerTensors.of(stateValueOptimizer, "state_value.optimizer") + critics.tensors()
      + guardrail.tensors()
  }

  /// Takes over stored tensors.
  package mutating func load(_ stored: (String) throws -> Tensor) throws {
    try actor.load(stored)
    try logDeviations.load("log_deviations", stored)
    try LearnerTensors.load(&stateValue, "state_value", from: stored)
    try LearnerTensors.load(&stateValueOptimizer, "state_value.optimizer", from: stored)
    try critics.load(stored)
    try guardrail.load(stored)
  }
}
