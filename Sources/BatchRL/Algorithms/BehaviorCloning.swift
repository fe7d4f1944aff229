// Behavior cloning: supervised regression of the logged actions.
//
// Source: Pomerleau, "Efficient training of artificial neural networks for autonomous
// navigation", Neural Computation 1991; the baseline "BC" of Fujimoto et al., "Off-policy deep
// reinforcement learning without exploration" (BCQ), ICML 2019.
//
// | symbol    | name here      | shape     | default, source                              |
// | --------- | -------------- | --------- | -------------------------------------------- |
// | s         | states         | [B, S]    |                                              |
// | a         | actions        | [B, A]    |                                              |
// | π         | network        | S → A     | MLP, ReLU, tanh; hidden [256, 256], ours     |
// | lr        | learningRate   |           | 1e-3, BCQ's                                  |
//
//     min_π  (1/B) Σ_b Σ_d (π(s_b)_d − a_bd)²
//
// ## Departures from the paper
//
// None known: the loss is the mean over the batch of the squared distance; BCQ's means over the
// dimensions as well, a constant factor that Adam does not feel.

import DenseKernels
package import DurableFiles
package import FusionMDP
package import NeuralNetworks
import PolicyArtifacts
package import SeededRandom

/// Learns to do what the logged policy did on average: the control without any reward.
package struct BehaviorCloning: BatchLearner {
  /// What may be chosen.
  package struct Configuration: LearnerConfiguration {
    /// The widths of the hidden layers.
    package var hidden = [256, 256]
    /// Adam's step size.
    package var learningRate: Float = 1e-3

    /// The defaults.
    package init() {}

    /// The first setting that is out of its range, in words; nil when all are fine.
    package var problem: String? {
      SettingRanges.widths("hidden", hidden)
        ?? SettingRanges.positive([("learningRate", learningRate)])
    }
  }

  /// The algorithm's name in files and on the command line.
  package static let algorithm = "behavior_cloning"

  /// What was chosen.
  package let configuration: Configuration
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// Not used: a step is one small product after another.
  package var threads = 1
  /// π: s → a.
  package private(set) var network: MultilayerPerceptron
  private var optimizer: Adam

  /// An untrained learner.
  package init(
    stateSize: Int, actionSize: Int, configuration: Configuration = Configuration(),
    initializedFrom stream: RandomStream
  ) {
    self.configuration = configuration
    self.stateSize = stateSize
    self.actionSize = actionSize
    var stream = stream.child("behavior cloning")
    network = MultilayerPerceptron(
      shape: .init(
        inputs: stateSize, hidden: configuration.hidden, outputs: actionSize,
        outputActivation: .tanh),
      initializedBy: &stream)
    optimizer = Adam(
      parameterCount: network.layout.count, learningRate: configuration.learningRate)
  }

  /// One step of the regression.
  package mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics {
    let states = Matrix(rows: batch.count, columns: stateSize, values: batch.states)
    let logged = Matrix(rows: batch.count, columns: actionSize, values: batch.actions)
    let (actions, tape) = network.forward(states)  // [B, A]
    let loss = Losses.squaredError(actions, targets: logged, reduction: .meanOverRows)
    try TrainingDivergence.check(loss.value, "cloning loss", step: number)
    var gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: loss.gradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
    return StepMetrics(
      losses: [.init("cloning", loss.value)],
      actions: ActionStatistics(actions: actions.values, logged: logged.values))
  }

  /// The network as a policy on raw states.
  package func policy(normalizer: StateNormalizer) -> any FusionPolicy {
    NetworkPolicy(name: Self.algorithm, network: network, normalizer: normalizer)
  }

  /// Nil: there is no critic.
  package func values(states: [Float], actions: [Float]) -> [Float]? { nil }

  /// The network and its optimizer.
  package func tensors() -> [(String, Tensor)] {
    LearnerTensors.of(network, "policy") + LearnerTensors.of(optimizer, "policy.optimizer")
  }

  /// Takes over stored tensors.
  package mutating func load(_ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&network, "policy", from: stored)
    try LearnerTensors.load(&optimizer, "policy.optimizer", from: stored)
  }
}
