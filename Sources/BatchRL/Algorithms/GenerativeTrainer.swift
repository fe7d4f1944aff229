import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// The action generative network and its optimizers (paper, eq. 3).
struct GenerativeTrainer: Sendable {
  private(set) var model: ConditionalVAE
  private var encoderOptimizer: Adam
  private var decoderOptimizer: Adam
  private let divergenceWeight: Float

  init(
    stateSize: Int, actionSize: Int, configuration: BatchRLMTFConfiguration,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream.child("generative model")
    model = ConditionalVAE(
      shape: .init(
        stateSize: stateSize, actionSize: actionSize, latentSize: configuration.latentSize,
        hidden: configuration.hidden), initializedBy: &stream)
    let rate = configuration.generativeLearningRate
    encoderOptimizer = Adam(parameterCount: model.encoder.layout.count, learningRate: rate)
    decoderOptimizer = Adam(parameterCount: model.decoder.layout.count, learningRate: rate)
    divergenceWeight = configuration.divergenceWeight
  }

  /// One step of min_θ; the losses before it.
  mutating func update(
    states: Matrix, actions: Matrix, drawingFrom stream: RandomStream, threads: Int
  ) -> (reconstruction: Double, divergence: Double) {
    var stream = stream.child("latent noise")
    let noise = model.noise(count: states.rows, using: &stream)  // ε [B, Z]
    let result = model.lossAndGradients(
      states: states, actions: actions, noise: noise, klWeight: divergenceWeight)
    encoderOptimizer.step(&model.encoder.parameters, gradient: result.encoderGradient)
    decoderOptimizer.step(&model.decoder.parameters, gradient: result.decoderGradient)
    return (result.reconstruction, result.divergence)
  }

  func tensors() -> [(String, Tensor)] {
    LearnerTensors.of(model.encoder, "generative.encoder")
      + LearnerTensors.of(model.decoder, "generative.decoder")
      + LearnerTensors.of(encoderOptimizer, "generative.encoder.optimizer")
      + LearnerTensors.of(decoderOptimizer, "generative.decoder.optimizer")
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&model.encoder, "generative.encoder", from: stored)
    try LearnerTensors.load(&model.decoder, "generative.decoder", from: stored)
    try LearnerTensors.load(&encoderOptimizer, "generative.encoder.optimizer", from: stored)
    try LearnerTensors.load(&decoderOptimizer, "generative.decoder.optimizer", from: stored)
  }
}
