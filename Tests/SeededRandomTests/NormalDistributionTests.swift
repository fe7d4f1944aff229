import SeededRandom
import Testing

@Suite("normal distribution")
struct NormalDistributionTests {
  @Test("quantiles match published values to 10⁻⁹ and are antisymmetric")
  func quantiles() {
    let known: [(Double, Double)] = [
      (0.5, 0), (0.75, 0.674_489_750_196_081_7), (0.9, 1.281_551_565_544_600_5),
      (0.975, 1.959_963_984_540_054), (0.999, 3.090_232_306_167_813_5),
      (1e-6, -4.753_424_308_822_899), (1e-10, -6.361_340_902_404_056),
      (1e-16, -8.222_082_216_130_435), (1e-300, -37.047_096_299_361_2),
    ]
    for (probability, quantile) in known {
      #expect(abs(NormalDistribution.quantile(probability) - quantile) < 1e-9)
    }
    for probability in [0.001, 0.06, 0.075, 0.3, 0.49] {
      let low = NormalDistribution.quantile(probability)
      #expect(abs(low + NormalDistribution.quantile(1 - probability)) < 1e-9)
    }
  }

  @Test("the quantile inverts the cumulative function across its three branches")
  func inverse() {
    for step in -80...40 {
      let x = Double(step) / 10
      let back = NormalDistribution.quantile(NormalDistribution.cumulative(x))
      #expect(abs(back - x) < 1e-9 * max(1, abs(x)) + (x > 0 ? 1e-12 / density(x) : 0), "\(x)")
    }
  }

  @Test("the quantile is infinite at 0 and 1, and NaN where there is no probability")
  func edges() {
    #expect(NormalDistribution.quantile(0) == -.infinity)
    #expect(NormalDistribution.quantile(1) == .infinity)
    #expect(NormalDistribution.quantile(-0.1).isNaN)
    #expect(NormalDistribution.quantile(1.1).isNaN)
    #expect(NormalDistribution.quantile(.nan).isNaN)
  }

  @Test("densities and cumulative values match published ones")
  func densities() {
    #expect(abs(density(0) - 0.398_942_280_401_432_7) < 1e-15)
    #expect(abs(density(1) - 0.241_970_724_519_143_4) < 1e-15)
    #expect(abs(NormalDistribution.cumulative(1) - 0.841_344_746_068_542_9) < 1e-15)
    #expect(abs(NormalDistribution.cumulative(-5) / 2.866_515_718_791_945e-7 - 1) < 1e-13)
    // N(3; 1, 2²): z = 1, ln(0.24197…/2)
    let logDensity = NormalDistribution.logDensity(3, mean: 1, deviation: 2)
    #expect(abs(logDensity - -2.112_085_713_764_618) < 1e-14)
  }

  private func density(_ x: Double) -> Double { NormalDistribution.density(x) }
}
