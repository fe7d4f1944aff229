import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite struct DropoutTests {
  let shape = MultilayerPerceptron.Shape(inputs: 3, hidden: [6, 5], outputs: 1)
  let network: MultilayerPerceptron
  let x: Matrix

  init() {
    KernelThreads.set(1)
    var stream = RandomStream(seed: 4, name: "DropoutTests")
    network = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    x = Matrix(rows: 4, columns: 3, values: stream.gaussians(12))
  }

  @Test("a unit is left out with the rate's probability, and scaled so that the mean stays")
  func masks() {
    var stream = RandomStream(seed: 1, name: "masks")
    let masks = Dropout(rate: 0.25).masks(
      for: .init(inputs: 2, hidden: [50, 30], outputs: 1), count: 200, using: &stream)
    #expect(masks.map(\.rows) == [200, 200] && masks.map(\.columns) == [50, 30])
    for mask in masks {
      #expect(mask.values.allSatisfy { $0 == 0 || $0 == 1 / 0.75 })
      let share = Double(mask.values.count { $0 == 0 }) / Double(mask.values.count)
      // Six deviations of a share of 6,000 draws.
      #expect(abs(share - 0.25) < 6 * (0.25 * 0.75 / Double(mask.values.count)).squareRoot())
    }
    var again = RandomStream(seed: 1, name: "masks")
    #expect(
      Dropout(rate: 0).masks(for: shape, count: 3, using: &again)
        .allSatisfy { $0.values.allSatisfy { $0 == 1 } })
  }

  @Test("gradients pass through the masks as central differences say")
  func gradients() {
    var stream = RandomStream(seed: 2, name: "gradients")
    let masks = Dropout(rate: 0.3).masks(for: shape, count: 4, using: &stream)
    func loss(_ network: MultilayerPerceptron, _ x: Matrix) -> Double {
      var tape = MultilayerPerceptron.Tape()
      network.forward(x, masks: masks, tape: &tape)
      return tape.output.values.enumerated().reduce(0) { $0 + Double($1.1) * Double($1.0 + 1) }
    }
    var tape = MultilayerPerceptron.Tape()
    network.forward(x, masks: masks, tape: &tape)
    let outputGradient = Matrix(rows: 4, columns: 1, values: [1, 2, 3, 4])
    var gradient = network.zeroGradient()
    let inputGradient = network.backward(
      outputGradient: outputGradient, tape: tape, parameterGradient: &gradient)
    for i in network.parameters.indices {
      var (up, down) = (network, network)
      up.parameters[i] += 1e-3
      down.parameters[i] -= 1e-3
      #expect(abs(Double(gradient[i]) - (loss(up, x) - loss(down, x)) / 2e-3) < 5e-3)
    }
    #expect(inputGradient == network.inputGradient(outputGradient: outputGradient, tape: tape))
    for i in x.values.indices {
      var (up, down) = (x, x)
      up.values[i] += 1e-3
      down.values[i] -= 1e-3
      let slope = (loss(network, up) - loss(network, down)) / 2e-3
      #expect(abs(Double(inputGradient?.values[i] ?? .nan) - slope) < 5e-3)
    }
    network.forward(x, tape: &tape)
    #expect(tape.output == network(x))  // a tape forgets its masks
  }

  @Test("the variance over masks of one hidden layer is p/(1 − p) · Σ (h·w)²")
  func variance() {
    let narrow = MultilayerPerceptron.Shape(inputs: 1, hidden: [3], outputs: 1)
    // h = relu(x·(1, 2, −1)) = (2, 4, 0) at x = 2; out = 3·2 − 1·4 + 9·0 + 5 = 7.
    let network = MultilayerPerceptron(
      shape: narrow, parameters: [1, 2, -1, 0, 0, 0, 3, -1, 9, 5])
    var stream = RandomStream(seed: 3, name: "variance")
    let (mean, variance) = Dropout(rate: 0.2).moments(
      of: network, at: Matrix(rows: 1, columns: 1, values: [2]), samples: 20_000, using: &stream)
    let expected: Float = 0.25 * (36 + 16)
    #expect(abs(mean[0] - 7) < 0.13)  // five deviations of a mean of 20,000
    #expect(abs(variance[0] - expected) < 0.05 * expected)
    let none = Dropout(rate: 0).moments(of: self.network, at: x, samples: 2, using: &stream)
    #expect(none.variance == [0, 0, 0, 0])
    #expect(zip(none.mean, self.network(x).values).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("a perceptron cut to its first outputs gives those")
  func keptOutputs() {
    var stream = RandomStream(seed: 5, name: "kept")
    let wide = MultilayerPerceptron(
      shape: .init(inputs: 3, hidden: [4], outputs: 5), initializedBy: &stream)
    let kept = wide.keepingOutputs(2, activation: .tanh)
    let expected = wide(x).columns(0..<2).values.map { tanh($0) }
    #expect(zip(kept(x).values, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(kept.shape.outputs == 2)
  }
}
