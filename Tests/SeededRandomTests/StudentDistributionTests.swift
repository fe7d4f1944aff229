import SeededRandom
import Testing

@Suite("Student's distribution")
struct StudentDistributionTests {
  @Test("Student's quantiles equal table values")
  func student() {
    for (degrees, quantile) in [
      (1.0, 12.706204736), (2, 4.302652730), (4, 2.776445105), (10, 2.228138852),
      (1000, 1.962339081),
    ] {
      #expect(
        abs(StudentDistribution.quantile(0.975, degrees: degrees) - quantile) < 1e-7 * quantile)
    }
    #expect(abs(StudentDistribution.quantile(0.05, degrees: 5) + 2.015048373) < 1e-7)
    #expect(abs(StudentDistribution.quantile(0.975, degrees: 1e9) - 1.959963985) < 1e-7)
    #expect(abs(StudentDistribution.cumulative(1, degrees: 1) - 0.75) < 1e-12)
  }
}
