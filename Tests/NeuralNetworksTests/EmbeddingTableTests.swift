import DenseKernels
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Embedding tables")
struct EmbeddingTableTests {
  private let table = EmbeddingTable(rows: 3, dimension: 2, parameters: [1, 2, 3, 4, 5, 6])

  @Test("gathering copies the vectors in the order asked, repeats included")
  func gather() {
    #expect(
      table.gather([2, 0, 2]) == Matrix(rows: 3, columns: 2, values: [5, 6, 1, 2, 5, 6]))
    var wide = Matrix(rows: 2, columns: 4, repeating: 9)
    table.gather([1, 0], into: &wide, firstColumn: 1)
    #expect(wide.values == [9, 3, 4, 9, 9, 1, 2, 9])
  }

  @Test("gradients of repeated rows add up, by first use")
  func accumulates() {
    var gradient = EmbeddingGradient(for: table)
    gradient.add(Matrix(rows: 3, columns: 2, values: [1, 10, 2, 20, 4, 40]), at: [2, 0, 2])
    #expect(gradient.touchedRows == [2, 0])
    #expect(gradient.values == [5, 50, 2, 20])
    #expect(gradient.row(1) == [0, 0] && gradient.row(2) == [5, 50])
    gradient.add(Matrix(rows: 1, columns: 3, values: [7, 100, 200]), at: [1], firstColumn: 1)
    #expect(gradient.touchedRows == [2, 0, 1] && gradient.row(1) == [100, 200])
    gradient.removeAll()
    #expect(gradient.touchedRows.isEmpty && gradient.row(2) == [0, 0])
  }

  @Test("the sparse gradient equals central differences of the gathered vectors")
  func gradientCheck() {
    var stream = RandomStream(seed: 1, name: "embedding")
    let table = EmbeddingTable(rows: 6, dimension: 3, deviation: 1, initializedBy: &stream)
    let indices = [4, 1, 4, 0, 1, 4]
    // L = Σ w·v² over the gathered vectors v, so ∂L/∂v = 2·w·v.
    let weights = gaussianMatrix(6, 3, &stream)
    var slopes = table.gather(indices)
    for i in slopes.values.indices { slopes.values[i] *= 2 * weights.values[i] }
    var gradient = EmbeddingGradient(for: table)
    gradient.add(slopes, at: indices)
    let numeric = centralDifference(at: doubles(table.parameters)) { parameters in
      var sum = 0.0
      for (i, index) in indices.enumerated() {
        for j in 0..<3 {
          let value = parameters[index * 3 + j]
          sum += Double(weights[i, j]) * value * value
        }
      }
      return sum
    }
    expectClose((0..<6).flatMap { gradient.row($0) }, numeric)
  }

  @Test("a fresh table has the deviation asked for and its seed's bits")
  func initialization() {
    var stream = RandomStream(seed: 3, name: "embedding")
    let table = EmbeddingTable(rows: 500, dimension: 20, deviation: 0.2, initializedBy: &stream)
    let variance =
      table.parameters.reduce(0.0) { $0 + Double($1) * Double($1) }
      / Double(table.parameters.count)
    // 10,000 draws: the relative error of the variance is about 1.4 %.
    #expect(abs(variance / 0.04 - 1) < 0.07)
    var again = RandomStream(seed: 3, name: "embedding")
    #expect(
      EmbeddingTable(rows: 500, dimension: 20, deviation: 0.2, initializedBy: &again) == table)
  }

  @Test("a row outside the table stops the program")
  func outside() async {
    await #expect(processExitsWith: .failure) {
      let table = EmbeddingTable(rows: 3, dimension: 2, parameters: [1, 2, 3, 4, 5, 6])
      _ = table.gather([0, 3])
    }
  }
}
