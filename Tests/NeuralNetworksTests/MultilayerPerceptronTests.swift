import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Multilayer perceptrons")
struct MultilayerPerceptronTests {
  /// Odd sizes; every activation stands once behind a hidden layer and once at the output.
  static let shapes: [MultilayerPerceptron.Shape] = [
    .init(inputs: 3, hidden: [], outputs: 2),
    .init(inputs: 5, hidden: [7], outputs: 1, outputActivation: .sigmoid),
    .init(inputs: 4, hidden: [9, 5], outputs: 3, hiddenActivation: .relu, outputActivation: .tanh),
    .init(inputs: 1, hidden: [17], outputs: 2, hiddenActivation: .tanh, outputActivation: .relu),
    .init(inputs: 6, hidden: [3, 3, 3], outputs: 4, hiddenActivation: .sigmoid),
    .init(inputs: 2, hidden: [4], outputs: 2, hiddenActivation: .identity),
  ]

  @Test("a 2-2-1 perceptron gives the output worked out by hand")
  func handComputed() {
    let network = MultilayerPerceptron(
      shape: .init(inputs: 2, hidden: [2], outputs: 1),
      parameters: [1, -1, 2, 3, 0.5, -4, 2, 10, -1])
    // hidden = relu([1·1 + 2·2 + 0.5, −1·1 + 3·2 − 4]) = [5.5, 1]; output = 11 + 10 − 1
    // hidden = relu([0.5, −4]) = [0.5, 0];                         output = 1 + 0 − 1
    let output = network(Matrix(rows: 2, columns: 2, values: [1, 2, 0, 0]))
    #expect(output == Matrix(rows: 2, columns: 1, values: [20, 0]))
  }

  @Test("the forward pass equals the reference in Double", arguments: shapes)
  func forwardEqualsReference(shape: MultilayerPerceptron.Shape) {
    var stream = RandomStream(seed: 1, name: "forward")
    let network = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    for rows in [1, 2, 19] {
      let input = gaussianMatrix(rows, shape.inputs, &stream)
      let (output, tape) = network.forward(input)
      let reference = referencePerceptron(
        shape, doubles(network.parameters), ReferenceMatrix(input))
      #expect(output.rows == rows && output.columns == shape.outputs)
      // A product sum rounds about √n · 6e-8.
      expectClose(output.values, reference.values, tolerance: 1e-5)
      #expect(network(input) == output)
      #expect(tape.output == output && tape.input == input)
    }
  }

  @Test("the backward pass equals central differences of the reference", arguments: shapes)
  func gradientCheck(shape: MultilayerPerceptron.Shape) throws {
    var stream = RandomStream(seed: 2, name: "gradient")
    let network = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    let input = gaussianMatrix(5, shape.inputs, &stream)
    let slopes = gaussianMatrix(5, shape.outputs, &stream)  // L = Σ slopes ⊙ output
    func loss(_ parameters: [Double], _ x: [Double]) -> Double {
      let x = ReferenceMatrix(rows: 5, columns: shape.inputs, values: x)
      let output = referencePerceptron(shape, parameters, x)
      return zip(output.values, slopes.values).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
    let (parameters, x) = (doubles(network.parameters), doubles(input.values))
    var gradient = network.zeroGradient()
    let tape = network.forward(input).tape
    let inputGradient = try #require(
      network.backward(outputGradient: slopes, tape: tape, parameterGradient: &gradient))
    expectClose(gradient, centralDifference(at: parameters) { loss($0, x) })
    expectClose(inputGradient.values, centralDifference(at: x) { loss(parameters, $0) })
    #expect(network.inputGradient(outputGradient: slopes, tape: tape) == inputGradient)
  }

  @Test("the parameter gradient is added to what stands there")
  func gradientAccumulates() {
    var stream = RandomStream(seed: 3, name: "accumulate")
    let network = MultilayerPerceptron(
      shape: .init(inputs: 3, hidden: [5], outputs: 2), initializedBy: &stream)
    let tape = network.forward(gaussianMatrix(4, 3, &stream)).tape
    let slopes = gaussianMatrix(4, 2, &stream)
    var once = network.zeroGradient()
    let none = network.backward(
      outputGradient: slopes, tape: tape, parameterGradient: &once, wantsInputGradient: false)
    #expect(none == nil)
    var twice = once
    _ = network.backward(outputGradient: slopes, tape: tape, parameterGradient: &twice)
    expectClose(twice, once.map { 2 * Double($0) }, tolerance: 1e-6)
  }

  @Test("a tape used again for other batch sizes gives the same bits as a fresh one")
  func tapeReuse() {
    var stream = RandomStream(seed: 4, name: "tape")
    let network = MultilayerPerceptron(
      shape: .init(inputs: 3, hidden: [8, 5], outputs: 2), initializedBy: &stream)
    var tape = MultilayerPerceptron.Tape()
    for rows in [7, 7, 2, 11] {
      let input = gaussianMatrix(rows, 3, &stream)
      let slopes = gaussianMatrix(rows, 2, &stream)
      network.forward(input, tape: &tape)
      let fresh = network.forward(input)
      #expect(tape.output == fresh.output)
      var (gradient, freshGradient) = (network.zeroGradient(), network.zeroGradient())
      let back = network.backward(
        outputGradient: slopes, tape: tape, parameterGradient: &gradient)
      let freshBack = network.backward(
        outputGradient: slopes, tape: fresh.tape, parameterGradient: &freshGradient)
      #expect(back == freshBack && gradient == freshGradient)
    }
  }

  @Test("every parameter of a fresh network receives a gradient")
  func noDeadGradient() {
    var stream = RandomStream(seed: 5, name: "dead")
    // With tanh: a fresh ReLU unit may sleep for the whole batch by chance.
    let network = MultilayerPerceptron(
      shape: .init(inputs: 10, hidden: [32, 16], outputs: 3, hiddenActivation: .tanh),
      initializedBy: &stream)
    let tape = network.forward(gaussianMatrix(256, 10, &stream)).tape
    var gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: gaussianMatrix(256, 3, &stream), tape: tape, parameterGradient: &gradient)
    #expect(gradient.allSatisfy { $0 != 0 && $0.isFinite })
  }

  @Test("initial parameters are uniform in ±1/√inputs, and the same seed gives the same bits")
  func initialization() {
    let shape = MultilayerPerceptron.Shape(inputs: 25, hidden: [400], outputs: 4)
    var stream = RandomStream(seed: 6, name: "init")
    let network = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    let first = network.parameters[0..<(26 * 400)]
    let last = network.parameters[(26 * 400)...]
    #expect(first.allSatisfy { abs($0) <= 0.2 } && last.allSatisfy { abs($0) <= 0.05 })
    // The variance of U(−b, b) is b²/3; over 10,400 draws its relative error is about 1 %.
    let variance = first.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(first.count)
    #expect(abs(variance / (0.04 / 3) - 1) < 0.05)
    var again = RandomStream(seed: 6, name: "init")
    #expect(MultilayerPerceptron(shape: shape, initializedBy: &again) == network)
    var other = RandomStream(seed: 7, name: "init")
    #expect(MultilayerPerceptron(shape: shape, initializedBy: &other) != network)
  }

  @Test("a NaN in one input row makes its output NaN and leaves the other rows finite")
  func notANumber() {
    var stream = RandomStream(seed: 8, name: "nan")
    for activation in [Activation.relu, .tanh, .sigmoid, .identity] {
      let network = MultilayerPerceptron(
        shape: .init(inputs: 3, hidden: [6], outputs: 2, hiddenActivation: activation),
        initializedBy: &stream)
      var input = gaussianMatrix(3, 3, &stream)
      input[1, 2] = .nan
      let output = network(input)
      #expect(output.row(1).allSatisfy { $0.isNaN }, "\(activation)")
      #expect((output.row(0) + output.row(2)).allSatisfy { $0.isFinite }, "\(activation)")
    }
  }
}
