import OnlineExperiments
import SeededRandom
import Testing

@Suite("Hashed assignment")
struct AssignmentTests {
  static let arms = [
    ExperimentArm(name: "reference", share: 2), ExperimentArm(name: "batch-rl", share: 1),
    ExperimentArm(name: "cloning", share: 1),
  ]

  @Test("a user keeps the arm, whoever asks")
  func stable() throws {
    let first = try ExperimentAssignment(experiment: "fusion-1", arms: Self.arms)
    let second = try ExperimentAssignment(experiment: "fusion-1", arms: Self.arms)
    for user in 0..<1000 {
      let hash = UInt64(user)
      #expect(first.arm(of: hash) == second.arm(of: hash))
      #expect((0..<3).contains(first.arm(of: hash)))
    }
  }

  @Test("shares 2:1:1 are met to within chance")
  func shares() throws {
    let assignment = try ExperimentAssignment(experiment: "fusion-1", arms: Self.arms)
    var counts = [0, 0, 0]
    for user in 0..<40_000 { counts[assignment.arm(of: UInt64(user))] += 1 }
    let check = SampleRatioCheck(counts: counts, shares: [2, 1, 1])
    #expect(check.expected == [20_000, 10_000, 10_000])
    #expect(!check.isMismatch)
  }

  @Test("two experiments split the users independently")
  func independent() throws {
    let arms = [ExperimentArm(name: "a", share: 1), ExperimentArm(name: "b", share: 1)]
    let one = try ExperimentAssignment(experiment: "one", arms: arms)
    let two = try ExperimentAssignment(experiment: "two", arms: arms)
    var cells = [0, 0, 0, 0]
    for user in 0..<40_000 {
      cells[2 * one.arm(of: UInt64(user)) + two.arm(of: UInt64(user))] += 1
    }
    #expect(!SampleRatioCheck(counts: cells, shares: [1, 1, 1, 1]).isMismatch)
  }

  @Test("an arm without a share, a name twice and a lone arm are refused")
  func refused() {
    #expect(throws: ExperimentError.tooFewArms(experiment: "x", found: 1)) {
      try ExperimentAssignment(experiment: "x", arms: [ExperimentArm(name: "a", share: 1)])
    }
    #expect(
      throws: ExperimentError.invalidArm(experiment: "x", index: 1, name: "a", share: 1)
    ) {
      try ExperimentAssignment(
        experiment: "x",
        arms: [ExperimentArm(name: "a", share: 1), ExperimentArm(name: "a", share: 1)])
    }
    #expect(
      throws: ExperimentError.invalidArm(experiment: "x", index: 0, name: "a", share: 0)
    ) {
      try ExperimentAssignment(
        experiment: "x",
        arms: [ExperimentArm(name: "a", share: 0), ExperimentArm(name: "b", share: 1)])
    }
  }
}

@Suite("Sample ratio")
struct SampleRatioTests {
  @Test("the upper tail of chi-square equals table values")
  func tail() {
    // 5 % points of 1 … 5 degrees, and a 0.1 % point.
    for (x, degrees, p) in [
      (3.841458820694124, 1, 0.05), (5.991464547107979, 2, 0.05), (7.814727903251179, 3, 0.05),
      (9.487729036781154, 4, 0.05), (11.070497693516351, 5, 0.05),
      (10.827566170662733, 1, 0.001),
    ] {
      #expect(abs(ChiSquareDistribution.upperTail(x, degrees: degrees) - p) < 1e-12)
    }
    #expect(ChiSquareDistribution.upperTail(0, degrees: 3) == 1)
  }

  @Test("a lost hundredth of an arm is found")
  func mismatch() {
    // (10000 − 10250)²/10250 + (10500 − 10250)²/10250 = 12.195…
    let check = SampleRatioCheck(counts: [10_000, 10_500], shares: [1, 1])
    #expect(abs(check.statistic - 12.195121951219512) < 1e-9)
    #expect(check.isMismatch)
    #expect(!SampleRatioCheck(counts: [10_000, 10_100], shares: [1, 1]).isMismatch)
  }
}
