import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

/// Sessions of users whose mood drifts, encoded as a service would: what `DataChecks` must not object to.
struct CheckedLog {
  static let encoder = StateEncoder(profileNames: ["age", "activity"])
  var sessions: [Trajectory] = []
  /// Signals and list lengths of each transition.
  var signals: [[Float]] = []
  var itemCounts: [Int] = []

  /// What an honest log can be otherwise.
  struct Kind: Sendable, CustomTestStringConvertible {
    var name = "as set"
    var users = 50
    var sessionsPerUser = 5
    /// Deviation of the users' levels; the profile knows each user's.
    var levels = 1.0
    /// The chance of leaving after a request, of a user at level and mood 0.
    var leaving = 0.25
    /// Deviation of the logarithm of a factor on every reward; 1.5 has its 99th percentile at 33.
    var tail = 0.0
    /// Whether features 0 and 1 are the last reward and a quick mean of all rewards before it, both
    /// as of before the request.
    var reactsToLastReward = false

    var testDescription: String { name }
  }

  /// Every user has a level of their own and a mood that goes from request to request
  /// (autocorrelation 0.9); the mood makes consumption and decides when the session ends.
  init(users: Int = 50, sessionsPerUser: Int = 5, seed: UInt64) {
    self.init(Kind(users: users, sessionsPerUser: sessionsPerUser), seed: seed)
  }

  /// A log of the given kind.
  init(_ kind: Kind, seed: UInt64) {
    let (users, sessionsPerUser) = (kind.users, kind.sessionsPerUser)
    var stream = RandomStream(seed: seed, name: "checked-log")
    let exploration = RandomExploration(actionSize: 3)
    for user in 0..<users {
      let level = kind.levels * stream.gaussian()
      var mood = 0.0
      var history = Self.encoder.emptyHistory()
      var hours: Float?
      var (last, recent): (Float, Float) = (0, 0)
      for visit in 0..<sessionsPerUser {
        var context = SessionContext(
          hourOfDay: Float(stream.uniform(in: 0...23.9)), hoursSinceLastSession: hours)
        var session = Trajectory(
          states: [], actions: [], rewards: [], logPropensities: [], end: .terminal,
          startTimeMilliseconds: Int64(visit * users + user) * 60_000,
          userHash: stableHash(UInt64(user), seed: 1))
        repeat {
          let profile = kind.reactsToLastReward ? [last, recent] : [Float(user % 7), Float(level)]
          let state = Self.encoder.encode(
            profile: profile, history: history, session: context,
            at: session.startTimeMilliseconds)
          let decided = exploration.decide(
            PolicyRequests(
              states: state, stateSize: state.count, userHashes: [session.userHash]),
            using: &stream)
          mood = 0.9 * mood + 0.44 * stream.gaussian()
          let responses = (0..<6).map { _ in Self.response(to: level + mood, using: &stream) }
          let sums = UserFeedback.summedSignals(responses)
          for response in responses {
            history.append(
              response, at: session.startTimeMilliseconds, layout: Self.encoder.layout)
          }
          context.record(signals: sums, impressions: 6)
          session.states += state
          session.actions += decided.actions
          last = SatisfactionReward.standard(sums)
          if kind.tail > 0 { last *= Float(exp(kind.tail * stream.gaussian())) }
          recent += (last - recent) / 2
          session.rewards.append(last)
          session.logPropensities? += (decided.logPropensities ?? []).map { Float($0) }
          signals.append(sums)
          itemCounts.append(6)
        } while session.stepCount < 30 && stream.uniform() > kind.leaving - 0.08 * (level + mood)
        sessions.append(session)
        hours = Float(stream.uniform(in: 1...48))
      }
    }
  }

  private static func response(
    to mood: Double, using stream: inout RandomStream
  ) -> UserFeedback {
    func happens(_ logit: Double) -> Bool {
      stream.uniform() < 1 / (1 + exp(-(logit + mood)))
    }
    let seconds = Float(exp(1.8 + 0.5 * mood + stream.gaussian()))
    return UserFeedback(
      playSeconds: seconds, durationSeconds: 20, click: happens(-0.5), longView: seconds > 18,
      like: happens(-4), follow: happens(-6), comment: happens(-6))
  }

  var source: TrajectoryArrays {
    get throws {
      try TrajectoryArrays(
        sessions.sorted { $0.startTimeMilliseconds < $1.startTimeMilliseconds },
        stateSize: Self.encoder.stateSize, actionSize: 3)
    }
  }

  /// The deviation of r_t − m − φ·(r_{t−1} − m), m the mean of the user's rewards.
  var newInRewards: Double {
    var sums: [UInt64: (total: Double, count: Double)] = [:]
    for session in sessions {
      for reward in session.rewards {
        sums[session.userHash, default: (0, 0)].total += Double(reward)
        sums[session.userHash, default: (0, 0)].count += 1
      }
    }
    var pairs: [(before: Double, after: Double)] = []
    for session in sessions {
      let user = sums[session.userHash, default: (0, 1)]
      let centered = session.rewards.map { Double($0) - user.total / user.count }
      pairs += zip(centered, centered.dropFirst()).map { (before: $0, after: $1) }
    }
    let shared = pairs.reduce(0) { $0 + $1.before * $1.after }
    let slope = shared / pairs.reduce(0) { $0 + $1.before * $1.before }
    let squares = pairs.reduce(0.0) { sum, pair in
      let left = pair.after - slope * pair.before
      return sum + left * left
    }
    return (squares / Double(pairs.count)).squareRoot()
  }

  /// The log with the value that `plant` gives in place of feature 0 of each step.
  func planting(_ plant: (_ session: Trajectory, _ step: Int) -> Float) -> CheckedLog {
    var copy = self
    let width = Self.encoder.stateSize
    for m in copy.sessions.indices {
      for t in 0..<sessions[m].stepCount {
        copy.sessions[m].states[t * width] = plant(sessions[m], t)
      }
    }
    return copy
  }

  func findings(_ change: (inout DataChecks.Facts) -> Void = { _ in }) throws -> [DataFinding] {
    var facts = DataChecks.Facts()
    facts.stateNames = Self.encoder.names
    change(&facts)
    return DataChecks.run(on: try source, facts: facts)
  }

  /// Signals as they stand, each changed.
  func signalFacts(
    _ changed: @escaping @Sendable (_ signal: Int, _ value: Float) -> Float = { $1 }
  ) -> DataChecks.Facts.Signals {
    let signals = signals
    return DataChecks.Facts.Signals(
      names: FeedbackSignal.allCases.map(\.rawValue),
      values: { rows in rows.flatMap { signals[$0].enumerated().map { changed($0, $1) } } },
      itemCounts: itemCounts)
  }
}
