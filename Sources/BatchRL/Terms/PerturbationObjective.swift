package import DenseKernels

/// What the perturbation network is trained on (paper, eq. 5), as a loss to be minimized:
///
///     L = −(1/B) Σ Q_φ(s, â + P_ω(s, â, ρ)),   ∂L/∂Q = −1/B
package enum PerturbationObjective {
  /// The loss and ∂L/∂Q.
  ///
  /// Shapes: values Q [B, 1] → gradient [B, 1].
  package static func lossAndGradient(values: Matrix) -> (loss: Double, gradient: Matrix) {
    precondition(
      values.columns == 1 && values.rows > 0, "values [\(values.rows), \(values.columns)]")
    let count = values.rows
    let sum = values.values.reduce(0.0) { $0 + Double($1) }
    return (
      -sum / Double(count), Matrix(rows: count, columns: 1, repeating: -1 / Float(count))
    )
  }
}
