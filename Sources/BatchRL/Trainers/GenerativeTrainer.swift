import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// The action generative network G_θ = {E, D} and its optimizers (paper, eq. 3).
struct GenerativeTrainer: Sendable {
  /// A network and its optimizer.
  private struct Part: Sendable {
    var network: MultilayerPerceptron
    var optimizer: Adam
    var gradient: [Float] = []
  }

  /// The loss of some rows of a batch.
  private struct Shard: Sendable {
    let rows: Range<Int>
    var result: ConditionalVAE.LossAndGradients?
  }

  /// A batch is always cut in so many parts, whose gradients are added up in order, so that two
  /// threads help and their number changes no bit.
  private static let shardCount = 2

  private let shape: ConditionalVAE.Shape
  private let divergenceWeight: Float
  /// E and D.
  private var parts: [Part]

  init(
    stateSize: Int, actionSize: Int, configuration: BatchRLMTFConfiguration,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream.child("generative model")
    shape = ConditionalVAE.Shape(
      stateSize: stateSize, actionSize: actionSize,
      latentSize: configuration.latentsPerAction * actionSize,
      hidden: configuration.hidden)
    let model = ConditionalVAE(shape: shape, initializedBy: &stream)
    divergenceWeight = configuration.divergenceWeight
    parts = [model.encoder, model.decoder].map {
      Part(
        network: $0,
        optimizer: Adam(
          parameterCount: $0.layout.count, learningRate: configuration.generativeLearningRate))
    }
  }

  /// The autoencoder after the updates so far.
  var model: ConditionalVAE {
    ConditionalVAE(shape: shape, encoder: parts[0].network, decoder: parts[1].network)
  }

  /// One step of min_θ; the losses before it.
  ///
  /// Shapes: states [B, S], actions [B, A].
  mutating func update(
    states: Matrix, actions: Matrix, drawingFrom stream: RandomStream, threads: Int
  ) -> (reconstruction: Double, divergence: Double) {
    let shards = losses(states, actions, drawingFrom: stream, threads: threads)
    let means = gather(shards, of: states.rows)
    ParallelJobs.run(&parts, threads: threads) {
      $0.optimizer.step(&$0.network.parameters, gradient: $0.gradient)
    }
    return means
  }

  /// The losses and gradients of the shards.
  ///
  /// Apart from the update, so that no reference to the parameters lives on to make it a copy.
  private func losses(
    _ states: Matrix, _ actions: Matrix, drawingFrom stream: RandomStream, threads: Int
  ) -> [Shard] {
    var stream = stream.child("latent noise")
    let model = self.model
    let noise = model.noise(count: states.rows, using: &stream)  // ε [B, Z]
    let weight = divergenceWeight
    var shards = Self.shards(of: states.rows)
    ParallelJobs.run(&shards, threads: threads) { shard in
      shard.result = model.lossAndGradients(
        states: states.rows(shard.rows), actions: actions.rows(shard.rows),
        noise: noise.rows(shard.rows), klWeight: weight)
    }
    return shards
  }

  private static func shards(of count: Int) -> [Shard] {
    let size = (count + shardCount - 1) / shardCount
    return stride(from: 0, to: count, by: size).map {
      Shard(rows: $0..<min($0 + size, count))
    }
  }

  /// Means over the batch out of means over its shards.
  private mutating func gather(
    _ shards: [Shard], of count: Int
  ) -> (reconstruction: Double, divergence: Double) {
    var (reconstruction, divergence) = (0.0, 0.0)
    for index in parts.indices { parts[index].gradient = parts[index].network.zeroGradient() }
    for shard in shards {
      guard let result = shard.result else { continue }
      let share = Double(shard.rows.count) / Double(count)
      reconstruction += share * result.reconstruction
      divergence += share * result.divergence
      VectorMath.axpy(Float(share), result.encoderGradient, to: &parts[0].gradient)
      VectorMath.axpy(Float(share), result.decoderGradient, to: &parts[1].gradient)
    }
    return (reconstruction, divergence)
  }

  func tensors() -> [(String, Tensor)] {
    zip(parts, ["generative.encoder", "generative.decoder"]).flatMap { part, name in
      LearnerTensors.of(part.network, name)
        + LearnerTensors.of(part.optimizer, name + ".optimizer")
    }
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    for (index, name) in ["generative.encoder", "generative.decoder"].enumerated() {
      try LearnerTensors.load(&parts[index].network, name, from: stored)
      try LearnerTensors.load(&parts[index].optimizer, name + ".optimizer", from: stored)
    }
  }
}
