import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("The behavior's value")
struct LoggedValueTests {
  /// Sessions of one state with these rewards.
  private func sessions(
    _ rewards: [(rewards: [Float], end: SessionEnd, user: UInt64)]
  ) throws -> TrajectoryArrays {
    try TrajectoryArrays(
      rewards.map { session in
        Trajectory(
          states: session.rewards.map { _ in 0 }, actions: session.rewards.map { _ in 0 },
          rewards: session.rewards, end: session.end,
          finalState: session.end == .truncated ? [0] : nil, userHash: session.user)
      }, stateSize: 1, actionSize: 1)
  }

  @Test("is the mean discounted return of sessions that ended")
  func terminal() throws {
    let data = try sessions([([1, 2], .terminal, 1), ([4], .terminal, 2)])
    let value = try LoggedValue(of: data, discount: 0.5)
    #expect(value.value == 3)  // (1 + 0.5·2 + 4) / 2
    #expect(value.contributions == [2, 4])
    #expect(value.truncatedShare == 0)
    // Two users, deviation of the mean 1, t of one degree of freedom.
    #expect(abs(value.high - 3 - 12.706204736) < 1e-6)
    #expect(try LoggedValue(of: data, sessions: [1], discount: 0.5).value == 4)
  }

  @Test("takes the rest of a cut session to be worth a session")
  func truncated() throws {
    // v = (2 + 1 + v/4) / 2, so v = 3 / 1.75.
    let data = try sessions([([2], .terminal, 1), ([0.5, 1], .truncated, 2)])
    let value = try LoggedValue(of: data, discount: 0.5)
    #expect(abs(value.value - 3 / 1.75) < 1e-12)
    #expect(value.truncatedShare == 0.5)
    let mean = value.contributions.reduce(0, +) / 2
    #expect(abs(mean - value.value) < 1e-12)
  }

  @Test("of sessions that never end is what the same reward is worth for ever")
  func allCut() throws {
    let data = try sessions((0..<6).map { ([1, 1, 1], .truncated, UInt64($0)) })
    let value = try LoggedValue(of: data, discount: 0.9)
    #expect(abs(value.value - 10) < 1e-6)  // 1 / (1 − 0.9)
    #expect(abs(value.high - value.low) < 1e-6)
  }

  @Test(
    "of one user its sessions are compared, of one session there is no interval, of nobody no value"
  )
  func few() throws {
    let data = try sessions([([1], .terminal, 7), ([2], .terminal, 7)])
    let value = try LoggedValue(of: data, discount: 0.5)
    #expect(value.value == 1.5)
    // Two sessions, deviation of the mean ½, t of one degree of freedom.
    #expect(abs(value.high - 1.5 - 12.706204736 / 2) < 1e-6)
    let one = try LoggedValue(of: data, sessions: [1], discount: 0.5)
    #expect(one.value == 2 && one.low == -.infinity && one.high == .infinity)
    #expect(throws: EvaluationError.noSessions) {
      try LoggedValue(of: data, sessions: [], discount: 0.5)
    }
  }

  @Test("an estimate that is the logged return of every session differs from it by 0")
  func difference() throws {
    // One step, so Q is regressed on the rewards themselves; the policy is the logged action.
    let data = try sessions((0..<40).map { ([Float($0 % 4)], .terminal, UInt64($0)) })
    var configuration = FittedQConfiguration()
    configuration.intervalFits = 3
    let sessions = try EvaluationSessions(
      policy: FixedWeightsPolicy(action: [0]), data: data,
      normalizer: .identity(stateSize: 1), discount: 0.95, seed: 1)
    let estimate = try LinearFittedQ(configuration: configuration).estimate(on: sessions, seed: 1)
    let logged = try LoggedValue(of: data, sessions: estimate.parts.sessions, discount: 0.95)
    let difference = estimate.difference(from: logged, on: sessions, configuration: configuration)
    #expect(abs(difference.value) < 1e-4)
    // Policy and behavior move together in every resample, so that nothing is uncertain.
    #expect(difference.high - difference.low < 1e-4, "\(difference)")
  }

  @Test("a policy that is the behavior differs by 0 for certain where the fit is the mean return")
  func exact() throws {
    // Step t of a session is state t, so that Q̂ of a table is the mean rest of the return.
    var stream = RandomStream(seed: 41, name: "exact")
    let data = try TrajectoryArrays(
      (0..<200).map { m in
        Trajectory(
          states: [0, 1, 2], actions: [0, 0, 0],
          rewards: (0..<3).map { _ in Float(1 + stream.gaussian()) }, end: .terminal,
          userHash: UInt64(m / 2))
      }, stateSize: 1, actionSize: 1)
    var estimator = TabularTests.linear(TabularProblem(stateCount: 3, seed: 1), fits: 4)
    estimator.ridge = 1e-9
    let sessions = try EvaluationSessions(
      policy: FixedWeightsPolicy(action: [0]), data: data, normalizer: .identity(stateSize: 1),
      discount: estimator.configuration.discount, seed: 1)
    let estimate = try estimator.estimate(on: sessions, seed: 1)
    let logged = try LoggedValue(
      of: data, sessions: estimate.parts.sessions, discount: estimator.configuration.discount)
    #expect(estimate.high - estimate.low > 0.2)
    #expect(logged.high - logged.low > 0.2)
    let difference = estimate.difference(
      from: logged, on: sessions, configuration: estimator.configuration)
    #expect(abs(difference.value) < 1e-6 && difference.high - difference.low < 1e-6)
  }

  /// Coverage of the paired difference over 200 logs, its mean width, and that of an interval that
  /// counts the policy's refits and the logged returns as independent of each other.
  static func coverage(
    _ policy: any FusionPolicy, value: Double, samples: Int = 1, fits: Int
  ) throws -> (held: Double, width: Double, unpaired: Double) {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    let truth = value - problem.values(of: TabularProblem.behavior)[0...1].reduce(0, +) / 2
    var estimator = TabularTests.linear(problem, fits: fits)
    estimator.ridge = 1e-9
    var held = 0
    var (width, unpaired) = (0.0, 0.0)
    for replicate in 0..<200 {
      var stream = RandomStream(seed: 37, name: "logged").child("data", replicate)
      let data = try problem.loggedSessions(users: 100, using: &stream)
      let sessions = try EvaluationSessions(
        policy: policy, data: data, normalizer: problem.normalizer, discount: problem.discount,
        samples: samples, seed: UInt64(replicate))
      let estimate = try estimator.estimate(on: sessions, seed: UInt64(replicate))
      let logged = try LoggedValue(
        of: data, sessions: estimate.parts.sessions, discount: problem.discount)
      let difference = estimate.difference(
        from: logged, on: sessions, configuration: estimator.configuration)
      if difference.low <= truth && truth <= difference.high { held += 1 }
      width += (difference.high - difference.low) / 200
      unpaired += 2 * unpairedReach(estimate, logged, users: 100) / 200
    }
    return (Double(held) / 200, width, unpaired)
  }

  /// Half the width with the variance of differences of contributions (two sessions a user) plus that
  /// of the refits, by Welch and Satterthwaite.
  private static func unpairedReach(
    _ estimate: PolicyValueEstimate, _ logged: LoggedValue, users: Int
  ) -> Double {
    let differences = zip(estimate.parts.contributions, logged.contributions).map { $0 - $1 }
    let mean = differences.reduce(0, +) / Double(2 * users)
    let sums = (0..<users).map { differences[2 * $0] + differences[2 * $0 + 1] - 2 * mean }
    let (groups, count) = (Double(users), Double(estimate.parts.refits.count))
    let first = sums.reduce(0) { $0 + $1 * $1 } / (4 * groups * (groups - 1))
    let center = estimate.parts.refits.reduce(0, +) / count
    let second =
      estimate.parts.refits.reduce(0) { $0 + ($1 - center) * ($1 - center) } / (count - 1)
    let degrees =
      (first + second) * (first + second)
      / (first * first / (groups - 1) + second * second / (count - 1))
    return StudentDistribution.quantile(0.975, degrees: degrees) * (first + second).squareRoot()
  }

  @Test(
    "a 95 % interval of the difference from the log holds the truth in 90 to 99 % of 200 logs",
    arguments: [4, 10])
  func covers(fits: Int) throws {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    func start(_ values: [Double]) -> Double { values[0...1].reduce(0, +) / 2 }
    var (paired, unpaired) = (0.0, 0.0)
    func check(_ policy: any FusionPolicy, _ name: String, value: Double, samples: Int = 1) throws {
      let found = try Self.coverage(policy, value: value, samples: samples, fits: fits)
      print(
        "difference from the log, \(fits) fits, \(name): held \(found.held), width \(found.width),",
        "as if independent \(found.unpaired)")
      #expect(found.held >= 0.9 && found.held <= 0.99, "\(name): \(found)")
      paired += found.width
      unpaired += found.unpaired
    }
    for table in [[0, 2, 1], [2, 0, 0]] {
      try check(
        TablePolicy(actions: table), "\(table)", value: start(problem.values(of: table)))
    }
    // Four draws a state, so that what the draws differ by is small beside the interval.
    let behavior = TabularProblem.behavior
    try check(
      behavior, "the behavior", value: start(problem.values(of: behavior)), samples: 4)
    #expect(paired < unpaired)
  }
}
