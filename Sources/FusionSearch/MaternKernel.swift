import Foundation

/// What a Gaussian process assumes about a function, all on a logarithmic scale.
package struct KernelParameters: Sendable, Equatable, Codable {
  /// log ℓ_d: how far one must go along each dimension until the function forgets; [D].
  package var logLengthScales: [Double]
  /// log σ_f²: how much the function varies.
  package var logSignal: Double
  /// log σ_n²: variance of one observation of mean size around the function.
  package var logNoise: Double

  /// The given parameters.
  package init(logLengthScales: [Double], logSignal: Double, logNoise: Double) {
    self.logLengthScales = logLengthScales
    self.logSignal = logSignal
    self.logNoise = logNoise
  }

  /// In order: length scales, signal, noise; [D + 2].
  var flat: [Double] {
    get { logLengthScales + [logSignal, logNoise] }
    set {
      logLengthScales = Array(newValue[0..<(newValue.count - 2)])
      logSignal = newValue[newValue.count - 2]
      logNoise = newValue[newValue.count - 1]
    }
  }
}

/// Matérn 5/2 with one length scale a dimension: twice differentiable sample paths.
///
///     k(x, x') = σ_f²·(1 + √5·r + 5/3·r²)·exp(−√5·r),   r² = Σ_d ((x_d − x'_d)/ℓ_d)²
///
/// (Rasmussen and Williams, "Gaussian Processes for Machine Learning", eq. 4.17.)
struct MaternKernel {
  let signal: Double
  let inverseScales: [Double]

  init(_ parameters: KernelParameters) {
    signal = exp(parameters.logSignal)
    inverseScales = parameters.logLengthScales.map { exp(-$0) }
  }

  private static let root5 = 5.0.squareRoot()

  /// k of two points whose flat storage is given; `at` counts points, not values.
  func value(_ a: [Double], at i: Int, _ b: [Double], at j: Int) -> Double {
    let r = Self.root5 * squaredDistance(a, i, b, j).squareRoot()
    return signal * (1 + r + r * r / 3) * exp(-r)
  }

  /// The common factor of ∂k/∂log ℓ_d = factor · ((x_d − x'_d)/ℓ_d)².
  func lengthScaleFactor(_ a: [Double], at i: Int, _ b: [Double], at j: Int) -> Double {
    let r = Self.root5 * squaredDistance(a, i, b, j).squareRoot()
    return signal * 5 / 3 * (1 + r) * exp(-r)
  }

  private func squaredDistance(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int) -> Double {
    let size = inverseScales.count
    var sum = 0.0
    for d in 0..<size {
      let scaled = (a[i * size + d] - b[j * size + d]) * inverseScales[d]
      sum += scaled * scaled
    }
    return sum
  }
}
