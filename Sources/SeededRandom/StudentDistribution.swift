#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Student's t distribution with any positive number of degrees of freedom.
public enum StudentDistribution {
  /// The value below which a share of `probability` lies.
  ///
  /// By bisection of the distribution function; the normal quantile beyond 10⁶ degrees.
  /// - Precondition: probability in (0, 1), degrees > 0.
  public static func quantile(_ probability: Double, degrees: Double) -> Double {
    precondition(
      probability > 0 && probability < 1 && degrees > 0,
      "probability \(probability), \(degrees) degrees")
    guard degrees < 1e6 else { return NormalDistribution.quantile(probability) }
    guard probability >= 0.5 else { return -quantile(1 - probability, degrees: degrees) }
    var low = 0.0
    var high = 1.0
    while cumulative(high, degrees: degrees) < probability { high *= 2 }
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if cumulative(middle, degrees: degrees) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// P(T ≤ t) = 1 − ½·I_{ν/(ν + t²)}(ν/2, ½) for t ≥ 0.
  public static func cumulative(_ t: Double, degrees: Double) -> Double {
    let tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
    return t >= 0 ? 1 - tail : tail
  }

  /// The regularised incomplete beta function I_x(a, b) by Lentz's continued fraction
  /// (Abramowitz and Stegun, 26.5.8).
  private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below (a + 1)/(a + b + 2); mirror the argument above it.
    guard x <= (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
    let front = exp(
      lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    let tiny = 1e-300
    var c = 1.0
    var d = 1 / max(tiny, 1 - (a + b) * x / (a + 1))
    var fraction = d
    for m in 1...300 {
      let k = Double(m)
      let even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
      let odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
      var change = 1.0
      for coefficient in [even, odd] {
        d = 1 + coefficient * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + coefficient / c
        c = abs(c) < tiny ? tiny : c
        change = c * d
        fraction *= change
      }
      if abs(change - 1) < 1e-15 { break }
    }
    return front * fraction / a
  }
}
