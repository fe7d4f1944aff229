import Foundation
import OnlineExperiments
import SeededRandom
import Testing

/// Experiments on users who differ a lot and whose days and plays hang together.
@Suite("Calibration of intervals and p-values over seeded replicates")
struct CoverageTests {
  static let replicates = 400
  static let usersPerArm = 150
  static let days = 5

  /// One experiment; `timeLift` and `rateLift` multiply the second arm's true means.
  static func log(replicate: Int, timeLift: Double = 1, rateLift: Double = 1) -> ExperimentLog {
    var stream = RandomStream(seed: 7, name: "replicates").child("experiment", replicate)
    var users: [AssignedUser] = []
    var activity: [UserDay] = []
    for index in 0..<(2 * usersPerArm) {
      let arm = index % 2
      let level = exp(0.6 * stream.gaussian())  // minutes differ by user …
      let liking = 0.3 * stream.uniform()  // … and so does the taste for hearts
      let visits = 0.4 + 0.6 * stream.uniform()
      let baseline = UserBaseline(
        appMinutesPerDay: 10 * level * visits * exp(0.2 * stream.gaussian()), upiRate: liking)
      users.append(AssignedUser(user: UInt64(index), arm: arm, baseline: baseline))
      for day in 0..<days where stream.uniform() < visits {
        let minutes = 10 * level * (0.5 + stream.uniform()) * (arm == 1 ? timeLift : 1)
        let plays = 1 + stream.index(below: 1 + Int(3 * level))
        let rate = liking * (arm == 1 ? rateLift : 1)
        let positive = (0..<plays).count { _ in stream.uniform() < rate }
        activity.append(
          UserDay(
            user: UInt64(index), day: day, appMinutes: minutes, plays: plays,
            positivePlays: positive))
      }
    }
    return ExperimentLog(
      arms: [ExperimentArm(name: "a", share: 1), ExperimentArm(name: "b", share: 1)],
      users: users, days: 0..<days, activity: activity)
  }

  /// Largest gap between the values' distribution and the uniform one, times √n.
  static func kolmogorov(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let n = Double(sorted.count)
    let gaps = sorted.enumerated().map { index, value in
      max(abs(value - Double(index) / n), abs(Double(index + 1) / n - value))
    }
    return (gaps.max() ?? 0) * n.squareRoot()
  }

  @Test("an A/A test's p-values are uniform", arguments: [false, true])
  func uniformPValues(adjusted: Bool) throws {
    let analysis = ExperimentAnalysis(adjustsForBaseline: adjusted)
    var time: [Double] = []
    var rate: [Double] = []
    for replicate in 0..<Self.replicates {
      let readout = try analysis.readout(of: Self.log(replicate: replicate))
      time.append(try #require(readout.arms[1].adTime.lift).pValue)
      rate.append(try #require(readout.arms[1].upiRate.lift).pValue)
    }
    #expect(Self.kolmogorov(time) < 1.63)  // the 1 % point of Kolmogorov's distribution
    #expect(Self.kolmogorov(rate) < 1.63)
  }

  @Test(
    "a 95 % interval holds the true lift in 90 to 99 % of experiments", arguments: [false, true])
  func coverage(adjusted: Bool) throws {
    let analysis = ExperimentAnalysis(adjustsForBaseline: adjusted)
    var held = [0, 0]
    for replicate in 0..<Self.replicates {
      let log = Self.log(replicate: replicate, timeLift: 1.1, rateLift: 1.25)
      let arm = try analysis.readout(of: log).arms[1]
      for (metric, truth) in [(0, 0.1), (1, 0.25)] {
        let lift = try #require(metric == 0 ? arm.adTime.lift : arm.upiRate.lift)
        let low = try #require(lift.low)
        let high = try #require(lift.high)
        if low <= truth && truth <= high { held[metric] += 1 }
      }
    }
    for count in held {
      let share = Double(count) / Double(Self.replicates)
      #expect(share >= 0.90 && share <= 0.99, "coverage \(share)")
    }
  }

  @Test("a known lift is found as often as its standard error promises")
  func power() throws {
    var found = 0
    var promised = 0.0
    for replicate in 0..<Self.replicates {
      let log = Self.log(replicate: replicate, timeLift: 1.2)
      let readout = try ExperimentAnalysis().readout(of: log)
      let (a, b) = (readout.arms[0].adTime.estimate, readout.arms[1].adTime.estimate)
      if try #require(readout.arms[1].adTime.lift).pValue < 0.05 { found += 1 }
      // True difference: 0.2 times the mean of 10·level·visits = 10·e^0.18·0.7.
      let shift = 0.2 * 7 * exp(0.18) / (a.variance + b.variance).squareRoot()
      promised += NormalDistribution.cumulative(shift - 1.96)
    }
    let power = Double(found) / Double(Self.replicates)
    let expected = promised / Double(Self.replicates)
    let deviation = (expected * (1 - expected) / Double(Self.replicates)).squareRoot()
    #expect(power > 0.3 && power < 0.95, "power \(power)")
    #expect(abs(power - expected) < 4 * deviation, "power \(power), promised \(expected)")
  }

  @Test("the pre-period makes the interval of app time shorter")
  func shorter() throws {
    let log = Self.log(replicate: 0, timeLift: 1.1)
    let plain = try ExperimentAnalysis().readout(of: log).arms[1].adTime.estimate
    let adjusted = try ExperimentAnalysis(adjustsForBaseline: true).readout(of: log)
    #expect(adjusted.arms[1].adTime.estimate.variance < 0.6 * plain.variance)
  }
}
