import DenseKernels
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Adam")
struct AdamTests {
  @Test("three steps give the numbers worked out by hand")
  func threeSteps() {
    var adam = Adam(parameterCount: 2, learningRate: 0.1)
    var x: [Float] = [1, -3]
    // Gradients 1, −0.5, 2 of the first parameter:
    //   m = 0.1, 0.04, 0.236          v = 0.001, 0.001249, 0.005247751
    //   m/(1 − 0.9ᵗ) = 1, 0.2105263, 0.8708487
    //   √(v/(1 − 0.999ᵗ)) = 1, 0.7904557, 1.3232783
    // and 0, 0.01, 0 of the second, which moves on by its moment in the third step.
    let expected: [(Double, Double)] = [
      (0.9, -3), (0.8733662974, -3.0744135771), (0.8075551378, -3.1319354695),
    ]
    let gradients: [[Float]] = [[1, 0], [-0.5, 0.01], [2, 0]]
    for (gradient, value) in zip(gradients, expected) {
      adam.step(&x, gradient: gradient)
      // Within a few units in the last place of x.
      #expect(abs(Double(x[0]) - value.0) < 1e-6)
      #expect(abs(Double(x[1]) - value.1) < 1e-6)
    }
    #expect(adam.stepCount == 3)
    #expect(abs(adam.firstMoment[0] - 0.236) < 1e-6)
    #expect(abs(adam.secondMoment[0] - 0.005247751) < 1e-7)
  }

  @Test("an optimizer restored from its moments goes on with the same bits")
  func restored() {
    var stream = RandomStream(seed: 1, name: "adam")
    var adam = Adam(parameterCount: 37, learningRate: 1e-3)
    var x = stream.gaussians(37)
    for _ in 0..<5 { adam.step(&x, gradient: stream.gaussians(37)) }
    var restored = Adam(
      learningRate: adam.learningRate, firstMoment: adam.firstMoment,
      secondMoment: adam.secondMoment, stepCount: adam.stepCount)
    var y = x
    let gradient = stream.gaussians(37)
    adam.step(&x, gradient: gradient)
    restored.step(&y, gradient: gradient)
    #expect(x == y && adam == restored)
  }

  @Test("the length of a step does not depend on the scale of the gradient")
  func scaleFree() {
    for scale: Float in [1e-4, 1, 1e4] {
      var adam = Adam(parameterCount: 1, learningRate: 0.01)
      var x: [Float] = [0]
      for _ in 0..<10 { adam.step(&x, gradient: [scale]) }
      #expect(abs(x[0] + 0.1) < 1e-4, "scale \(scale)")
    }
  }

  @Test("sparse Adam equals Adam when every step touches every row")
  func sparseEqualsDense() {
    var stream = RandomStream(seed: 2, name: "sparse")
    var table = EmbeddingTable(rows: 7, dimension: 5, deviation: 1, initializedBy: &stream)
    var dense = table.parameters
    var adam = Adam(parameterCount: 35, learningRate: 0.05)
    var sparse = SparseAdam(rows: 7, dimension: 5, learningRate: 0.05)
    var gradient = EmbeddingGradient(for: table)
    for step in 0..<20 {
      let slopes = gaussianMatrix(7, 5, &stream)
      let order = stream.shuffled(7)
      gradient.removeAll()
      gradient.add(slopes.gatherRows(order), at: order)
      sparse.step(&table.parameters, gradient: gradient)
      adam.step(&dense, gradient: slopes.values)
      // The same formula in two loops: a few units in the last place.
      expectClose(table.parameters, doubles(dense), tolerance: 1e-6, "step \(step)")
    }
  }

  @Test("sparse Adam leaves untouched rows alone and starts a late row with a full step")
  func sparseLateRow() {
    var table = EmbeddingTable(rows: 3, dimension: 2, parameters: [Float](repeating: 1, count: 6))
    var sparse = SparseAdam(rows: 3, dimension: 2, learningRate: 0.1)
    var gradient = EmbeddingGradient(for: table)
    gradient.add(Matrix(rows: 1, columns: 2, values: [5, -5]), at: [0])
    for _ in 0..<50 { sparse.step(&table.parameters, gradient: gradient) }
    #expect(table.parameters[2...] == [1, 1, 1, 1])
    #expect(sparse.stepCounts == [50, 0, 0])
    gradient.removeAll()
    gradient.add(Matrix(rows: 1, columns: 2, values: [0.001, -3]), at: [2])
    let before = Array(table.parameters[0..<4])
    sparse.step(&table.parameters, gradient: gradient)
    #expect(Array(table.parameters[0..<4]) == before)
    #expect(abs(table.parameters[4] - 0.9) < 1e-5 && abs(table.parameters[5] - 1.1) < 1e-5)
  }
}
