package import DenseKernels
package import SeededRandom

/// A chain of fully connected layers: y = act(… act(x·W₀ + b₀)·W₁ + b₁ …).
///
/// Weights are stored [inputs, outputs]. The backward pass stands beside the forward pass and
/// is proved by central differences of a reference in Double.
///
/// Initialization: weights and biases of a layer with n inputs are uniform in ±1/√n, as
/// PyTorch's `Linear` draws them, which the published BCQ and TD3 were tuned with.
package struct MultilayerPerceptron: ParameterizedNetwork, Equatable {
  /// The sizes of a perceptron and its activations.
  package struct Shape: Codable, Sendable, Equatable {
    /// The number of input columns.
    package var inputs: Int
    /// The widths of the hidden layers; none makes an affine map.
    package var hidden: [Int]
    /// The number of output columns.
    package var outputs: Int
    /// What follows each hidden layer.
    package var hiddenActivation: Activation
    /// What follows the last layer.
    package var outputActivation: Activation

    /// A shape with ReLU hidden layers and a linear output unless told otherwise.
    package init(
      inputs: Int, hidden: [Int], outputs: Int, hiddenActivation: Activation = .relu,
      outputActivation: Activation = .identity
    ) {
      self.inputs = inputs
      self.hidden = hidden
      self.outputs = outputs
      self.hiddenActivation = hiddenActivation
      self.outputActivation = outputActivation
    }
  }

  /// The activations of one forward pass, which the backward pass reads.
  ///
  /// A tape that is used again for a batch of the same size keeps its memory.
  package struct Tape: Sendable {
    /// [B, inputs]: what the pass was given.
    package fileprivate(set) var input: Matrix
    /// [B, width] of each layer, after its activation and its mask.
    fileprivate var outputs: [Matrix]
    /// What each hidden layer was multiplied by [B, width]; empty without dropout.
    fileprivate var masks: [Matrix] = []

    /// An empty tape, to be filled by a forward pass.
    package init() {
      input = Matrix(rows: 0, columns: 0)
      outputs = []
    }

    /// ∂L/∂z of a layer out of ∂L/∂y. A ReLU that a mask has scaled is above 0 where it was before,
    /// or masked, so that its derivative can be read from what the tape holds.
    fileprivate func passBack(
      _ gradient: inout Matrix, through activation: Activation, ofLayer index: Int
    ) {
      if index < masks.count { VectorMath.multiply(&gradient.values, by: masks[index].values) }
      gradient.multiplyByDerivative(of: activation, at: outputs[index])
    }

    /// [B, outputs]: the result of the pass.
    package var output: Matrix {
      precondition(!outputs.isEmpty, "the tape holds no forward pass")
      return outputs[outputs.count - 1]
    }
  }

  private struct Layer: Sendable, Equatable {
    let weight: WeightSlice
    let biasOffset: Int
    let activation: Activation
  }

  /// The sizes.
  package let shape: Shape
  /// `layer0.weight` [inputs, width], `layer0.bias` [width], and so on.
  package let layout: ParameterLayout
  /// All weights and biases, as `layout` places them.
  package var parameters: [Float] {
    didSet {
      precondition(
        parameters.count == layout.count,
        "\(parameters.count) parameters for a perceptron of \(layout.count)")
    }
  }
  private let layers: [Layer]

  /// A perceptron with the given parameters, as its layout places them.
  package init(shape: Shape, parameters: [Float]) {
    (layout, layers) = Self.place(shape)
    precondition(
      parameters.count == layout.count,
      "\(parameters.count) parameters for a perceptron of \(layout.count)")
    self.shape = shape
    self.parameters = parameters
  }

  /// A perceptron whose weights and biases are uniform in ±1/√(inputs of the layer).
  package init(shape: Shape, initializedBy stream: inout RandomStream) {
    let (layout, layers) = Self.place(shape)
    var parameters = [Float](repeating: 0, count: layout.count)
    for layer in layers {
      let bound = 1 / Double(layer.weight.rows).squareRoot()
      let end = layer.biasOffset + layer.weight.columns
      for i in layer.weight.offset..<end {
        parameters[i] = Float(stream.uniform(in: -bound...bound))
      }
    }
    self.init(shape: shape, parameters: parameters)
  }

  private static func place(_ shape: Shape) -> (layout: ParameterLayout, layers: [Layer]) {
    var layout = ParameterLayout()
    var layers: [Layer] = []
    var inputs = shape.inputs
    let widths = shape.hidden + [shape.outputs]
    for (index, width) in widths.enumerated() {
      let weight = layout.append("layer\(index).weight", shape: [inputs, width])
      let bias = layout.append("layer\(index).bias", shape: [width])
      let isLast = index == widths.count - 1
      layers.append(
        Layer(
          weight: WeightSlice(offset: weight.offset, rows: inputs, columns: width),
          biasOffset: bias.offset,
          activation: isLast ? shape.outputActivation : shape.hiddenActivation))
      inputs = width
    }
    return (layout, layers)
  }

  /// The output for each row, without a tape.
  ///
  /// Shapes: x [B, inputs] → [B, outputs].
  package func callAsFunction(_ x: Matrix) -> Matrix {
    check(x)
    var value = x
    for layer in layers {
      value = value.affine(
        parameters: parameters, weight: layer.weight, biasOffset: layer.biasOffset,
        activation: layer.activation)
    }
    return value
  }

  /// The output for each row, and what the backward pass needs.
  ///
  /// Shapes: x [B, inputs] → output [B, outputs].
  package func forward(_ x: Matrix) -> (output: Matrix, tape: Tape) {
    var tape = Tape()
    forward(x, tape: &tape)
    return (tape.output, tape)
  }

  /// As `forward(_:)`, into a tape that keeps its memory from pass to pass.
  ///
  /// With masks, one [B, width] a hidden layer (see `Dropout`), each hidden layer is multiplied by
  /// its own, and so is the gradient on its way back.
  package func forward(_ x: Matrix, masks: [Matrix] = [], tape: inout Tape) {
    check(x)
    precondition(
      masks.isEmpty || (masks.count == shape.hidden.count && shape.hiddenActivation == .relu),
      "\(masks.count) masks for \(shape.hidden.count) hidden layers, which must be ReLU")
    tape.masks = masks
    if tape.outputs.count != layers.count {
      tape.outputs = layers.map { Matrix(rows: x.rows, columns: $0.weight.columns) }
    }
    tape.input = x
    for (index, layer) in layers.enumerated() {
      if index == 0 {
        x.affine(
          parameters: parameters, weight: layer.weight, biasOffset: layer.biasOffset,
          activation: layer.activation, into: &tape.outputs[0])
      } else {
        let previous = tape.outputs[index - 1]
        previous.affine(
          parameters: parameters, weight: layer.weight, biasOffset: layer.biasOffset,
          activation: layer.activation, into: &tape.outputs[index])
      }
      if index < masks.count {
        VectorMath.multiply(&tape.outputs[index].values, by: masks[index].values)
      }
    }
  }

  /// Adds ∂L/∂parameters to `parameterGradient` and gives ∂L/∂x.
  ///
  /// Shapes: outputGradient [B, outputs] = ∂L/∂output → [B, inputs], or nil if not wanted.
  package func backward(
    outputGradient: Matrix, tape: Tape, parameterGradient: inout [Float],
    wantsInputGradient: Bool = true
  ) -> Matrix? {
    check(outputGradient, against: tape)
    precondition(
      parameterGradient.count == layout.count,
      "a gradient of \(parameterGradient.count) values for \(layout.count) parameters")
    var gradient = outputGradient
    for index in layers.indices.reversed() {
      let layer = layers[index]
      tape.passBack(&gradient, through: layer.activation, ofLayer: index)
      let passed = Matrix.affineBackward(
        input: index == 0 ? tape.input : tape.outputs[index - 1], outputGradient: gradient,
        parameters: parameters, weight: layer.weight, biasOffset: layer.biasOffset,
        parameterGradient: &parameterGradient,
        wantsInputGradient: index > 0 || wantsInputGradient)
      guard let passed else { return nil }
      gradient = passed
    }
    return gradient
  }

  /// ∂L/∂x alone, for a network that is held fixed (the critic in eq. 5).
  ///
  /// Shapes: outputGradient [B, outputs] = ∂L/∂output → [B, inputs].
  package func inputGradient(outputGradient: Matrix, tape: Tape) -> Matrix {
    check(outputGradient, against: tape)
    var gradient = outputGradient
    for index in layers.indices.reversed() {
      let layer = layers[index]
      tape.passBack(&gradient, through: layer.activation, ofLayer: index)
      var passed = Matrix(rows: 0, columns: 0)
      passed.setAffineInputGradient(
        outputGradient: gradient, parameters: parameters, weight: layer.weight)
      gradient = passed
    }
    return gradient
  }

  /// The perceptron that has only the first outputs of this one.
  package func keepingOutputs(_ count: Int, activation: Activation) -> MultilayerPerceptron {
    precondition((1...shape.outputs).contains(count), "\(count) of \(shape.outputs) outputs")
    var kept = shape
    kept.outputs = count
    kept.outputActivation = activation
    let last = layers[layers.count - 1]
    let weight = Matrix(
      rows: last.weight.rows, columns: last.weight.columns,
      values: Array(parameters[last.weight.range]))
    return MultilayerPerceptron(
      shape: kept,
      parameters: parameters[..<last.weight.offset] + weight.columns(0..<count).values
        + parameters[last.biasOffset..<last.biasOffset + count])
  }

  private func check(_ x: Matrix) {
    precondition(
      x.columns == shape.inputs,
      "an input of \(x.columns) columns for a perceptron of \(shape.inputs) inputs")
  }

  private func check(_ outputGradient: Matrix, against tape: Tape) {
    precondition(
      tape.outputs.count == layers.count, "the tape is of a perceptron of another depth")
    precondition(
      outputGradient.rows == tape.input.rows && outputGradient.columns == shape.outputs,
      """
      a gradient [\(outputGradient.rows), \(outputGradient.columns)] for an output \
      [\(tape.input.rows), \(shape.outputs)]
      """)
  }
}
