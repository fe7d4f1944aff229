private import CVectorMath

extension Matrix {
  /// The sum of each column, [columns], accumulated in `Double`.
  package func columnSums() -> [Float] {
    checkShape()
    var sums = [Float](repeating: 0, count: columns)
    addColumnSums(of: self, to: &sums, at: 0)
    return sums
  }

  /// The sum of each row, [rows], accumulated in `Double`.
  package func rowSums() -> [Float] {
    checkShape()
    var sums = [Float](repeating: 0, count: rows)
    guard columns > 0 else { return sums }
    unsafe values.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      for r in 0..<rows { sums[r] = unsafe Float(cvm_sum(x + r * columns, columns)) }
    }
    return sums
  }

  /// self ← self + scale · other; both have the same shape.
  package mutating func add(_ other: Matrix, scaledBy scale: Float = 1) {
    precondition(
      rows == other.rows && columns == other.columns,
      "cannot add \(other.rows)×\(other.columns) to \(rows)×\(columns)")
    VectorMath.axpy(scale, other.values, to: &values)
  }
}

/// sums[offset + c] += Σ_r x[r, c]
func addColumnSums(of x: Matrix, to sums: inout [Float], at offset: Int) {
  precondition(offset >= 0 && offset + x.columns <= sums.count)
  guard !x.values.isEmpty else { return }
  unsafe x.values.withUnsafeBufferPointer { values in
    unsafe sums.withUnsafeMutableBufferPointer { sums in
      guard let values = values.baseAddress, let sums = sums.baseAddress else {
        return
      }
      unsafe cvm_add_column_sums(values, x.rows, x.columns, sums + offset)
    }
  }
}
