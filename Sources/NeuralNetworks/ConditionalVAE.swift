package import DenseKernels
package import SeededRandom

/// The action generative network G = {E, D}: a conditional variational autoencoder that keeps
/// actions close to the logged ones (paper, eq. 3; the shape is that of the published BCQ,
/// Fujimoto et al. 2019).
///
///     (μ, log σ) = E(s, a)        log σ clamped to [−4, 15]
///     z = μ + σ·ε,  ε ~ N(0, 1)
///     â = D(s, z)                 tanh: inside (−1, 1)
///     L = Σ (a − â)² + klWeight · KL(N(μ, σ²) ‖ N(0, 1))              (eq. 3)
///
/// Both terms are sums over the dimensions of a row and means over the rows. Eq. 3 is
/// `klWeight` = 1. The published BCQ takes means over dimensions, weighs the divergence ½ and
/// has 2·|A| latents: up to a common factor, which Adam cancels, that is `klWeight` = ¼ here.
///
/// No gradient passes a clamped log σ; at the bounds themselves it passes, as in PyTorch.
package struct ConditionalVAE: Sendable, Equatable {
  /// The sizes of the autoencoder.
  package struct Shape: Codable, Sendable, Equatable {
    /// S, the columns of a state.
    package var stateSize: Int
    /// A, the columns of an action.
    package var actionSize: Int
    /// Z, the columns of a latent.
    package var latentSize: Int
    /// The widths of the ReLU layers of the encoder, and of the decoder.
    package var hidden: [Int]

    /// A shape with 2·A latents, as BCQ has, unless told otherwise.
    package init(stateSize: Int, actionSize: Int, latentSize: Int? = nil, hidden: [Int]) {
      self.stateSize = stateSize
      self.actionSize = actionSize
      self.latentSize = latentSize ?? 2 * actionSize
      self.hidden = hidden
    }
  }

  /// A loss of eq. 3 in its two parts, with the gradients of reconstruction +
  /// klWeight · divergence.
  package struct LossAndGradients: Sendable {
    /// Σ (a − â)² over the dimensions, mean over the rows.
    package var reconstruction: Double
    /// The divergence in nats, summed over the latents, mean over the rows; not weighted.
    package var divergence: Double
    /// ∂L/∂ the encoder's parameters.
    package var encoderGradient: [Float]
    /// ∂L/∂ the decoder's parameters.
    package var decoderGradient: [Float]
  }

  /// Where log σ is clamped.
  package static let logDeviationRange: ClosedRange<Float> = -4...15
  /// Where sampled latents are clipped to, so that the decoder sees no rare latent.
  package static let latentBound: Float = 0.5

  /// The sizes.
  package let shape: Shape
  /// E: [S + A] → [2·Z], the columns of μ before those of log σ (not yet clamped).
  package var encoder: MultilayerPerceptron
  /// D: [S + Z] → [A], tanh.
  package var decoder: MultilayerPerceptron

  /// An autoencoder with weights drawn as `MultilayerPerceptron` documents.
  package init(shape: Shape, initializedBy stream: inout RandomStream) {
    self.shape = shape
    encoder = MultilayerPerceptron(shape: shape.encoder, initializedBy: &stream)
    decoder = MultilayerPerceptron(shape: shape.decoder, initializedBy: &stream)
  }

  /// An autoencoder of the given networks, which must have the shape's sizes.
  package init(shape: Shape, encoder: MultilayerPerceptron, decoder: MultilayerPerceptron) {
    precondition(
      encoder.shape == shape.encoder && decoder.shape == shape.decoder,
      "encoder \(encoder.shape) or decoder \(decoder.shape) does not fit \(shape)")
    self.shape = shape
    self.encoder = encoder
    self.decoder = decoder
  }

  /// The actions of latents.
  ///
  /// Shapes: states [B, S], latents [B, Z] → [B, A] in (−1, 1).
  package func decode(states: Matrix, latents: Matrix) -> Matrix {
    decoder(Matrix.joiningColumns([states, latents]))
  }

  /// One action a state, from latents ~ N(0, 1) clipped to ±0.5.
  ///
  /// Shapes: states [B, S] → [B, A]. For n actions a state pass `states.repeatingRows(n)`.
  package func sample(states: Matrix, using stream: inout RandomStream) -> Matrix {
    decode(states: states, latents: sampledLatents(count: states.rows, using: &stream))
  }

  /// Latents ~ N(0, 1) clipped to ±0.5.
  ///
  /// Shapes: [count, Z], drawn row by row.
  package func sampledLatents(count: Int, using stream: inout RandomStream) -> Matrix {
    Matrix(
      rows: count, columns: shape.latentSize,
      values: stream.gaussians(count * shape.latentSize, clippedTo: Self.latentBound))
  }

  /// Noise ε ~ N(0, 1) for `lossAndGradients`.
  ///
  /// Shapes: [count, Z], drawn row by row.
  package func noise(count: Int, using stream: inout RandomStream) -> Matrix {
    Matrix(
      rows: count, columns: shape.latentSize, values: stream.gaussians(count * shape.latentSize))
  }

  /// The Gaussian of the latents of logged actions.
  ///
  /// Shapes: states [B, S], actions [B, A] → mean μ, logDeviation log σ (clamped) [B, Z].
  package func encode(states: Matrix, actions: Matrix) -> (mean: Matrix, logDeviation: Matrix) {
    split(encoder(Matrix.joiningColumns([states, actions])))
  }

  /// The loss of eq. 3 at the given noise, and its gradients.
  ///
  /// Shapes: states [B, S], actions [B, A] in [−1, 1], noise ε [B, Z].
  package func lossAndGradients(
    states: Matrix, actions: Matrix, noise: Matrix, klWeight: Float
  ) -> LossAndGradients {
    let latents = shape.latentSize
    precondition(
      noise.rows == states.rows && noise.columns == latents,
      "noise [\(noise.rows), \(noise.columns)] for latents [\(states.rows), \(latents)]")
    var result = LossAndGradients(
      reconstruction: 0, divergence: 0, encoderGradient: encoder.zeroGradient(),
      decoderGradient: decoder.zeroGradient())

    let (encoded, encoderTape) = encoder.forward(Matrix.joiningColumns([states, actions]))
    let (mean, logDeviation) = split(encoded)
    let deviation = VectorMath.exp(logDeviation.values)  // σ [B, Z]
    var latent = mean  // z = μ + σ·ε
    for i in deviation.indices { latent.values[i] += deviation[i] * noise.values[i] }
    let (decoded, decoderTape) = decoder.forward(Matrix.joiningColumns([states, latent]))

    let error = Losses.squaredError(decoded, targets: actions, reduction: .meanOverRows)
    let divergence = GaussianDivergence.fromStandardNormal(mean: mean, logDeviation: logDeviation)
    (result.reconstruction, result.divergence) = (error.value, divergence.value)

    let decoderInput = decoder.backward(
      outputGradient: error.gradient, tape: decoderTape,
      parameterGradient: &result.decoderGradient)
    guard let decoderInput else { preconditionFailure("the decoder gave no input gradient") }

    // ∂L/∂μ = ∂L/∂z + w·∂KL/∂μ;  ∂L/∂(log σ) = ∂L/∂z·σ·ε + w·∂KL/∂(log σ) inside the clamp.
    var encodedGradient = Matrix(rows: states.rows, columns: 2 * latents)
    for row in 0..<states.rows {
      for column in 0..<latents {
        let i = row * latents + column
        let slope = decoderInput[row, shape.stateSize + column]
        encodedGradient[row, column] = slope + klWeight * divergence.meanGradient.values[i]
        guard Self.logDeviationRange.contains(encoded[row, latents + column]) else { continue }
        encodedGradient[row, latents + column] =
          slope * deviation[i] * noise.values[i]
          + klWeight * divergence.logDeviationGradient.values[i]
      }
    }
    _ = encoder.backward(
      outputGradient: encodedGradient, tape: encoderTape,
      parameterGradient: &result.encoderGradient, wantsInputGradient: false)
    return result
  }

  /// μ and the clamped log σ out of the encoder's output; a NaN stays one.
  private func split(_ encoded: Matrix) -> (mean: Matrix, logDeviation: Matrix) {
    let latents = shape.latentSize
    let bounds = Self.logDeviationRange
    var logDeviation = encoded.columns(latents..<(2 * latents))
    for i in logDeviation.values.indices {
      let value = logDeviation.values[i]
      if value < bounds.lowerBound { logDeviation.values[i] = bounds.lowerBound }
      if value > bounds.upperBound { logDeviation.values[i] = bounds.upperBound }
    }
    return (encoded.columns(0..<latents), logDeviation)
  }
}

extension ConditionalVAE.Shape {
  /// The encoder's shape: (s, a) → (μ, log σ).
  package var encoder: MultilayerPerceptron.Shape {
    .init(inputs: stateSize + actionSize, hidden: hidden, outputs: 2 * latentSize)
  }

  /// The decoder's shape: (s, z) → a.
  package var decoder: MultilayerPerceptron.Shape {
    .init(
      inputs: stateSize + latentSize, hidden: hidden, outputs: actionSize,
      outputActivation: .tanh)
  }
}
