import DenseKernels
import Testing

@Suite("affine layers")
struct AffineTests {
  @Test("a layer worked by hand")
  func byHand() {
    // parameters: an unused one, W = [[1, -2], [3, 4]], b = [0.5, -1]
    let parameters: [Float] = [99, 1, -2, 3, 4, 0.5, -1]
    let weight = WeightSlice(offset: 1, rows: 2, columns: 2)
    let x = Matrix(rows: 2, columns: 2, values: [1, 0, -1, 2])
    // z = [[1.5, -3], [5.5, 9]]
    let plain = x.affine(
      parameters: parameters, weight: weight, biasOffset: 5, activation: .identity)
    #expect(plain.values == [1.5, -3, 5.5, 9])
    let relu = x.affine(parameters: parameters, weight: weight, biasOffset: 5, activation: .relu)
    #expect(relu.values == [1.5, 0, 5.5, 9])
    let tanh = x.affine(parameters: parameters, weight: weight, biasOffset: 5, activation: .tanh)
    #expect(distance(tanh.values, [0.905_148_3, -0.995_054_8, 0.999_966_6, 1]) < 3e-7)
    let sigmoid = x.affine(
      parameters: parameters, weight: weight, biasOffset: 5, activation: .sigmoid)
    #expect(distance(sigmoid.values, [0.817_574_5, 0.047_425_9, 0.995_929_9, 0.999_876_6]) < 3e-7)

    let dz = Matrix(rows: 2, columns: 2, values: [1, 2, 10, -1])
    var gradient = [Float](repeating: 1, count: 7)
    let dx = Matrix.affineBackward(
      input: x, outputGradient: dz, parameters: parameters, weight: weight, biasOffset: 5,
      parameterGradient: &gradient, wantsInputGradient: true)
    #expect(dx?.values == [-3, 11, 12, 26])
    // xᵀ·dz = [[-9, 3], [20, -2]], sums [11, 1], each added to the ones that stood there
    #expect(gradient == [1, -8, 4, 21, -1, 12, 2])
  }

  @Test(
    "layers and their gradients equal the naive ones on odd shapes", arguments: Activation.allCases)
  func againstNaive(activation: Activation) {
    for (rows, outputs, inputs) in oddShapes {
      let x = randomMatrix(rows, inputs, "x")
      let w = randomMatrix(inputs, outputs, "w")
      let b = randomMatrix(1, outputs, "bias")
      let parameters = [3] + w.values + b.values + [4]
      let weight = WeightSlice(offset: 1, rows: inputs, columns: outputs)
      let biasOffset = 1 + inputs * outputs
      let y = x.affine(
        parameters: parameters, weight: weight, biasOffset: biasOffset, activation: activation)
      let naive = NaiveKernels.affine(
        x.values, w.values, b.values, rows: rows, activation: activation)
      #expect(distance(y.values, naive) < 3e-6 * Float(inputs + 10), "\(rows)×\(inputs)×\(outputs)")

      let dy = randomMatrix(rows, outputs, "dy")
      var dz = dy
      dz.multiplyByDerivative(of: activation, at: y)
      let naiveDz = zip(dy.values, y.values).map {
        $0 * NaiveKernels.derivative(activation, at: $1)
      }
      #expect(distance(dz.values, naiveDz) < 1e-6)

      var gradient = [Float](repeating: 0, count: parameters.count)
      let dx = Matrix.affineBackward(
        input: x, outputGradient: dz, parameters: parameters, weight: weight,
        biasOffset: biasOffset, parameterGradient: &gradient, wantsInputGradient: true)
      let expected = NaiveKernels.affineBackward(
        x.values, w.values, outputGradient: dz.values, rows: rows, inputs: inputs,
        outputs: outputs)
      #expect(distance(dx?.values ?? [], expected.input) < 3e-6 * Float(outputs + 10))
      #expect(distance(Array(gradient[weight.range]), expected.weight) < 3e-6 * Float(rows + 10))
      #expect(
        distance(Array(gradient[biasOffset..<biasOffset + outputs]), expected.bias) < 1e-5)
      #expect(gradient.first == 0 && gradient.last == 0)
    }
  }

  @Test("a batch of no rows gives no rows and no gradient")
  func noRows() {
    let parameters: [Float] = [1, 2, 3]
    let weight = WeightSlice(offset: 0, rows: 2, columns: 1)
    let none = Matrix(rows: 0, columns: 2)
    let y = none.affine(parameters: parameters, weight: weight, biasOffset: 2, activation: .tanh)
    #expect(y == Matrix(rows: 0, columns: 1))
    var gradient: [Float] = [5, 6, 7]
    let dx = Matrix.affineBackward(
      input: none, outputGradient: y, parameters: parameters, weight: weight, biasOffset: 2,
      parameterGradient: &gradient, wantsInputGradient: true)
    #expect(dx == none)
    #expect(gradient == [5, 6, 7])
  }

  @Test("an output matrix is reused whatever stood in it")
  func reuse() {
    let x = randomMatrix(5, 3, "x")
    let parameters = randomMatrix(1, 8, "p").values
    let weight = WeightSlice(offset: 0, rows: 3, columns: 2)
    let expected = x.affine(
      parameters: parameters, weight: weight, biasOffset: 6, activation: .relu)
    for (rows, columns) in [(5, 2), (2, 5), (1, 1)] {
      var output = Matrix(rows: rows, columns: columns, repeating: .nan)
      x.affine(
        parameters: parameters, weight: weight, biasOffset: 6, activation: .relu, into: &output)
      #expect(output == expected)
    }
  }

  @Test("NaN passes through every activation, infinities saturate", arguments: Activation.allCases)
  func specialValues(activation: Activation) {
    // With W = 0 and x = 0 the output is the activation of the bias.
    let bias: [Float] = [.nan, .infinity, -.infinity, -0.0, 0, 100, -100]
    let parameters = [Float](repeating: 0, count: 7) + bias
    let y = Matrix(rows: 3, columns: 1).affine(
      parameters: parameters, weight: WeightSlice(offset: 0, rows: 1, columns: 7), biasOffset: 7,
      activation: activation)
    let expected: [Float] =
      switch activation {
      case .identity: [.nan, .infinity, -.infinity, 0, 0, 100, -100]
      case .relu: [.nan, .infinity, 0, 0, 0, 100, 0]
      case .tanh: [.nan, 1, -1, 0, 0, 1, -1]
      case .sigmoid: [.nan, 1, 0, 0.5, 0.5, 1, 0]
      }
    for r in 0..<3 { #expect(distance(y.row(r), expected) < 1e-37) }
  }
}
