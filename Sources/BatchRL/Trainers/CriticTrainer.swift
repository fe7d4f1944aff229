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
  /// CQL's penalty of the latest update, before it; 0 without one.
  private(set) var penalty = 0.0
  private var optimizer: Adam
  private var candidateTape = MultilayerPerceptron.Tape()
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

  /// What a critic is trained on.
  struct Objective: Sendable {
    /// (s, a) [B, S + A].
    var stateActions: Matrix
    /// y [B].
    var targets: [Float]
    /// How much each transition counts [B]; 1 each when nil.
    var weights: [Float]?
    /// The masks of the hidden layers, [B, width] each; none without dropout.
    var masks: [Matrix] = []
    /// CQL's penalty.
    var penalty: Penalty?

    /// Actions that nobody took, whose values are held down (CQL).
    struct Penalty: Sendable {
      /// (s, a) of the candidates [B·k, S + A], those of a state side by side.
      var candidates: Matrix
      /// log p of each [B·k].
      var logDensities: [Float]
      /// How much the penalty counts.
      var weight: Float
    }
  }

  /// One step of min_φ Σ (y − Q_φ(s, a))², and of what the objective adds to it.
  mutating func update(_ objective: Objective) {
    network.forward(objective.stateActions, masks: objective.masks, tape: &tape)
    var result = TemporalDifferenceLoss.lossAndGradient(
      values: tape.output, targets: objective.targets, weights: objective.weights)
    gradient = network.zeroGradient()
    if let penalty = objective.penalty { add(penalty, to: &result.gradient) }
    _ = network.backward(
      outputGradient: result.gradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
    (loss, meanAbsoluteError) = (result.loss, result.meanAbsoluteError)
    values = tape.output.values
  }

  /// Adds a penalty's gradient: to that of the logged values, and by way of the candidates.
  private mutating func add(_ penalty: Objective.Penalty, to dataGradient: inout Matrix) {
    network.forward(penalty.candidates, tape: &candidateTape)
    var result = ConservativePenalty.lossAndGradient(
      candidateValues: candidateTape.output, logDensities: penalty.logDensities,
      dataValues: tape.output)
    self.penalty = result.value
    for i in dataGradient.values.indices {
      dataGradient.values[i] += penalty.weight * result.dataGradient
    }
    VectorMath.scale(&result.candidateGradient.values, by: penalty.weight)
    _ = network.backward(
      outputGradient: result.candidateGradient, tape: candidateTape, parameterGradient: &gradient,
      wantsInputGradient: false)
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
