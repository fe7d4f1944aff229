package import DenseKernels
package import SeededRandom

/// One learned vector for each value of a categorical feature.
///
/// A step touches few rows, so the gradient is an `EmbeddingGradient` and the optimizer a
/// `SparseAdam`.
package struct EmbeddingTable: ParameterizedNetwork, Equatable {
  /// The number of values of the feature.
  package let rows: Int
  /// The length of a vector.
  package let dimension: Int
  /// `weight` [rows, dimension].
  package let layout: ParameterLayout
  /// The vectors, row-major.
  package var parameters: [Float] {
    didSet {
      precondition(
        parameters.count == layout.count,
        "\(parameters.count) parameters for an embedding of \(layout.count)")
    }
  }

  /// A table with the given vectors, row-major.
  package init(rows: Int, dimension: Int, parameters: [Float]) {
    self.rows = rows
    self.dimension = dimension
    var layout = ParameterLayout()
    layout.append("weight", shape: [rows, dimension])
    precondition(
      parameters.count == layout.count,
      "\(parameters.count) parameters for an embedding [\(rows), \(dimension)]")
    self.layout = layout
    self.parameters = parameters
  }

  /// A table of draws from N(0, deviation²).
  ///
  /// The default is small, so that rows without data say nothing.
  package init(
    rows: Int, dimension: Int, deviation: Float = 0.01,
    initializedBy stream: inout RandomStream
  ) {
    let draws = stream.gaussians(rows * dimension)
    self.init(rows: rows, dimension: dimension, parameters: draws.map { $0 * deviation })
  }

  /// The vectors of the given rows.
  ///
  /// Shapes: indices [B] in 0..<rows → [B, dimension].
  package func gather(_ indices: [Int]) -> Matrix {
    var result = Matrix(rows: indices.count, columns: dimension)
    gather(indices, into: &result, firstColumn: 0)
    return result
  }

  /// As `gather(_:)`, into some columns of a wider matrix, such as the input of a network.
  ///
  /// Shapes: indices [B]; result [B, ≥ firstColumn + dimension].
  package func gather(_ indices: [Int], into result: inout Matrix, firstColumn: Int) {
    precondition(
      result.rows == indices.count && firstColumn >= 0
        && firstColumn + dimension <= result.columns,
      """
      \(indices.count) vectors of \(dimension) from column \(firstColumn) into \
      [\(result.rows), \(result.columns)]
      """)
    let columns = result.columns
    for (i, index) in indices.enumerated() {
      precondition(index >= 0 && index < rows, "row \(index) of an embedding of \(rows) rows")
      let (source, target) = (index * dimension, i * columns + firstColumn)
      for j in 0..<dimension { result.values[target + j] = parameters[source + j] }
    }
  }
}

/// The gradient of the rows of an `EmbeddingTable` that a batch touched.
///
/// Rows are kept in the order of their first use and duplicates are added up in the order of
/// the batch, so the same batch gives the same bits. The memory serves the next batch.
package struct EmbeddingGradient: Sendable {
  /// The length of a vector.
  package let dimension: Int
  /// The rows that have a gradient, each once, by first use.
  package private(set) var touchedRows: [Int] = []
  /// [touchedRows.count, dimension], row-major.
  package private(set) var values: [Float] = []
  /// For each row of the table its place in `touchedRows`, or −1.
  private var slots: [Int32]

  /// A gradient of no rows, for a table.
  package init(for table: EmbeddingTable) {
    dimension = table.dimension
    slots = [Int32](repeating: -1, count: table.rows)
  }

  /// Adds the gradient of gathered vectors.
  ///
  /// Shapes: indices [B] as given to `gather`; gradient [B, ≥ firstColumn + dimension].
  package mutating func add(_ gradient: Matrix, at indices: [Int], firstColumn: Int = 0) {
    precondition(
      gradient.rows == indices.count && firstColumn >= 0
        && firstColumn + dimension <= gradient.columns,
      """
      a gradient [\(gradient.rows), \(gradient.columns)] from column \(firstColumn) for \
      \(indices.count) vectors of \(dimension)
      """)
    for (i, index) in indices.enumerated() {
      let source = i * gradient.columns + firstColumn
      let target = slot(of: index) * dimension
      for j in 0..<dimension { values[target + j] += gradient.values[source + j] }
    }
  }

  /// Forgets all rows and keeps the memory.
  package mutating func removeAll() {
    for row in touchedRows { slots[row] = -1 }
    touchedRows.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }

  /// The gradient of a row, zeros if no batch touched it.
  package func row(_ index: Int) -> [Float] {
    guard slots[index] >= 0 else { return [Float](repeating: 0, count: dimension) }
    let start = Int(slots[index]) * dimension
    return Array(values[start..<(start + dimension)])
  }

  private mutating func slot(of index: Int) -> Int {
    precondition(
      index >= 0 && index < slots.count, "row \(index) of an embedding of \(slots.count) rows")
    if slots[index] >= 0 { return Int(slots[index]) }
    slots[index] = Int32(touchedRows.count)
    touchedRows.append(index)
    for _ in 0..<dimension { values.append(0) }
    return touchedRows.count - 1
  }
}
