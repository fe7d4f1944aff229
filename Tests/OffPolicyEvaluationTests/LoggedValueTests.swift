import FusionMDP
import OffPolicyEvaluation
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

  @Test("of one user has no interval, of nobody no value")
  func few() throws {
    let data = try sessions([([1], .terminal, 7), ([2], .terminal, 7)])
    let value = try LoggedValue(of: data, discount: 0.5)
    #expect(value.value == 1.5 && value.low == -.infinity && value.high == .infinity)
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
    #expect(difference.low < 0 && difference.high > 0)
  }
}
