import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Conditional variational autoencoder")
struct ConditionalVAETests {
  private let shape = ConditionalVAE.Shape(stateSize: 5, actionSize: 3, hidden: [11, 7])

  private struct Batch {
    var states: Matrix
    var actions: Matrix
    var noise: Matrix
  }

  private func batch(_ rows: Int, _ stream: inout RandomStream) -> Batch {
    var actions = gaussianMatrix(rows, 3, &stream)
    for i in actions.values.indices { actions.values[i] = tanh(actions.values[i]) }
    return Batch(
      states: gaussianMatrix(rows, 5, &stream), actions: actions,
      noise: gaussianMatrix(rows, 6, &stream))
  }

  /// Eq. 3 in Double by plain loops: the two parts of the loss.
  private func reference(
    _ encoder: [Double], _ decoder: [Double], _ batch: Batch
  ) -> (reconstruction: Double, divergence: Double) {
    let states = ReferenceMatrix(batch.states)
    let actions = ReferenceMatrix(batch.actions)
    let rows = states.rows
    let encoded = referencePerceptron(shape.encoder, encoder, states.joined(actions))
    var latents = ReferenceMatrix(batch.noise)
    var divergence = 0.0
    for row in 0..<rows {
      for z in 0..<6 {
        let mean = encoded[row, z]
        let logDeviation = min(max(encoded[row, 6 + z], -4), 15)
        latents[row, z] = mean + exp(logDeviation) * Double(batch.noise[row, z])
        divergence += 0.5 * (mean * mean + exp(2 * logDeviation) - 1) - logDeviation
      }
    }
    let decoded = referencePerceptron(shape.decoder, decoder, states.joined(latents))
    var reconstruction = 0.0
    for i in decoded.values.indices {
      let error = decoded.values[i] - actions.values[i]
      reconstruction += error * error
    }
    return (reconstruction / Double(rows), divergence / Double(rows))
  }

  private func checkGradients(of vae: ConditionalVAE, on batch: Batch, klWeight: Float) {
    let result = vae.lossAndGradients(
      states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: klWeight)
    let (encoder, decoder) = (doubles(vae.encoder.parameters), doubles(vae.decoder.parameters))
    let expected = reference(encoder, decoder, batch)
    #expect(abs(result.reconstruction - expected.reconstruction) < 1e-5)
    #expect(abs(result.divergence / expected.divergence - 1) < 1e-4)
    func total(_ parts: (reconstruction: Double, divergence: Double)) -> Double {
      parts.reconstruction + Double(klWeight) * parts.divergence
    }
    expectClose(
      result.encoderGradient,
      centralDifference(at: encoder) { total(reference($0, decoder, batch)) })
    expectClose(
      result.decoderGradient,
      centralDifference(at: decoder) { total(reference(encoder, $0, batch)) })
  }

  @Test("loss and gradients equal the reference in Double", arguments: [0, 0.25, 1] as [Float])
  func gradientCheck(klWeight: Float) {
    var stream = RandomStream(seed: 1, name: "vae")
    let vae = ConditionalVAE(shape: shape, initializedBy: &stream)
    checkGradients(of: vae, on: batch(4, &stream), klWeight: klWeight)
  }

  @Test("a clamped log deviation passes no gradient, the others do")
  func clamp() throws {
    var stream = RandomStream(seed: 2, name: "vae")
    var vae = ConditionalVAE(shape: shape, initializedBy: &stream)
    let bias = try #require(vae.encoder.layout.entry(named: "layer2.bias"))
    vae.encoder.parameters[bias.offset + 6] = -9  // log σ of latent 0: below −4 for every row
    let batch = batch(4, &stream)
    checkGradients(of: vae, on: batch, klWeight: 1)
    let result = vae.lossAndGradients(
      states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: 1)
    #expect(result.encoderGradient[bias.offset + 6] == 0)
    #expect(result.encoderGradient[bias.offset + 7] != 0)
    let clamped = vae.encode(states: batch.states, actions: batch.actions).logDeviation
    #expect((0..<4).allSatisfy { clamped[$0, 0] == -4 })
    vae.encoder.parameters[bias.offset + 6] = 20
    let high = vae.encode(states: batch.states, actions: batch.actions).logDeviation
    #expect((0..<4).allSatisfy { high[$0, 0] == 15 })
    let huge = vae.lossAndGradients(
      states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: 1)
    #expect(huge.divergence.isFinite && huge.encoderGradient[bias.offset + 6] == 0)
  }

  @Test("every parameter of both networks receives a gradient")
  func noDeadGradient() {
    var stream = RandomStream(seed: 3, name: "vae")
    var vae = ConditionalVAE(shape: shape, initializedBy: &stream)
    wakeHiddenUnits(of: &vae.encoder)
    wakeHiddenUnits(of: &vae.decoder)
    let batch = batch(256, &stream)
    let result = vae.lossAndGradients(
      states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: 1)
    #expect(result.encoderGradient.count == vae.encoder.layout.count)
    #expect(result.decoderGradient.count == vae.decoder.layout.count)
    #expect(result.encoderGradient.allSatisfy { $0 != 0 && $0.isFinite })
    #expect(result.decoderGradient.allSatisfy { $0 != 0 && $0.isFinite })
  }

  @Test("sampled latents are clipped to ±0.5, and sampling decodes exactly those")
  func sampling() {
    var stream = RandomStream(seed: 4, name: "vae")
    let vae = ConditionalVAE(shape: shape, initializedBy: &stream)
    let states = gaussianMatrix(400, 5, &stream)
    var (one, two) = (stream, stream)
    let latents = vae.sampledLatents(count: 400, using: &one)
    let clipped = latents.values.count { abs($0) == 0.5 }
    #expect(latents.values.allSatisfy { abs($0) <= 0.5 })
    // P(|N(0, 1)| > 0.5) = 0.617; 2,400 draws have a deviation of 0.01.
    #expect(abs(Double(clipped) / 2_400 - 0.617) < 0.05)
    let actions = vae.sample(states: states, using: &two)
    #expect(actions == vae.decode(states: states, latents: latents))
    #expect(actions.rows == 400 && actions.columns == 3)
    #expect(actions.values.allSatisfy { abs($0) < 1 })
  }

  @Test("trained on actions that follow the state, samples follow it too")
  func learns() {
    var stream = RandomStream(seed: 5, name: "vae")
    var vae = ConditionalVAE(
      shape: .init(stateSize: 2, actionSize: 2, hidden: [32, 32]), initializedBy: &stream)
    func actions(_ states: Matrix) -> Matrix {
      var result = states
      for row in 0..<states.rows {
        result[row, 0] = 0.8 * tanh(states[row, 0])
        result[row, 1] = 0.8 * tanh(states[row, 1] - states[row, 0])
      }
      return result
    }
    var encoder = Adam(parameterCount: vae.encoder.layout.count, learningRate: 3e-3)
    var decoder = Adam(parameterCount: vae.decoder.layout.count, learningRate: 3e-3)
    for _ in 0..<600 {
      let states = gaussianMatrix(128, 2, &stream)
      let result = vae.lossAndGradients(
        states: states, actions: actions(states), noise: vae.noise(count: 128, using: &stream),
        klWeight: 0.25)
      encoder.step(&vae.encoder.parameters, gradient: result.encoderGradient)
      decoder.step(&vae.decoder.parameters, gradient: result.decoderGradient)
    }
    let states = gaussianMatrix(500, 2, &stream)
    let error = Losses.squaredError(
      vae.sample(states: states, using: &stream), targets: actions(states))
    // Actions alone have a mean square of about 0.29.
    #expect(error.value < 0.02)
  }

  @Test("a NaN in an action surfaces as a loss that is not finite")
  func notANumber() {
    var stream = RandomStream(seed: 6, name: "vae")
    let vae = ConditionalVAE(shape: shape, initializedBy: &stream)
    var batch = batch(4, &stream)
    batch.actions[2, 1] = .nan
    let result = vae.lossAndGradients(
      states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: 1)
    #expect(!result.reconstruction.isFinite && !result.divergence.isFinite)
  }

  @Test("the same seed gives the same autoencoder and the same gradients")
  func sameBits() {
    func run() -> (ConditionalVAE, [Float]) {
      var stream = RandomStream(seed: 7, name: "vae")
      let vae = ConditionalVAE(shape: shape, initializedBy: &stream)
      let batch = batch(33, &stream)
      let result = vae.lossAndGradients(
        states: batch.states, actions: batch.actions, noise: batch.noise, klWeight: 1)
      return (vae, result.encoderGradient + result.decoderGradient)
    }
    #expect(run() == run())
  }
}
