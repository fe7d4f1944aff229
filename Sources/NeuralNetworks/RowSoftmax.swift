package import DenseKernels

/// The softmax of each row and the logarithm of its divisor, both safe against overflow.
package enum RowSoftmax {
  /// p = e^{x − max} / Σ e^{x − max} in each row.
  ///
  /// Shapes: logits [B, E] → [B, E], rows adding up to 1.
  package static func probabilities(_ logits: Matrix) -> Matrix {
    let (rows, columns) = (logits.rows, logits.columns)
    precondition(columns > 0, "the softmax of rows without columns")
    var result = Matrix(rows: rows, columns: columns, values: exponentials(logits).values)
    for row in 0..<rows {
      var sum = 0.0
      for i in (row * columns)..<((row + 1) * columns) { sum += Double(result.values[i]) }
      let factor = Float(1 / sum)
      for i in (row * columns)..<((row + 1) * columns) { result.values[i] *= factor }
    }
    return result
  }

  /// ∂L/∂logits = p ⊙ (∂L/∂p − Σ p·∂L/∂p) in each row.
  ///
  /// Shapes: all [B, E].
  package static func backward(probabilities: Matrix, gradient: Matrix) -> Matrix {
    let (rows, columns) = (probabilities.rows, probabilities.columns)
    precondition(
      gradient.rows == rows && gradient.columns == columns,
      "a gradient [\(gradient.rows), \(gradient.columns)] for a softmax [\(rows), \(columns)]")
    var result = gradient
    for row in 0..<rows {
      var mean = 0.0
      for i in (row * columns)..<((row + 1) * columns) {
        mean += Double(probabilities.values[i]) * Double(gradient.values[i])
      }
      for i in (row * columns)..<((row + 1) * columns) {
        result.values[i] = probabilities.values[i] * (gradient.values[i] - Float(mean))
      }
    }
    return result
  }

  /// log Σ e^x of each row; its gradient is `probabilities`.
  ///
  /// Shapes: values [B, E] → [B].
  package static func logSumExp(_ values: Matrix) -> [Float] {
    let (rows, columns) = (values.rows, values.columns)
    precondition(columns > 0, "the log-sum-exp of rows without columns")
    let (exponentials, maxima) = exponentials(values)
    var sums = [Float](repeating: 0, count: rows)
    for row in 0..<rows {
      var sum = 0.0
      for i in (row * columns)..<((row + 1) * columns) { sum += Double(exponentials[i]) }
      sums[row] = Float(sum)
    }
    var result = VectorMath.log(sums)
    for row in 0..<rows { result[row] += maxima[row] }
    return result
  }

  private static func exponentials(_ logits: Matrix) -> (values: [Float], maxima: [Float]) {
    let columns = logits.columns
    var shifted = logits.values
    var maxima = [Float](repeating: 0, count: logits.rows)
    for row in 0..<logits.rows {
      let range = (row * columns)..<((row + 1) * columns)
      var maximum = shifted[range.lowerBound]
      for i in range where shifted[i] > maximum { maximum = shifted[i] }
      for i in range { shifted[i] -= maximum }
      maxima[row] = maximum
    }
    return (VectorMath.exp(shifted), maxima)
  }
}
