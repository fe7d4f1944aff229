import DenseKernels
import NeuralNetworks
import SeededRandom
import Testing

@Suite struct SharedInputsTests {
  @Test("inputs with columns in common give what whole rows give, at any depth and group size")
  func sharedColumns() {
    var stream = RandomStream(seed: 1, name: "shared inputs")
    for hidden in [[], [5], [7, 3], [4, 9, 6], [3, 5, 4, 7]] {
      var pass = SharedInputPass()
      var output = Matrix(rows: 0, columns: 0)
      let network = MultilayerPerceptron(
        shape: .init(inputs: 7, hidden: hidden, outputs: 2, outputActivation: .tanh),
        initializedBy: &stream)
      for (rows, n) in [(1, 1), (3, 1), (1, 6), (5, 3), (2, 17)] {
        let shared = Matrix(rows: rows, columns: 4, values: stream.gaussians(rows * 4))
        let own = Matrix(rows: rows * n, columns: 3, values: stream.gaussians(rows * n * 3))
        network.evaluate(shared: shared, own: own, each: n, into: &output, using: &pass)
        let whole = network(Matrix.joiningColumns([shared.repeatingRows(n), own]))
        #expect(output.rows == rows * n && output.columns == 2)
        let errors = zip(output.values, whole.values).map { abs($0 - $1) }
        #expect(errors.allSatisfy { $0 < 1e-6 }, "hidden \(hidden), \(rows) rows of \(n)")
      }
    }
  }
}
