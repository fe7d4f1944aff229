import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("checks of the data")
struct DataChecksTests {
  private func expectOnly(
    _ findings: [DataFinding], _ check: DataFinding.Check, _ severity: DataFinding.Severity?,
    saying text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      findings.count == 1 && findings.first?.check == check
        && (severity == nil || findings.first?.severity == severity)
        && findings.first?.summary.contains(text) == true,
      "\(findings)", sourceLocation: sourceLocation)
  }

  @Test("honest features of a drifting user are not objected to in any of 60 logs")
  func clean() throws {
    let other = CheckedLog(seed: 0).sessions.flatMap(\.rewards).map(Double.init)
    let mean = other.reduce(0, +) / Double(other.count)
    let square = other.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(other.count)
    for seed in 1...60 {
      let log = CheckedLog(seed: UInt64(seed))
      let findings = try log.findings {
        $0.signals = log.signalFacts()
        $0.references = [
          DataChecks.Facts.RewardReference(
            name: "a log of another seed", mean: mean, deviation: square.squareRoot())
        ]
      }
      #expect(findings.isEmpty, "seed \(seed): \(findings)")
    }
  }

  /// Honest logs of many kinds. The thresholds were set on seeds 1 to 60.
  static let kinds: [CheckedLog.Kind] = [
    .init(), .init(name: "long sessions", leaving: 0.1),
    .init(name: "short sessions", leaving: 0.5),
    .init(name: "30 users", users: 30),
    .init(name: "30 users, 4 sessions", users: 30, sessionsPerUser: 4),
    .init(name: "one session", users: 250, sessionsPerUser: 1),
    .init(name: "one session, levels apart", users: 250, sessionsPerUser: 1, levels: 2),
    .init(name: "two sessions", users: 125, sessionsPerUser: 2),
    .init(name: "levels apart", levels: 2),
    .init(name: "heavy tail", tail: 1), .init(name: "heavier tail", tail: 2),
    .init(name: "reacting", reactsToLastReward: true),
    .init(
      name: "reacting, one session", users: 250, sessionsPerUser: 1, reactsToLastReward: true),
    .init(name: "reacting, heavy tail", tail: 1, reactsToLastReward: true),
  ]
  /// Logs of each kind; more are asked for by `AMALGAM_CHECKED_LOGS`.
  static let logs =
    ProcessInfo.processInfo.environment["AMALGAM_CHECKED_LOGS"].flatMap { UInt64($0) } ?? 15

  @Test(
    "honest features are not objected to in logs of other seeds and of other kinds",
    arguments: kinds)
  func falseAlarms(kind: CheckedLog.Kind) throws {
    for seed in 3001...3000 + Self.logs {
      let found = try CheckedLog(kind, seed: seed).findings().filter { $0.check == .leakage }
      #expect(found.isEmpty, "\(kind.name), seed \(seed): \(found)")
    }
  }

  @Test(
    "a feature that knows its request's reward, or a noisy copy of it, is caught",
    arguments: [0, 0.5, 1] as [Double])
  func plantedReward(noise: Double) throws {
    for seed in 1...10 {
      let log = CheckedLog(seed: UInt64(seed))
      var stream = RandomStream(seed: UInt64(seed), name: "noise")
      // Noise as large as what is new in a reward for whoever knows the user's mean over the whole
      // log and the reward before: honest features know less, so that the copy explains at least
      // half of what they leave.
      let spread = log.newInRewards
      let planted = log.planting { session, t in
        Float(3 * Double(session.rewards[t]) + 3 * noise * spread * stream.gaussian())
      }
      let findings = try planted.findings()
      // A copy under so much noise is at least warned of: ranks and what the past explains leave it
      // little more than the lower threshold in some logs.
      expectOnly(findings, .leakage, noise < 1 ? .error : nil, saying: "'age'")
      #expect(findings[0].summary.contains("its own request's reward"))
      #expect(findings[0].summary.contains("3 times the request's reward") == (noise == 0))
    }
  }

  @Test("a feature that knows the session's length, return, rest or next reward is caught")
  func plantedFuture() throws {
    let plants: [(String, (Trajectory, Int) -> Float)] = [
      ("length", { session, _ in Float(session.stepCount) }),
      ("steps left", { session, t in Float(session.stepCount - t) }),
      ("return", { session, _ in session.rewards.reduce(0, +) }),
      ("return to come", { session, t in session.rewards[t...].reduce(0, +) }),
      ("next", { session, t in t + 1 < session.stepCount ? session.rewards[t + 1] : 0 }),
      ("end", { session, t in t + 1 == session.stepCount ? 1 : 0 }),
    ]
    for (name, plant) in plants {
      for seed in 1...5 {
        let findings = try CheckedLog(seed: UInt64(seed)).planting(plant).findings()
        #expect(
          findings.contains {
            $0.check == .leakage && $0.severity == .error && $0.summary.contains("'age'")
          }, "\(name), seed \(seed): \(findings)")
        #expect(findings.count == 1, "\(name), seed \(seed): \(findings)")
      }
    }
  }

  @Test("where users have one session each, a copy of its length or return is caught")
  func plantedFutureWithoutPast() throws {
    let kind = CheckedLog.Kind(users: 250, sessionsPerUser: 1)
    for seed in 3001...3005 as ClosedRange<UInt64> {
      let log = CheckedLog(kind, seed: seed)
      let length = try log.planting { session, _ in Float(session.stepCount) }.findings()
      expectOnly(length, .leakage, .error, saying: "'age' explains 100 % of its session's length")
      let rest = try log.planting { session, t in session.rewards[t...].reduce(0, +) }.findings()
      expectOnly(rest, .leakage, .error, saying: "'age' explains 100 % of its session's return")
      let left = try log.planting { session, t in Float(session.stepCount - t) }.findings()
      expectOnly(left, .leakage, .error, saying: "'age' explains")
    }
  }

  @Test("session means that include the request itself are caught: off by one")
  func offByOne() throws {
    let findings = try CheckedLog(seed: 3).planting { session, t in
      session.rewards[...t].reduce(0, +) / Float(t + 1)
    }.findings()
    expectOnly(findings, .leakage, .error, saying: "its own request's reward")
    let honest = try CheckedLog(seed: 3).planting { session, t in
      session.rewards[..<t].reduce(0, +) / Float(max(t, 1))
    }.findings()
    #expect(honest.isEmpty, "\(honest)")
  }

  @Test("one user, few users, few sessions and none")
  func sizes() throws {
    let log = CheckedLog(users: 1, sessionsPerUser: 250, seed: 1)
    expectOnly(
      try log.findings(), .users, .error, saying: "all 250 sessions are of one user")
    let few = try CheckedLog(users: 10, sessionsPerUser: 12, seed: 1).findings()
    expectOnly(few, .users, .warning, saying: "of 10 users")
    let short = try CheckedLog(users: 40, sessionsPerUser: 2, seed: 1).findings()
    expectOnly(short, .sessions, .warning, saying: "there are 80 sessions")
    let none = SessionSelection(try log.source, sessions: [])
    expectOnly(DataChecks.run(on: none), .sessions, .error, saying: "no session")
  }

  @Test("actions that do not vary, in one dimension, in all, or between few values")
  func actions() throws {
    func changed(_ change: (Int, Float) -> Float) throws -> [DataFinding] {
      var log = CheckedLog(seed: 2)
      for m in log.sessions.indices {
        log.sessions[m].actions = log.sessions[m].actions.enumerated().map(change)
        log.sessions[m].logPropensities = nil
      }
      return try log.findings { $0.actionNames = ["click", "like", "skip"] }
        .filter { $0.check != .propensities }
    }
    expectOnly(
      try changed { _, _ in 0.25 }, .actionVariation, .error, saying: "none of the 3 weights varies"
    )
    expectOnly(
      try changed { $0 % 3 == 1 ? 0.5 : $1 }, .actionVariation, .warning,
      saying: "1 of 3 weights never vary (deviation below 0.001): 'like'")
    expectOnly(
      try changed { $1 > 0 ? 0.5 : -0.5 }, .actionVariation, .warning, saying: "8 different actions"
    )
  }

  @Test("rewards that are constant or in another unit than the reference's")
  func rewards() throws {
    var log = CheckedLog(seed: 4)
    let reference = DataChecks.Facts.RewardReference(
      name: "the data of version 7", mean: 1.5, deviation: 0.8)
    for m in log.sessions.indices {
      for t in log.sessions[m].rewards.indices { log.sessions[m].rewards[t] *= 60 }
    }
    let scaled = try log.findings { $0.references = [reference] }
    expectOnly(scaled, .units, .error, saying: "in the data of version 7: a factor of")
    let mean = DataChecks.Facts.RewardReference(name: "old data", mean: 1.5, deviation: nil)
    let byMean = try log.findings { $0.references = [mean] }
    expectOnly(byMean, .units, .error, saying: "a request, 1.5 in old data: a factor of")
    let patient = DataChecks.Facts.RewardReference(
      name: "old data", mean: 1.5, deviation: nil, largestFactor: 100)
    #expect(try log.findings { $0.references = [patient] }.isEmpty)
    for m in log.sessions.indices {
      log.sessions[m].rewards = log.sessions[m].rewards.map { _ in 2 }
    }
    expectOnly(try log.findings(), .rewards, .error, saying: "rewards are 2;")
  }

  @Test("signals in seconds, in milliseconds, beyond 1 an item")
  func signals() throws {
    let log = CheckedLog(seed: 5)
    func findings(
      _ changed: @escaping @Sendable (Int, Float) -> Float
    ) throws -> [DataFinding] {
      try log.findings { $0.signals = log.signalFacts(changed) }
    }
    let play = FeedbackSignal.playMinutes.index
    let milliseconds = try findings { $0 == play ? 60_000 * $1 : $1 }
    #expect(milliseconds.contains { $0.check == .units && $0.advice.contains("milliseconds") })
    // Seconds of short videos look like minutes of long ones; lists that were skipped tell.
    let seconds = try findings { signal, value in
      signal == play ? 60 * value : signal == FeedbackSignal.skip.index ? max(value, 6) : value
    }
    expectOnly(seconds, .units, .error, saying: "items were all skipped")
    let unknownLengths = try log.findings {
      $0.signals = log.signalFacts { $0 == play ? 60_000 * $1 : $1 - 1 }
      $0.signals?.itemCounts = nil
    }
    #expect(unknownLengths.contains { $0.summary.contains("'like' lies outside") })
    let integrity = try findings { $0 == FeedbackSignal.playIntegrity.index ? 100 * $1 : $1 }
    expectOnly(integrity, .units, .error, saying: "'play_integrity' lies outside")
    let negative = try findings { $0 == FeedbackSignal.like.index ? $1 - 1 : $1 }
    expectOnly(negative, .units, .error, saying: "'like' lies outside")
  }

  @Test("sessions that stand twice and sessions out of order")
  func order() throws {
    var log = CheckedLog(seed: 6)
    log.sessions += log.sessions[..<5]
    expectOnly(
      try log.findings(), .duplicates, .error, saying: "5 of 255 sessions repeat")
    let source = try CheckedLog(seed: 6).source
    let swapped = SessionSelection(source, sessions: [1, 0] + Array(2..<250))
    expectOnly(
      DataChecks.run(on: swapped), .timeOrder, .warning, saying: "1 of 250 sessions began before")
  }

  @Test("densities that are unknown, all one, halved or no number")
  func propensities() throws {
    func findings(_ change: (Float) -> Float) throws -> [DataFinding] {
      var log = CheckedLog(seed: 8)
      for m in log.sessions.indices {
        log.sessions[m].logPropensities = log.sessions[m].logPropensities?.map(change)
      }
      return try log.findings()
    }
    expectOnly(
      try findings { _ in .nan }, .propensities, .warning, saying: "100.0 % of the transitions")
    expectOnly(try findings { _ in 0 }, .propensities, .error, saying: "every density 1")
    expectOnly(
      try findings { _ in -2 }, .propensities, .warning, saying: "part of volume 7.39")
    expectOnly(
      try findings { $0 - 0.693 }, .propensities, .error, saying: "of the box's volume")
    expectOnly(
      try findings { _ in .infinity }, .propensities, .error, saying: "log density of inf")
  }

  @Test("densities too small to have been drawn, of all transitions or of one")
  func absurdPropensities() throws {
    func findings(_ change: (_ place: Int, Float) -> Float) throws -> [DataFinding] {
      var log = CheckedLog(seed: 8)
      var place = 0
      for m in log.sessions.indices {
        log.sessions[m].logPropensities = log.sessions[m].logPropensities?.map {
          place += 1
          return change(place, $0)
        }
      }
      return try log.findings()
    }
    // Below log(1e-4 / N) − 3·log 2 nats; beyond every number's exponent, and just far off.
    for center in [-800, -100] as [Float] {
      expectOnly(
        try findings { center + 10 * $1 }, .propensities, .error, saying: "logged log densities are"
      )
      expectOnly(
        try findings { $0 == 77 ? center : $1 }, .propensities, .error, saying: "1 of ")
    }
  }
}
