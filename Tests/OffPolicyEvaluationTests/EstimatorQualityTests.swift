import OffPolicyEvaluation
import Testing

@Suite("Quality of estimators")
struct EstimatorQualityTests {
  private func pair(_ truth: Double, _ value: Double, reach: Double = 0) -> EstimatorQuality.Pair {
    EstimatorQuality.Pair(truth: truth, value: value, low: value - reach, high: value + reach)
  }

  @Test("Spearman's correlation with and without ties equals hand-computed values")
  func rankCorrelation() throws {
    #expect(EstimatorQuality.rankCorrelation([1, 2, 3], [10, 20, 15]) == 0.5)
    #expect(EstimatorQuality.rankCorrelation([1, 2, 3], [3, 2, 1]) == -1)
    // Ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3: 4.5 / √(4.5·5).
    let tied = try #require(EstimatorQuality.rankCorrelation([1, 2, 2, 7], [1, 2, 3, 4]))
    #expect(abs(tied - 0.9486832980505138) < 1e-12)
    #expect(EstimatorQuality.rankCorrelation([1, 1, 1], [1, 2, 3]) == nil)
    #expect(EstimatorQuality.rankCorrelation([1], [1]) == nil)
    #expect(EstimatorQuality.rankCorrelation([], []) == nil)
  }

  @Test("error, regret and coverage equal hand-computed values")
  func quality() throws {
    let quality = try #require(
      EstimatorQuality([
        pair(1, 1.5, reach: 0.4), pair(2, 1.9, reach: 0.2), pair(4, 1.8, reach: 2.2),
        pair(3, 2, reach: 0.5),
      ]))
    #expect(abs(quality.absoluteError - (0.5 + 0.1 + 2.2 + 1) / 4) < 1e-12)
    #expect(quality.regretAt1 == 1)  // chooses the policy of value 3, the best is worth 4
    #expect(quality.coverage == 0.5)
    #expect(quality.rankCorrelation == 0.4)  // ranks 0, 2, 1, 3 and 0, 1, 3, 2: 1 − 6·6/(4·15)
    #expect(EstimatorQuality([]) == nil)
  }

  @Test("policies that share the highest estimate share the regret")
  func sharedChoice() throws {
    let quality = try #require(EstimatorQuality([pair(1, 5), pair(3, 5), pair(4, 0)]))
    #expect(quality.regretAt1 == 2)
  }
}
