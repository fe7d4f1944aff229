import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// One critic Q_φ, its slow copy and its optimizer (paper, eq. 6).
struct CriticTrainer: Sendable {
  /// Q_φ: (s, a) → 1.
  private(set) var network: MultilayerPerceptron
  /// Q_φ′.
  private(set) var target: MultilayerPerceptron
  /// Of the latest update, before it.
  private(set) var loss = 0.0
  /// The mean of |y − Q| of the latest update, before it.
  private(set) var meanAbsoluteError = 0.0
  /// Q(s, a) [B] of the latest update, before it.
  private(set) var values: [Float] = []
  private var optimizer: Adam
  private var tape = MultilayerPerceptron.Tape()
  private var gradient: [Float] = []

  init(
    stateSize: Int, actionSize: Int, hidden: [Int], learningRate: Float,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream
    network = MultilayerPerceptron(
      shape: .init(inputs: stateSize + actionSize, hidden: hidden, outputs: 1),
      initializedBy: &stream)
    target = network
    optimizer = Adam(parameterCount: network.layout.count, learningRate: learningRate)
  }

  /// One step of min_φ Σ (y − Q_φ(s, a))².
  ///
  /// Shapes: stateActions [B, S + A], targets y [B].
  mutating func update(stateActions: Matrix, targets: [Float]) {
    network.forward(stateActions, tape: &tape)
    let result = TemporalDifferenceLoss.lossAndGradient(values: tape.output, targets: targets)
    gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: result.gradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
    (loss, meanAbsoluteError) = (result.loss, result.meanAbsoluteError)
    values = tape.output.values
  }

  mutating func softUpdate(rate: Float) { target.softUpdate(toward: network, rate: rate) }

  func tensors(_ prefix: String) -> [(String, Tensor)] {
    LearnerTensors.of(network, prefix) + LearnerTensors.of(target, prefix + ".target")
      + LearnerTensors.of(optimizer, prefix + ".optimizer")
  }

  mutating func load(_ prefix: String, _ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&network, prefix, from: stored)
    try LearnerTensors.load(&target, prefix + ".target", from: stored)
    try LearnerTensors.load(&optimizer, prefix + ".optimizer", from: stored)
  }
}
