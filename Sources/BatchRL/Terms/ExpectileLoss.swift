package import DenseKernels

/// The expectile regression of a state value on action values (Kostrikov, Nair and Levine,
/// "Offline reinforcement learning with implicit Q-learning", ICLR 2022, eq. 5):
///
///     L = (1/B) Σ |τ − 1(u < 0)|·u²,   u = Q(s, a) − V(s)
package enum ExpectileLoss {
  /// The loss and ∂L/∂V = −2·|τ − 1(u < 0)|·u / B.
  ///
  /// Shapes: values V [B, 1], targets Q [B] → gradient [B, 1].
  package static func lossAndGradient(
    values: Matrix, targets: [Float], expectile: Float
  ) -> (loss: Double, gradient: Matrix) {
    precondition(
      values.columns == 1 && values.rows == targets.count && !targets.isEmpty,
      "values [\(values.rows), \(values.columns)] against \(targets.count) targets")
    var gradient = Matrix(rows: values.rows, columns: 1)
    var sum = 0.0
    for i in targets.indices {
      let difference = targets[i] - values.values[i]
      let weight = difference < 0 ? 1 - expectile : expectile
      sum += Double(weight) * Double(difference) * Double(difference)
      gradient.values[i] = -2 * weight * difference / Float(targets.count)
    }
    return (sum / Double(targets.count), gradient)
  }
}
