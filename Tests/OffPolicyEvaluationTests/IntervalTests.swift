import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Intervals")
struct IntervalTests {
  /// The share of 240 data sets whose interval holds the truth.
  static func coverage(
    fits: Int, sessionsPerUser: Int = 1, userDeviation: Double = 0,
    resampling: FittedQConfiguration.ResamplingUnit = .users
  ) throws -> Double {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    let table = [0, 2, 1]
    let truth = problem.values(of: table)[0...1].reduce(0, +) / 2
    var estimator = TabularTests.linear(problem, fits: fits)
    estimator.ridge = 1e-9
    estimator.configuration.resampling = resampling
    var held = 0
    for replicate in 0..<240 {
      var stream = RandomStream(seed: 17, name: "coverage").child("data", replicate)
      let data = try problem.sessions(
        users: 120 / sessionsPerUser, sessionsPerUser: sessionsPerUser,
        userDeviation: userDeviation, using: &stream)
      let estimate = try estimator.estimate(
        policy: TablePolicy(actions: table), data: data, normalizer: problem.normalizer,
        seed: UInt64(replicate))
      if estimate.low <= truth && truth <= estimate.high { held += 1 }
    }
    return Double(held) / 240
  }

  @Test("averaging the last rounds makes the seed matter less")
  func averaging() throws {
    let problem = TabularProblem(stateCount: 3, seed: 4)
    func spread(_ share: Double) throws -> Double {
      var configuration = ConservatismTests.quick
      configuration.discount = problem.discount
      configuration.averagedShare = share
      let values = try (0..<8).map { seed in
        try FittedQEvaluation(configuration: configuration).estimate(
          policy: TablePolicy(actions: [2, 0, 0]), data: problem.everyTransition(),
          normalizer: problem.normalizer, seed: seed
        ).value
      }
      let mean = values.reduce(0, +) / 8
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    #expect(try spread(0.3) < 0.5 * spread(0))
  }

  @Test("a 95 % interval holds the truth in 90 to 99 % of data sets", arguments: [4, 10])
  func covers(fits: Int) throws {
    let share = try Self.coverage(fits: fits)
    #expect(share >= 0.90 && share <= 0.99, "coverage \(share)")
  }

  @Test("sessions of one user resemble each other, and the interval knows")
  func clustered() throws {
    let users = try Self.coverage(fits: 8, sessionsPerUser: 4, userDeviation: 0.7)
    let sessions = try Self.coverage(
      fits: 8, sessionsPerUser: 4, userDeviation: 0.7, resampling: .sessions)
    #expect(users >= 0.90 && users <= 0.99, "coverage \(users)")
    #expect(sessions < users, "as if independent: \(sessions)")
  }

  @Test("an interval widens by its two sources, and its width gives the effective sample size")
  func width() throws {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    var stream = RandomStream(seed: 1, name: "width")
    let data = try problem.sessions(users: 60, using: &stream)
    let sessions = try EvaluationSessions(
      policy: TablePolicy(actions: [0, 2, 1]), data: data, normalizer: problem.normalizer,
      discount: problem.discount, seed: 1)
    let estimate = try TabularTests.linear(problem, fits: 10).estimate(on: sessions, seed: 1)
    let errors = estimate.standardErrors
    #expect(errors.initialStates > 0 && errors.fits > 0)
    #expect(estimate.high - estimate.value > 1.96 * errors.total)
    #expect(abs(estimate.high + estimate.low - 2 * estimate.value) < 1e-9)
    let size = try #require(estimate.effectiveSampleSize)
    #expect(abs(size * errors.total * errors.total - sessions.loggedReturn.variance) < 1e-9)
  }
}
