import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// The perturbation network P_ω, its slow copy and its optimizer (paper, eq. 5).
struct PerturbationTrainer: Sendable {
  /// What an update measured before it changed the network.
  struct Improvement: Sendable {
    /// −mean Q_φ1(s, â + ξ).
    var loss = 0.0
    /// Q_φ1(s, â + ξ) [B].
    var values: [Float] = []
    /// â + ξ [B·A].
    var actions: [Float] = []
  }

  /// P_ω: (s, â) → tanh, to be scaled by ρ.
  private(set) var network: MultilayerPerceptron
  /// P_ω′.
  private(set) var target: MultilayerPerceptron
  /// Of the latest update.
  private(set) var latest = Improvement()
  private var optimizer: Adam
  private let bound: Float
  private var tape = MultilayerPerceptron.Tape()
  private var criticTape = MultilayerPerceptron.Tape()

  init(
    stateSize: Int, actionSize: Int, configuration: BatchRLMTFConfiguration,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream.child("perturbation")
    network = MultilayerPerceptron(
      shape: .init(
        inputs: stateSize + actionSize, hidden: configuration.hidden, outputs: actionSize,
        outputActivation: .tanh), initializedBy: &stream)
    target = network
    optimizer = Adam(
      parameterCount: network.layout.count,
      learningRate: configuration.perturbationLearningRate)
    bound = configuration.perturbationBound
  }

  /// What stands in for a trainer while a job works on it.
  static let placeholder: PerturbationTrainer = {
    var configuration = BatchRLMTFConfiguration()
    configuration.hidden = []
    return PerturbationTrainer(
      stateSize: 1, actionSize: 1, configuration: configuration,
      initializedFrom: RandomStream(seed: 0, name: "placeholder"))
  }()

  /// One step of max_ω Σ Q_φ1(s, â + P_ω(s, â, ρ)), â ~ G_θ(s).
  ///
  /// The gradient passes through the critic to ω alone: φ, θ and â get none.
  mutating func update(
    states: Matrix, model: ConditionalVAE, critic: MultilayerPerceptron,
    drawingFrom stream: RandomStream
  ) {
    var stream = stream.child("improvement latents")
    let generated = model.sample(states: states, using: &stream)  // â [B, A]
    network.forward(Matrix.joiningColumns([states, generated]), tape: &tape)
    let output = tape.output  // p [B, A]
    let actions = PerturbedActions.perturbed(generated, by: output, bound: bound)  // eq. 4
    critic.forward(Matrix.joiningColumns([states, actions]), tape: &criticTape)
    let values = criticTape.output  // [B, 1]
    let objective = ValueObjective.lossAndGradient(values: values)  // eq. 5

    let inputGradient = critic.inputGradient(
      outputGradient: objective.gradient, tape: criticTape)  // [B, S + A]
    let actionGradient = inputGradient.columns(states.columns..<inputGradient.columns)
    let outputGradient = PerturbedActions.outputGradient(
      actionGradient, actions: generated, output: output, bound: bound)
    var gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: outputGradient, tape: tape, parameterGradient: &gradient,
      wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
    latest = Improvement(
      loss: objective.loss, values: values.values, actions: actions.values)
  }

  mutating func softUpdate(rate: Float) { target.softUpdate(toward: network, rate: rate) }

  func tensors() -> [(String, Tensor)] {
    LearnerTensors.of(network, "perturbation") + LearnerTensors.of(target, "perturbation.target")
      + LearnerTensors.of(optimizer, "perturbation.optimizer")
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&network, "perturbation", from: stored)
    try LearnerTensors.load(&target, "perturbation.target", from: stored)
    try LearnerTensors.load(&optimizer, "perturbation.optimizer", from: stored)
  }
}
