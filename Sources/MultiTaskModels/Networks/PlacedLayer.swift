import DenseKernels
import NeuralNetworks
import SeededRandom

/// A fully connected layer whose weights lie in the flat vector of a larger network.
struct PlacedLayer: Sendable, Equatable {
  let weight: WeightSlice
  let biasOffset: Int
  let activation: Activation

  /// Adds `name.weight` [inputs, outputs] and `name.bias` [outputs] to a layout.
  init(
    _ name: String, inputs: Int, outputs: Int, activation: Activation,
    in layout: inout ParameterLayout
  ) {
    let place = layout.append("\(name).weight", shape: [inputs, outputs])
    weight = WeightSlice(offset: place.offset, rows: inputs, columns: outputs)
    biasOffset = layout.append("\(name).bias", shape: [outputs]).offset
    self.activation = activation
  }

  /// y = act(x·W + b).  Shapes: x [B, inputs] → [B, outputs].
  func callAsFunction(_ x: Matrix, _ parameters: [Float]) -> Matrix {
    x.affine(
      parameters: parameters, weight: weight, biasOffset: biasOffset, activation: activation)
  }

  /// Adds ∂L/∂W and ∂L/∂b, gives ∂L/∂x.  Shapes: ∂L/∂y and y [B, outputs] → [B, inputs].
  func backward(
    _ outputGradient: Matrix, input: Matrix, output: Matrix, parameters: [Float],
    parameterGradient: inout [Float]
  ) -> Matrix {
    var gradient = outputGradient
    gradient.multiplyByDerivative(of: activation, at: output)
    let passed = Matrix.affineBackward(
      input: input, outputGradient: gradient, parameters: parameters, weight: weight,
      biasOffset: biasOffset, parameterGradient: &parameterGradient, wantsInputGradient: true)
    guard let passed else { preconditionFailure("no input gradient") }
    return passed
  }

  /// Weights and biases uniform in ±1/√inputs, as PyTorch's `Linear` draws them.
  func initialize(_ parameters: inout [Float], using stream: inout RandomStream) {
    let bound = 1 / Double(weight.rows).squareRoot()
    for i in weight.range { parameters[i] = Float(stream.uniform(in: -bound...bound)) }
    for i in biasOffset..<biasOffset + weight.columns {
      parameters[i] = Float(stream.uniform(in: -bound...bound))
    }
  }
}

/// Sets random entries of hidden outputs to zero while training and scales up the others.
struct Dropout {
  /// The probability that an entry is dropped; rounded to 1/256.
  let rate: Float
  private var stream: RandomStream

  init(rate: Float, stream: RandomStream) {
    precondition((0..<1).contains(rate), "a dropout rate of \(rate)")
    self.rate = rate
    self.stream = stream
  }

  /// Factors for `count` entries: 0, or 1/(1 − rate) so that the mean stays.
  mutating func factors(count: Int) -> [Float] {
    let threshold = UInt64((rate * 256).rounded())
    let kept = 256 / Float(256 - threshold)
    var factors = [Float](repeating: kept, count: count)
    var bits: UInt64 = 0
    for i in 0..<count {
      if i & 7 == 0 { bits = stream.next() }
      if bits & 255 < threshold { factors[i] = 0 }
      bits >>= 8
    }
    return factors
  }
}

/// An expert's hidden output in training: h ⊙ mask, where the mask is nil without dropout.
struct ExpertPass {
  let layer: PlacedLayer
  let input: Matrix
  private let output: Matrix
  private let mask: [Float]?
  /// [B, H] what the gates see.
  let visible: Matrix

  init(_ layer: PlacedLayer, _ input: Matrix, _ parameters: [Float], _ dropout: inout Dropout?) {
    self.layer = layer
    self.input = input
    output = layer(input, parameters)
    mask = dropout?.factors(count: output.values.count)
    var visible = output
    if let mask { VectorMath.multiply(&visible.values, by: mask) }
    self.visible = visible
  }

  /// Adds the layer's gradients, gives ∂L/∂input.
  func backward(
    _ visibleGradient: Matrix, _ parameters: [Float], _ parameterGradient: inout [Float]
  ) -> Matrix {
    var gradient = visibleGradient
    if let mask { VectorMath.multiply(&gradient.values, by: mask) }
    return layer.backward(
      gradient, input: input, output: output, parameters: parameters,
      parameterGradient: &parameterGradient)
  }
}

extension Matrix {
  /// self ← self + other, both [B, C].
  mutating func accumulate(_ other: Matrix) {
    precondition(rows == other.rows && columns == other.columns)
    VectorMath.axpy(1, other.values, to: &values)
  }
}
