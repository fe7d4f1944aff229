import Foundation

/// Regression with a Gaussian process of zero mean: what is known about a function at a point
/// after noisy observations elsewhere.
///
///     mean(x) = k(x)ᵀ·(K + N)⁻¹·y,   variance(x) = k(x, x) − k(x)ᵀ·(K + N)⁻¹·k(x)
///
/// with N diagonal: observation i has the variance σ_n²·noiseScale_i.
/// (Rasmussen and Williams, "Gaussian Processes for Machine Learning", eqs. 2.25 and 2.26.)
package struct GaussianProcess: Sendable {
  /// Dimensions of a point.
  package let dimension: Int
  /// The kernel and noise in use.
  package let parameters: KernelParameters
  private let points: [Double]  // [n, D]
  private let values: [Double]  // [n]
  private let factor: CholeskyFactor
  private let weights: [Double]  // (K + N)⁻¹·y, [n]

  /// Conditions the prior on observations.
  ///
  /// - Parameters:
  ///   - points: flat, [n, D].
  ///   - values: [n]; the prior's mean is zero, so centre them.
  ///   - noiseScales: [n], each observation's share of σ_n².
  /// - Throws: `SearchError.notPositiveDefinite`.
  /// - Complexity: O(n³).
  package init(
    points: [Double], values: [Double], noiseScales: [Double], parameters: KernelParameters
  ) throws(SearchError) {
    let dimension = parameters.logLengthScales.count
    let n = values.count
    precondition(
      points.count == n * dimension && noiseScales.count == n,
      "\(points.count) coordinates, \(noiseScales.count) noise scales for \(n) × \(dimension)")
    let kernel = MaternKernel(parameters)
    let noise = exp(parameters.logNoise)
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<i { matrix[i * n + j] = kernel.value(points, at: i, points, at: j) }
      matrix[i * n + i] = kernel.signal + noise * noiseScales[i]
    }
    let factor = try CholeskyFactor(matrix, size: n)
    self.dimension = dimension
    self.parameters = parameters
    self.points = points
    self.values = values
    self.factor = factor
    self.weights = factor.solve(values)
  }

  /// Mean and variance of the function (without observation noise) at `x`, [D].
  /// - Complexity: O(n²).
  package func posterior(at x: [Double]) -> (mean: Double, variance: Double) {
    precondition(x.count == dimension, "\(x.count) coordinates, expected \(dimension)")
    let kernel = MaternKernel(parameters)
    var mean = 0.0
    var cross = [Double](repeating: 0, count: values.count)
    for i in cross.indices {
      cross[i] = kernel.value(points, at: i, x, at: 0)
      mean += cross[i] * weights[i]
    }
    let solved = factor.solveLower(cross)
    let explained = solved.reduce(0) { $0 + $1 * $1 }
    return (mean, max(0, kernel.signal - explained))
  }

  /// log p(y | points): −½·yᵀ(K + N)⁻¹y − ½·log det(K + N) − n/2·log 2π  (ibid., eq. 5.8).
  package var logMarginalLikelihood: Double {
    var fit = 0.0
    for (value, weight) in zip(values, weights) { fit += value * weight }
    let logDeterminant = factor.diagonal.reduce(0) { $0 + 2 * log($1) }
    return -0.5 * (fit + logDeterminant + Double(values.count) * log(2 * Double.pi))
  }

  /// Derivative of `logMarginalLikelihood` by (log ℓ, log σ_f², log σ_n²), [D + 2]:
  /// ½·tr((wwᵀ − (K + N)⁻¹)·∂K/∂θ)  (ibid., eq. 5.9).
  package func likelihoodGradient(noiseScales: [Double]) -> [Double] {
    let n = values.count
    let kernel = MaternKernel(parameters)
    let inverse = factor.inverse()
    var gradient = [Double](repeating: 0, count: dimension + 2)
    for i in 0..<n {
      for j in 0..<i {
        // Symmetric: the pair counts twice, which cancels the ½.
        let influence = weights[i] * weights[j] - inverse[i * n + j]
        let common = influence * kernel.lengthScaleFactor(points, at: i, points, at: j)
        for d in 0..<dimension {
          let scaled =
            (points[i * dimension + d] - points[j * dimension + d]) * kernel.inverseScales[d]
          gradient[d] += common * scaled * scaled
        }
        gradient[dimension] += influence * kernel.value(points, at: i, points, at: j)
      }
      let influence = weights[i] * weights[i] - inverse[i * n + i]
      gradient[dimension] += 0.5 * influence * kernel.signal
      gradient[dimension + 1] += 0.5 * influence * exp(parameters.logNoise) * noiseScales[i]
    }
    return gradient
  }
}
