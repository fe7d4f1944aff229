#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The normal distribution in `Double`.
public enum NormalDistribution {
  /// The density of N(0, 1) at x.
  public static func density(_ x: Double) -> Double {
    exp(-0.5 * x * x) * 0.398_942_280_401_432_7
  }

  /// The log density, in nats, of a normal distribution with the given mean and deviation.
  public static func logDensity(_ x: Double, mean: Double = 0, deviation: Double = 1) -> Double {
    let z = (x - mean) / deviation
    // ln √(2π)
    return -0.5 * z * z - log(deviation) - 0.918_938_533_204_672_8
  }

  /// P(X ≤ x) for X ~ N(0, 1); accurate in the lower tail too.
  public static func cumulative(_ x: Double) -> Double {
    0.5 * erfc(-x * 0.707_106_781_186_547_5)
  }

  /// The x with P(X ≤ x) = probability for X ~ N(0, 1); −∞ at 0, ∞ at 1, NaN outside [0, 1].
  ///
  /// Relative error about 10⁻¹⁶. Source: Wichura, "Algorithm AS 241: the percentage points of the
  /// normal distribution", Applied Statistics 37(3), 1988, function PPND16.
  public static func quantile(_ probability: Double) -> Double {
    let q = probability - 0.5
    if abs(q) <= centralReach {
      return centralQuantile(offset: q)
    }
    let tail = q < 0 ? probability : 1 - probability
    guard tail > 0 else {
      return tail == 0 ? (q < 0 ? -.infinity : .infinity) : .nan
    }
    let r = sqrt(-log(tail))
    let x = r <= 5 ? ratio(r - 1.6, shoulder) : ratio(r - 5, far)
    return q < 0 ? -x : x
  }

  /// How far from ½ a probability may be for ``centralQuantile(offset:)``.
  static let centralReach = 0.425

  /// The quantile of a probability ½ + q with |q| ≤ 0.425.
  @inline(__always)
  static func centralQuantile(offset q: Double) -> Double {
    q * ratio(0.180625 - q * q, center)
  }

  /// Coefficients of a ratio of two polynomials of degree 7, the constant terms first.
  private typealias Rational = (over: SIMD8<Double>, under: SIMD8<Double>)

  @inline(__always)
  private static func ratio(_ r: Double, _ c: Rational) -> Double {
    var over = c.over[7]
    var under = c.under[7]
    over = over * r + c.over[6]
    under = under * r + c.under[6]
    over = over * r + c.over[5]
    under = under * r + c.under[5]
    over = over * r + c.over[4]
    under = under * r + c.under[4]
    over = over * r + c.over[3]
    under = under * r + c.under[3]
    over = over * r + c.over[2]
    under = under * r + c.under[2]
    over = over * r + c.over[1]
    under = under * r + c.under[1]
    return (over * r + c.over[0]) / (under * r + c.under[0])
  }

  @inline(__always)
  private static var center: Rational {
    (
      SIMD8(
        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
        1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
        3.3430575583588128105e4, 2.5090809287301226727e3),
      SIMD8(
        1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
        5.2264952788528545610e3)
    )
  }

  private static var shoulder: Rational {
    (
      SIMD8(
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
        3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
        2.27238449892691845833e-2, 7.74545014278341407640e-4),
      SIMD8(
        1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
        1.05075007164441684324e-9)
    )
  }

  private static var far: Rational {
    (
      SIMD8(
        6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
        2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
        2.71155556874348757815e-5, 2.01033439929228813265e-7),
      SIMD8(
        1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
        2.04426310338993978564e-15)
    )
  }
}
