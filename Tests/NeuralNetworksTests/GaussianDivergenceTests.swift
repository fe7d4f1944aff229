import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Gaussian divergence")
struct GaussianDivergenceTests {
  /// ∫ p·log(p/q) over μ ± 12σ by Simpson's rule with 4,000 intervals.
  private func integral(mean: Double, logDeviation: Double) -> Double {
    let sigma = exp(logDeviation)
    func logDensity(_ x: Double, _ mu: Double, _ s: Double) -> Double {
      -0.5 * ((x - mu) / s) * ((x - mu) / s) - log(s) - 0.5 * log(2 * Double.pi)
    }
    func integrand(_ x: Double) -> Double {
      let own = logDensity(x, mean, sigma)
      return exp(own) * (own - logDensity(x, 0, 1))
    }
    let (low, count) = (mean - 12 * sigma, 4_000)
    let width = 24 * sigma / Double(count)
    var sum = integrand(low) + integrand(low + 24 * sigma)
    for i in 1..<count { sum += integrand(low + Double(i) * width) * (i % 2 == 1 ? 4 : 2) }
    return sum * width / 3
  }

  @Test(
    "the closed form equals numeric integration of its definition",
    arguments: [(0, 0), (1.5, 0), (0, -2), (-0.7, 1.2), (3, -3.9), (0.1, 2.5)])
  func closedForm(mean: Double, logDeviation: Double) {
    let result = GaussianDivergence.fromStandardNormal(
      mean: Matrix(rows: 1, columns: 1, values: [Float(mean)]),
      logDeviation: Matrix(rows: 1, columns: 1, values: [Float(logDeviation)]))
    let expected = integral(mean: mean, logDeviation: logDeviation)
    #expect(abs(result.value - expected) <= 1e-6 * max(1, expected))
  }

  @Test("it is a sum over columns and a mean over rows, zero for the standard normal")
  func reduction() {
    let one = GaussianDivergence.fromStandardNormal(
      mean: Matrix(rows: 2, columns: 3, values: [1, 0, 2, 0, 0, 0]),
      logDeviation: Matrix(rows: 2, columns: 3))
    #expect(one.value == 1.25)  // (½·1 + ½·4) / 2
    #expect(one.meanGradient.values == [0.5, 0, 1, 0, 0, 0])
    #expect(one.logDeviationGradient.values.allSatisfy { $0 == 0 })
  }

  @Test("its gradients equal central differences")
  func gradientCheck() {
    var stream = RandomStream(seed: 1, name: "divergence")
    let (mean, logDeviation) = (gaussianMatrix(3, 5, &stream), gaussianMatrix(3, 5, &stream))
    let result = GaussianDivergence.fromStandardNormal(mean: mean, logDeviation: logDeviation)
    func reference(_ mean: [Double], _ logDeviation: [Double]) -> Double {
      var sum = 0.0
      for (mu, s) in zip(mean, logDeviation) { sum += 0.5 * (mu * mu + exp(2 * s) - 1) - s }
      return sum / 3
    }
    let (m, s) = (doubles(mean.values), doubles(logDeviation.values))
    #expect(abs(result.value - reference(m, s)) < 1e-5)
    expectClose(result.meanGradient.values, centralDifference(at: m) { reference($0, s) })
    expectClose(
      result.logDeviationGradient.values, centralDifference(at: s) { reference(m, $0) })
  }
}
