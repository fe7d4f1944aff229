package import DenseKernels

/// Draws from a Gaussian squashed by tanh, their densities, and the way back through both
/// (Haarnoja et al., "Soft actor-critic", ICML 2018, appendix C):
///
///     u = μ + σ·ε,   a = tanh u,   log π(a) = Σ_d [ log N(u; μ, σ²) − log(1 − tanh² u) ]
///
/// log σ is cut to [−20, 2], where its slope is 0.
package struct SquashedGaussian: Sendable {
  /// Where log σ is cut.
  package static let logDeviationRange: ClosedRange<Float> = -20...2

  /// a [B, A], in [−1, 1].
  package let actions: Matrix
  /// log π(a), in nats [B].
  package let logDensities: [Float]
  /// σ·ε, and 0 where log σ was cut [B·A].
  private let deviationSlopes: [Float]
  /// 1 where log σ was not cut, else 0 [B·A].
  private let uncut: [Float]

  /// Draws by noise given.
  ///
  /// Shapes: output [B, 2A], the means and behind them log σ; noise ε [B·A].
  package init(output: Matrix, noise: [Float]) {
    let size = output.columns / 2
    precondition(
      output.columns == 2 * size && noise.count == output.rows * size,
      "an output [\(output.rows), \(output.columns)] with \(noise.count) draws")
    var logDeviations = output.columns(size..<2 * size).values
    let range = Self.logDeviationRange
    uncut = logDeviations.map { range.contains($0) ? 1 : 0 }
    for i in logDeviations.indices {
      logDeviations[i] = min(max(logDeviations[i], range.lowerBound), range.upperBound)
    }
    var moved = noise
    VectorMath.multiply(&moved, by: VectorMath.exp(logDeviations))  // σ·ε
    var raw = output.columns(0..<size)
    VectorMath.axpy(1, moved, to: &raw.values)  // u
    // log(1 − tanh² u) = 2·(log 2 − u − softplus(−2u)), which loses nothing for large |u|.
    let softplus = VectorMath.softplus(raw.values.map { -2 * $0 })
    let constants = 0.918_938_533_204_672_7 + 2 * 0.693_147_180_559_945_3  // ½·log 2π, 2·log 2
    logDensities = (0..<output.rows).map { row in
      var sum = 0.0
      for i in row * size..<(row + 1) * size {
        let (epsilon, u) = (Double(noise[i]), Double(raw.values[i]))
        sum -= epsilon * epsilon / 2 + Double(logDeviations[i]) + constants
        sum += 2 * (u + Double(softplus[i]))
      }
      return Float(sum)
    }
    VectorMath.tanh(inPlace: &raw.values)
    actions = raw
    VectorMath.multiply(&moved, by: uncut)
    deviationSlopes = moved
  }

  /// ∂L/∂output for a loss of the actions and of log π, ε held fixed.
  ///
  ///     ∂L/∂u = ∂L/∂a·(1 − a²) + ∂L/∂(log π)·2a,   ∂L/∂μ = ∂L/∂u,
  ///     ∂L/∂(log σ) = ∂L/∂u·σ·ε − ∂L/∂(log π)
  ///
  /// Shapes: actionGradient ∂L/∂a [B, A], densityGradient ∂L/∂(log π), one number for all rows →
  /// [B, 2A].
  package func outputGradient(actionGradient: Matrix, densityGradient: Float) -> Matrix {
    let size = actions.columns
    precondition(
      actionGradient.rows == actions.rows && actionGradient.columns == size,
      """
      a gradient [\(actionGradient.rows), \(actionGradient.columns)] for actions \
      [\(actions.rows), \(size)]
      """)
    var result = Matrix(rows: actions.rows, columns: 2 * size)
    for row in 0..<actions.rows {
      for column in 0..<size {
        let i = row * size + column
        let action = actions.values[i]
        let slope =
          actionGradient.values[i] * (1 - action * action) + densityGradient * 2 * action
        result.values[row * 2 * size + column] = slope
        result.values[row * 2 * size + size + column] =
          slope * deviationSlopes[i] - densityGradient * uncut[i]
      }
    }
    return result
  }
}
