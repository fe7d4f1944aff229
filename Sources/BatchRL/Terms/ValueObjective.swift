package import DenseKernels

/// What a deterministic actor is trained on, as a loss to be minimized:
///
///     L = −(1/B) Σ w·Q_φ(s, a),   ∂L/∂Q = −w/B
///
/// with w = 1 the paper's eq. 5 for a = â + P_ω(s, â, ρ), and TD3's for a = π(s).
package enum ValueObjective {
  /// The loss and ∂L/∂Q.
  ///
  /// Shapes: values Q [B, 1], weights w [B] or 1 each → gradient [B, 1].
  package static func lossAndGradient(
    values: Matrix, weights: [Float]? = nil
  ) -> (loss: Double, gradient: Matrix) {
    precondition(
      values.columns == 1 && values.rows > 0 && (weights.map { $0.count == values.rows } ?? true),
      "values [\(values.rows), \(values.columns)], \(weights?.count ?? values.rows) weights")
    let count = values.rows
    var sum = 0.0
    var gradient = Matrix(rows: count, columns: 1)
    for i in 0..<count {
      let weight = weights?[i] ?? 1
      sum += Double(weight) * Double(values.values[i])
      gradient.values[i] = -weight / Float(count)
    }
    return (-sum / Double(count), gradient)
  }
}
