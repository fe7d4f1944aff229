/// A dense matrix of `Float` in row-major order: element (r, c) is `values[r * columns + c]`.
package struct Matrix: Sendable, Equatable {
  /// Count of rows; may be zero.
  package private(set) var rows: Int
  /// Count of columns; may be zero.
  package private(set) var columns: Int
  /// rows × columns elements, row by row. Kernels stop when its count no longer fits the shape.
  package var values: [Float]

  /// A matrix of zeros.
  package init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, repeating: 0)
  }

  /// A matrix whose elements are all the same.
  package init(rows: Int, columns: Int, repeating value: Float) {
    precondition(rows >= 0 && columns >= 0, "a matrix cannot have shape \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    values = [Float](repeating: value, count: rows * columns)
  }

  /// A matrix of given elements, row by row.
  package init(rows: Int, columns: Int, values: [Float]) {
    precondition(
      rows >= 0 && columns >= 0 && values.count == rows * columns,
      "a \(rows)×\(columns) matrix cannot be made of \(values.count) values")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// The element in row r and column c.
  package subscript(r: Int, c: Int) -> Float {
    get {
      precondition(c >= 0 && c < columns, "column \(c) is not in 0..<\(columns)")
      return values[r * columns + c]
    }
    set {
      precondition(c >= 0 && c < columns, "column \(c) is not in 0..<\(columns)")
      values[r * columns + c] = newValue
    }
  }

  /// A copy of row r, [columns].
  package func row(_ r: Int) -> [Float] {
    Array(values[r * columns..<(r + 1) * columns])
  }

  /// A copy of a range of rows, [range.count, columns].
  package func rows(_ range: Range<Int>) -> Matrix {
    Matrix(
      rows: range.count, columns: columns,
      values: Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  /// The rows at the indices, in their order, repeats allowed: [indices.count, columns].
  package func gatherRows(_ indices: [Int]) -> Matrix {
    checkShape()
    for index in indices {
      precondition(index >= 0 && index < rows, "row \(index) is not in 0..<\(rows)")
    }
    var gathered = Matrix(rows: indices.count, columns: columns)
    let width = columns
    unsafe values.withUnsafeBufferPointer { source in
      unsafe gathered.values.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for (row, index) in indices.enumerated() {
          unsafe (to + row * width).update(from: from + index * width, count: width)
        }
      }
    }
    return gathered
  }

  /// Each row n times in a row: [B, S] → [B·n, S], row b stands at b·n ..< (b + 1)·n.
  package func repeatingRows(_ n: Int) -> Matrix {
    precondition(n >= 0, "cannot repeat rows \(n) times")
    checkShape()
    var repeated: [Float] = []
    repeated.reserveCapacity(rows * n * columns)
    for r in 0..<rows {
      let row = values[r * columns..<(r + 1) * columns]
      for _ in 0..<n { repeated.append(contentsOf: row) }
    }
    return Matrix(rows: rows * n, columns: columns, values: repeated)
  }

  /// A copy of a range of columns, [rows, range.count].
  package func columns(_ range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns,
      "columns \(range) are not in 0..<\(columns)")
    checkShape()
    var part = Matrix(rows: rows, columns: range.count)
    copyBlock(
      rows: rows, columns: range.count,
      from: values, at: range.lowerBound, stride: columns,
      into: &part.values, at: 0, stride: range.count)
    return part
  }

  /// The parts side by side; all must have the same count of rows.
  package static func joiningColumns(_ parts: [Matrix]) -> Matrix {
    precondition(!parts.isEmpty, "joining columns needs at least one matrix")
    var joined = Matrix(
      rows: parts[0].rows, columns: parts.reduce(0) { $0 + $1.columns })
    var column = 0
    for part in parts {
      joined.setColumns(at: column, from: part)
      column += part.columns
    }
    return joined
  }

  /// Overwrites the columns from `column` on with those of `source`, which has the same rows.
  package mutating func setColumns(at column: Int, from source: Matrix) {
    precondition(
      source.rows == rows && column >= 0 && column + source.columns <= columns,
      "a \(source.rows)×\(source.columns) part does not fit at column \(column) of \(rows)×\(columns)"
    )
    checkShape()
    source.checkShape()
    copyBlock(
      rows: rows, columns: source.columns,
      from: source.values, at: 0, stride: source.columns,
      into: &values, at: column, stride: columns)
  }

  /// The transpose, [columns, rows].
  package func transposed() -> Matrix {
    checkShape()
    var result = Matrix(rows: columns, columns: rows)
    for r in 0..<rows {
      for c in 0..<columns { result.values[c * rows + r] = values[r * columns + c] }
    }
    return result
  }

  /// Takes a shape for a result that will be overwritten; keeps the storage when the size fits.
  mutating func takeShape(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix cannot have shape \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    if values.count != rows * columns {
      values = [Float](repeating: 0, count: rows * columns)
    }
  }

  /// Stops when `values` was given another count than the shape has.
  func checkShape() {
    precondition(
      values.count == rows * columns,
      "a \(rows)×\(columns) matrix holds \(values.count) values")
  }
}

/// Copies a block of rows between two row-major arrays. The callers have checked the ranges.
private func copyBlock(
  rows: Int, columns: Int,
  from source: [Float], at sourceOffset: Int, stride sourceStride: Int,
  into target: inout [Float], at targetOffset: Int, stride targetStride: Int
) {
  guard rows > 0, columns > 0 else { return }
  precondition(sourceOffset + (rows - 1) * sourceStride + columns <= source.count)
  precondition(targetOffset + (rows - 1) * targetStride + columns <= target.count)
  unsafe source.withUnsafeBufferPointer { source in
    unsafe target.withUnsafeMutableBufferPointer { target in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      for r in 0..<rows {
        unsafe (to + targetOffset + r * targetStride).update(
          from: from + sourceOffset + r * sourceStride, count: columns)
      }
    }
  }
}
