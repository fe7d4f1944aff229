import Foundation
import OnlineExperiments
import SeededRandom
import Testing

@Suite("The split of users, looked at every day")
struct SequentialSampleRatioTests {
  @Test("the Bayes factor of small counts, worked by hand")
  func handComputed() {
    // c = 2, θ = (½, ½): uniform prior. B(3, 1) = ∫p³(1 − p)dp / ½⁴ = (3!·1!/5!)·16 = 0.8.
    var check = SequentialSampleRatio(shares: [5, 5], concentration: 2)
    check.look(at: [3, 1])
    #expect(abs(check.logBayesFactor - log(0.8)) < 1e-12)
    #expect(check.pValue == 1)
    // B(9, 1) = (9!·1!/11!)·2¹⁰ = 1024/110.
    check.look(at: [9, 1])
    #expect(abs(check.pValue - 110.0 / 1024) < 1e-12)
    // The p-value does not rise when the split comes back.
    check.look(at: [9, 9])
    #expect(abs(check.pValue - 110.0 / 1024) < 1e-12 && check.logBayesFactor < 0)
    #expect(check.observed == [9, 9] && check.shares == [0.5, 0.5])
  }

  /// Users who enter on each of 30 days, with the last arm losing a share of its users.
  static func run(
    _ replicate: Int, shares: [Double], lost: Double, daily: Int,
    look: (Int, [Int]) -> Void
  ) {
    var stream = RandomStream(seed: 23, name: "split").child("replicate", replicate)
    var counts = [Int](repeating: 0, count: shares.count)
    for day in 0..<30 {
      for _ in 0..<daily {
        let position = stream.uniform()
        var (arm, sum) = (0, shares[0])
        while position >= sum && arm + 1 < shares.count {
          arm += 1
          sum += shares[arm]
        }
        if arm == shares.count - 1 && lost > 0 && stream.uniform() < lost { continue }
        counts[arm] += 1
      }
      look(day, counts)
    }
  }

  @Test(
    "as promised, it ever falls below 5 % in at most 5 % of experiments, a daily χ² in many more",
    arguments: [[0.5, 0.5], [0.6, 0.3, 0.1]])
  func falseAlarms(shares: [Double]) {
    let replicates = 1000
    let bound = binomialBound(trials: replicates, probability: 0.05)
    let concentrations = [100.0, 1000, 10_000]
    var sequential = concentrations.map { _ in 0 }
    var alarms = sequential
    var daily = 0
    for replicate in 0..<replicates {
      var checks = concentrations.map {
        SequentialSampleRatio(shares: shares, concentration: $0)
      }
      var lowest = 1.0
      Self.run(replicate, shares: shares, lost: 0, daily: 1000) { _, counts in
        for index in checks.indices { checks[index].look(at: counts) }
        lowest = min(lowest, SampleRatioCheck(counts: counts, shares: shares).pValue)
      }
      for (index, check) in checks.enumerated() {
        if check.pValue < 0.05 { sequential[index] += 1 }
        if check.isMismatch { alarms[index] += 1 }
      }
      if lowest < 0.05 { daily += 1 }
    }
    print(
      "split \(shares): of \(replicates), sequential at c \(concentrations): \(sequential) (bound",
      "\(bound)), daily χ² \(daily); alarms at .001: \(alarms)")
    #expect(daily > 3 * bound)
    for (count, alarm) in zip(sequential, alarms) {
      #expect(count <= bound)
      #expect(alarm <= binomialBound(trials: replicates, probability: 0.001))
    }
  }

  @Test(
    "lost users are found within the month", arguments: [(0.1, 1000), (0.05, 2000)])
  func found(lost: Double, daily: Int) {
    let replicates = 200
    var days: [Int] = []
    for replicate in 0..<replicates {
      var check = SequentialSampleRatio(shares: [0.5, 0.5])
      var first: Int?
      Self.run(replicate, shares: [0.5, 0.5], lost: lost, daily: daily) { day, counts in
        check.look(at: counts)
        if check.isMismatch && first == nil { first = day + 1 }
      }
      days.append(first ?? 31)
    }
    days.sort()
    let found = days.count { $0 <= 30 }
    print(
      "\(lost) of an arm lost, \(daily) users a day: found in \(found) of \(replicates), median day",
      days[replicates / 2])
    #expect(found > replicates * 9 / 10)
  }
}
