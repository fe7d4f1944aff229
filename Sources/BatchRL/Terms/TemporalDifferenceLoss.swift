package import DenseKernels

/// The loss of a critic (paper, eq. 6): the mean of (y − Q_φ(s, a))² over the batch.
///
/// The paper sums; the mean differs by a constant factor, which Adam's step does not feel. With
/// weights w it is the mean of w·(y − Q_φ(s, a))², the divisor still B.
package enum TemporalDifferenceLoss {
  /// The loss and ∂L/∂Q = 2w(Q − y) / B; y and w get no gradient.
  ///
  /// Shapes: values Q [B, 1], targets y [B], weights w [B] or 1 each → gradient [B, 1].
  package static func lossAndGradient(
    values: Matrix, targets: [Float], weights: [Float]? = nil
  ) -> (loss: Double, meanAbsoluteError: Double, gradient: Matrix) {
    precondition(
      values.columns == 1 && values.rows == targets.count && !targets.isEmpty,
      "values [\(values.rows), \(values.columns)] against \(targets.count) targets")
    precondition(
      weights.map { $0.count == targets.count } ?? true,
      "\(weights?.count ?? 0) weights for \(targets.count) targets")
    var gradient = Matrix(rows: values.rows, columns: 1)
    let scale = 2 / Float(values.rows)
    var squares = 0.0
    var absolutes = 0.0
    for i in targets.indices {
      let error = values.values[i] - targets[i]
      let weight = weights?[i] ?? 1
      squares += Double(weight) * Double(error) * Double(error)
      absolutes += Double(abs(error))
      gradient.values[i] = scale * weight * error
    }
    let count = Double(values.rows)
    return (squares / count, absolutes / count, gradient)
  }
}
