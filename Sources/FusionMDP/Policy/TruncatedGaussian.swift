public import SeededRandom

/// A Gaussian cut to [−1, 1] and normalized by what is left of it.
///
///     p(x) = φ((x − m) / σ) / (σ · (Φ((1 − m) / σ) − Φ((−1 − m) / σ))),   |x| ≤ 1
///
/// The mean lies in [−1, 1], so at least a fair part of the mass is left and the density is exact.
public struct TruncatedGaussian: Sendable, Equatable {
  /// The mean before the cut, in [−1, 1].
  public let mean: Double
  /// The standard deviation before the cut, above 0.
  public let deviation: Double
  private let lowerMass: Double
  private let mass: Double

  /// The Gaussian N(mean, deviation²) on [−1, 1].
  public init(mean: Double, deviation: Double) {
    precondition(
      mean >= -1 && mean <= 1 && deviation > 0 && deviation.isFinite,
      "truncated Gaussian with mean \(mean), deviation \(deviation)")
    self.mean = mean
    self.deviation = deviation
    lowerMass = NormalDistribution.cumulative((-1 - mean) / deviation)
    mass = NormalDistribution.cumulative((1 - mean) / deviation) - lowerMass
  }

  /// The log density at `x`, in nats; −∞ outside [−1, 1].
  public func logDensity(_ x: Double) -> Double {
    guard x >= -1, x <= 1 else { return -.infinity }
    return NormalDistribution.logDensity(x, mean: mean, deviation: deviation)
      - naturalLogarithm(mass)
  }

  /// One draw by inverting the distribution function.
  public func sample(using stream: inout RandomStream) -> Double {
    let u = lowerMass + stream.uniform() * mass
    guard u > 0 else { return -1 }
    guard u < 1 else { return 1 }
    return min(max(mean + deviation * NormalDistribution.quantile(u), -1), 1)
  }
}
