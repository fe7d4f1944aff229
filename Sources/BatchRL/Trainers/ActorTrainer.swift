import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// A deterministic policy π and its optimizer (TD3, Fujimoto et al. 2018; IQL's mean, Kostrikov et
/// al. 2022).
struct ActorTrainer: Sendable {
  /// π: s → a in [−1, 1].
  private(set) var network: MultilayerPerceptron
  private var optimizer: Adam
  private var tape = MultilayerPerceptron.Tape()

  init(
    stateSize: Int, actionSize: Int, hidden: [Int], learningRate: Float,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream.child("actor")
    network = MultilayerPerceptron(
      shape: .init(
        inputs: stateSize, hidden: hidden, outputs: actionSize, outputActivation: .tanh),
      initializedBy: &stream)
    optimizer = Adam(parameterCount: network.layout.count, learningRate: learningRate)
  }

  /// π(s), kept for the update.
  ///
  /// Shapes: states [B, S] → [B, A].
  mutating func actions(at states: Matrix) -> Matrix {
    network.forward(states, tape: &tape)
    return tape.output
  }

  /// One step down ∂L/∂a [B, A] at the actions given last.
  mutating func update(actionGradient: Matrix) {
    var gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: actionGradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
  }

  func tensors() -> [(String, Tensor)] {
    LearnerTensors.of(network, "actor") + LearnerTensors.of(optimizer, "actor.optimizer")
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&network, "actor", from: stored)
    try LearnerTensors.load(&optimizer, "actor.optimizer", from: stored)
  }
}
