package import DenseKernels

/// Advantage-weighted regression of a policy on the logged actions (Kostrikov, Nair and Levine,
/// "Offline reinforcement learning with implicit Q-learning", ICLR 2022, eq. 7; Peng et al. 2019):
///
///     L = −(1/B) Σ w·Σ_d log N(a_d; m(s)_d, σ_d²),   w = min(exp(β·(Q(s, a) − V(s))), w_max)
package enum AdvantageRegression {
  /// The weights.
  ///
  /// Shapes: values Q, stateValues V [B] → [B].
  package static func weights(
    values: [Float], stateValues: [Float], inverseTemperature: Float, largest: Float
  ) -> [Float] {
    precondition(
      values.count == stateValues.count, "\(values.count) and \(stateValues.count) values")
    let advantages = values.indices.map { inverseTemperature * (values[$0] - stateValues[$0]) }
    return VectorMath.exp(advantages).map { $0.isNaN ? $0 : min($0, largest) }
  }

  /// A loss with its gradients.
  package struct Result: Sendable {
    /// L, in nats.
    package var value: Double
    /// ∂L/∂m [B, A].
    package var meanGradient: Matrix
    /// ∂L/∂(log σ) [A].
    package var logDeviationGradient: [Float]
  }

  /// The loss and its gradients; w gets none.
  ///
  /// Shapes: means m, actions a [B, A], logDeviations log σ [A], weights w [B].
  package static func lossAndGradients(
    means: Matrix, logDeviations: [Float], actions: Matrix, weights: [Float]
  ) -> Result {
    let size = means.columns
    precondition(
      actions.rows == means.rows && actions.columns == size && logDeviations.count == size
        && weights.count == means.rows && means.rows > 0,
      """
      means [\(means.rows), \(size)], actions [\(actions.rows), \(actions.columns)], \
      \(logDeviations.count) deviations, \(weights.count) weights
      """)
    let precisions = VectorMath.exp(logDeviations.map { -2 * $0 })  // σ⁻²
    let scale = 1 / Float(means.rows)
    var meanGradient = Matrix(rows: means.rows, columns: size)
    var deviationSums = [Double](repeating: 0, count: size)
    var sum = 0.0
    for row in 0..<means.rows {
      let weight = weights[row]
      for column in 0..<size {
        let i = row * size + column
        let difference = actions.values[i] - means.values[i]
        let square = difference * difference * precisions[column]
        sum +=
          Double(weight)
          * (Double(square) / 2 + Double(logDeviations[column])
            + 0.918_938_533_204_672_7)  // ½·log 2π
        meanGradient.values[i] = -weight * scale * difference * precisions[column]
        deviationSums[column] += Double(weight) * Double(1 - square)
      }
    }
    return Result(
      value: sum * Double(scale), meanGradient: meanGradient,
      logDeviationGradient: deviationSums.map { Float($0 * Double(scale)) })
  }
}
