package import DenseKernels

/// The Kullback–Leibler divergence of a diagonal Gaussian from the standard normal, in nats:
///
///     KL(N(μ, σ²) ‖ N(0, 1)) = Σ ½·(μ² + σ² − 1) − log σ        (the second term of eq. 3)
///     ∂/∂μ = μ,   ∂/∂(log σ) = σ² − 1
package enum GaussianDivergence {
  /// A divergence with its gradients.
  package struct Result: Sendable {
    /// Nats, reduced as asked.
    package var value: Double
    /// ∂/∂μ [B, C].
    package var meanGradient: Matrix
    /// ∂/∂(log σ) [B, C].
    package var logDeviationGradient: Matrix
  }

  /// The divergence: per row the sum over the columns, then the mean over the rows.
  ///
  /// Shapes: mean, logDeviation (log σ) [B, C].
  package static func fromStandardNormal(mean: Matrix, logDeviation: Matrix) -> Result {
    precondition(
      mean.rows == logDeviation.rows && mean.columns == logDeviation.columns,
      """
      means [\(mean.rows), \(mean.columns)] with deviations \
      [\(logDeviation.rows), \(logDeviation.columns)]
      """)
    precondition(mean.rows > 0, "a divergence over no rows")
    let scale = 1 / Float(mean.rows)
    let deviation = VectorMath.exp(logDeviation.values)
    var meanGradient = Matrix(rows: mean.rows, columns: mean.columns)
    var logDeviationGradient = Matrix(rows: mean.rows, columns: mean.columns)
    var sum = 0.0
    for i in deviation.indices {
      let (mu, variance) = (mean.values[i], deviation[i] * deviation[i])
      sum += 0.5 * (Double(mu) * Double(mu) + Double(variance) - 1)
      sum -= Double(logDeviation.values[i])
      meanGradient.values[i] = mu * scale
      logDeviationGradient.values[i] = (variance - 1) * scale
    }
    return Result(
      value: sum / Double(mean.rows), meanGradient: meanGradient,
      logDeviationGradient: logDeviationGradient)
  }
}
