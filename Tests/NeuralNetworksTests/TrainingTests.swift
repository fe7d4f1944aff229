import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Training small networks")
struct TrainingTests {
  /// Full-batch Adam on the squared error; the network and its last loss.
  private func train(
    _ shape: MultilayerPerceptron.Shape, on inputs: Matrix, targets: Matrix, steps: Int,
    learningRate: Float, seed: UInt64
  ) -> (network: MultilayerPerceptron, loss: Double) {
    var stream = RandomStream(seed: seed, name: "training")
    var network = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    var adam = Adam(parameterCount: network.layout.count, learningRate: learningRate)
    var tape = MultilayerPerceptron.Tape()
    var loss = Double.infinity
    for _ in 0..<steps {
      network.forward(inputs, tape: &tape)
      let error = Losses.squaredError(tape.output, targets: targets)
      loss = error.value
      var gradient = network.zeroGradient()
      _ = network.backward(
        outputGradient: error.gradient, tape: tape, parameterGradient: &gradient,
        wantsInputGradient: false)
      adam.step(&network.parameters, gradient: gradient)
    }
    return (network, loss)
  }

  @Test("a 2-8-1 perceptron learns exclusive or, from every one of five seeds", arguments: 1...5)
  func exclusiveOr(seed: UInt64) {
    let inputs = Matrix(rows: 4, columns: 2, values: [-1, -1, -1, 1, 1, -1, 1, 1])
    let targets = Matrix(rows: 4, columns: 1, values: [-1, 1, 1, -1])
    let trained = train(
      .init(inputs: 2, hidden: [8], outputs: 1, hiddenActivation: .tanh), on: inputs,
      targets: targets, steps: 500, learningRate: 0.03, seed: seed)
    #expect(trained.loss < 0.01)  // the best affine map reaches 1
  }

  @Test("a 1-32-32-1 perceptron fits a sine to a squared error of 1e-3")
  func sine() {
    let x = (0..<64).map { Float($0) / 63 * 2 - 1 }
    let inputs = Matrix(rows: 64, columns: 1, values: x)
    let targets = Matrix(rows: 64, columns: 1, values: x.map { sin(3 * $0) })
    let trained = train(
      .init(inputs: 1, hidden: [32, 32], outputs: 1), on: inputs, targets: targets, steps: 1_000,
      learningRate: 3e-3, seed: 11)
    #expect(trained.loss < 1e-3)  // the best constant reaches about 0.5
  }

  @Test("the same seed gives the same bits after training, another seed others")
  func sameBits() {
    var stream = RandomStream(seed: 12, name: "data")
    let inputs = gaussianMatrix(37, 5, &stream)
    let targets = gaussianMatrix(37, 3, &stream)
    let shape = MultilayerPerceptron.Shape(inputs: 5, hidden: [13, 9], outputs: 3)
    func run(_ seed: UInt64) -> [Float] {
      train(shape, on: inputs, targets: targets, steps: 50, learningRate: 1e-2, seed: seed)
        .network.parameters
    }
    #expect(run(1) == run(1))
    #expect(run(1) != run(2))
  }

  @Test("a NaN in the data surfaces as a loss that is not finite")
  func notANumber() {
    var stream = RandomStream(seed: 13, name: "data")
    var inputs = gaussianMatrix(8, 2, &stream)
    inputs[3, 1] = .nan
    let trained = train(
      .init(inputs: 2, hidden: [4], outputs: 1), on: inputs,
      targets: gaussianMatrix(8, 1, &stream), steps: 2, learningRate: 1e-2, seed: 1)
    #expect(!trained.loss.isFinite)
  }
}
