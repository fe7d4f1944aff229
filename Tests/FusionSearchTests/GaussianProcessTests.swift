import Foundation
import FusionSearch
import Testing

/// Numbers of Scripts/oracles/gaussian_process.py stand as literals.
@Suite("Gaussian process")
struct GaussianProcessTests {
  static let points = [-0.5, 0.2, 0.3, -0.7, 0.9, 0.4]
  static let values = [1.0, -0.4, 0.3]
  static let noiseScales = [1.0, 2.0, 0.5]
  static let parameters = KernelParameters(
    logLengthScales: [log(0.8), log(1.5)], logSignal: log(1.7), logNoise: log(0.05))

  static func process(_ parameters: KernelParameters = parameters) throws -> GaussianProcess {
    try GaussianProcess(
      points: points, values: values, noiseScales: noiseScales, parameters: parameters)
  }

  @Test("one observation, worked by hand")
  func onePoint() throws {
    // k = 2 at distance 0, noise 0.5: mean 2/2.5·3 = 2.4, variance 2 − 4/2.5 = 0.4.
    let process = try GaussianProcess(
      points: [0.25], values: [3], noiseScales: [1],
      parameters: KernelParameters(logLengthScales: [0], logSignal: log(2), logNoise: log(0.5)))
    let there = process.posterior(at: [0.25])
    #expect(abs(there.mean - 2.4) < 1e-12)
    #expect(abs(there.variance - 0.4) < 1e-12)
    // At distance 1: k = 2·(1 + √5 + 5/3)·e^(−√5).
    let k = 2 * (1 + 5.0.squareRoot() + 5.0 / 3) * exp(-5.0.squareRoot())
    let away = process.posterior(at: [1.25])
    #expect(abs(away.mean - k / 2.5 * 3) < 1e-12)
    #expect(abs(away.variance - (2 - k * k / 2.5)) < 1e-12)
    // −½·(9/2.5 + log 2.5 + log 2π)
    #expect(
      abs(process.logMarginalLikelihood + 0.5 * (3.6 + log(2.5) + log(2 * Double.pi))) < 1e-12)
  }

  @Test("two outcomes at one point weigh by their precision")
  func precision() throws {
    // Precisions: prior 1, first 1/0.5, second 1/(4·0.5); mean 0.5·3/3.5, variance 1/3.5.
    let process = try GaussianProcess(
      points: [0.1, 0.1], values: [0, 3], noiseScales: [1, 4],
      parameters: KernelParameters(logLengthScales: [0], logSignal: 0, logNoise: log(0.5)))
    let posterior = process.posterior(at: [0.1])
    #expect(abs(posterior.mean - 3.0 / 7) < 1e-12)
    #expect(abs(posterior.variance - 1 / 3.5) < 1e-12)
  }

  @Test("three points of the plane equal the oracle")
  func oracle() throws {
    let process = try Self.process()
    let origin = process.posterior(at: [0, 0])
    #expect(abs(origin.mean - 0.3465261179660172) < 1e-10)
    #expect(abs(origin.variance - 0.3657784978644465) < 1e-10)
    let seen = process.posterior(at: [0.9, 0.4])
    #expect(abs(seen.mean - 0.290727320992311) < 1e-10)
    #expect(abs(seen.variance - 0.024529968924947854) < 1e-10)
    #expect(abs(process.logMarginalLikelihood + 3.981711646369311) < 1e-10)
  }

  @Test("the likelihood's gradient equals central differences")
  func gradient() throws {
    let gradient = try Self.process().likelihoodGradient(noiseScales: Self.noiseScales)
    // Length scales, signal, noise; the oracle's central differences.
    let expected = [
      0.06645707808505819, -0.038336411289918715, -0.8725914338869599, -0.02432502863580765,
    ]
    for (found, wanted) in zip(gradient, expected) { #expect(abs(found - wanted) < 1e-8) }
  }

  @Test("a matrix of rank one is factorised with some jitter, a hopeless one refused")
  func jitter() throws {
    let factor = try CholeskyFactor([1, 1, 1, 1], size: 2)
    #expect(factor.jitter > 0 && factor.jitter < 1e-10)
    #expect(throws: SearchError.notPositiveDefinite(size: 2)) {
      try CholeskyFactor([1, 2, 2, 1], size: 2)
    }
    #expect(throws: SearchError.notPositiveDefinite(size: 1)) {
      try CholeskyFactor([.nan], size: 1)
    }
  }

  @Test("a factor solves and inverts")
  func solve() throws {
    // [[4, 2], [2, 3]]: L = [[2, 0], [1, √2]]; inverse = [[3, −2], [−2, 4]] / 8.
    let factor = try CholeskyFactor([4, 2, 2, 3], size: 2)
    #expect(factor.diagonal == [2, 2.0.squareRoot()])
    for (found, wanted) in zip(factor.inverse(), [0.375, -0.25, -0.25, 0.5]) {
      #expect(abs(found - wanted) < 1e-15)
    }
    for (found, wanted) in zip(factor.solve([8, 16]), [-1, 6]) {
      #expect(abs(found - Double(wanted)) < 1e-14)
    }
    #expect(factor.solveLower([2, 1])[0] == 1)
  }
}
