import Foundation
import FusionMDP
import RewardFitting
import Testing

@Suite("reward fit")
struct RewardFitTests {
  private static let signals = ["play_minutes", "click", "like"]

  /// The sessions of Scripts/oracles/reward_regression.py.
  private static func oracleSessions() -> [FeedbackSession] {
    (0..<120).map { i in
      let user = i / 10
      var session = FeedbackSession(
        user: user, startMilliseconds: Int64(i % 10) * 86_400_000,
        endMilliseconds: Int64(i % 10) * 86_400_000 + 60_000, impressions: 1 + (i * 3) % 8,
        isTruncated: false,
        signals: [
          Double((i * 13 + 3 * user) % 17) / 4, Double((i * 7) % 11),
          Double((i * 5 + user) % 3),
        ])
      session.nextMinutes = Double((i * 7) % 11) / 2 + Double(user) + Double((i * 29) % 23) / 8
      return session
    }
  }

  private static func configuration() -> RewardFitConfiguration {
    var configuration = RewardFitConfiguration()
    configuration.signals = ["click", "like", "play_minutes"]
    configuration.controls.days = false
    configuration.controls.hoursPerBlock = 0
    configuration.controls.activity = .none
    return configuration
  }

  private static func fit(
    _ sessions: [FeedbackSession], _ configuration: RewardFitConfiguration = configuration()
  ) throws -> RewardFitReport {
    try RewardFit.fit(
      sessions, signals: signals, windowEndMilliseconds: 10_000 * 86_400_000,
      configuration: configuration)
  }

  @Test("slopes, clustered errors and inflation equal NumPy's, pooled and within users")
  func oracle() throws {
    let fit = try #require(try Self.fit(Self.oracleSessions()).outcomes.first)
    let names = ["click", "like", "play_minutes", "log_impressions"]
    for (result, slopes, errors, inflation, rSquared, condition) in [
      (
        fit.pooled,
        [0.0581252146531543, 0.016107676122986983, 0.05540082402037763, 0.06954886276416274],
        [0.009495062489280868, 0.013358944759552249, 0.07552450041642597, 0.04913487648874439],
        [1.018919818871409, 1.0019874601155996, 1.0360185564930862, 1.0328651924511978],
        0.17824708858512117, 1.2217633162165502
      ),
      (
        try #require(fit.within),
        [0.05778977696486493, 0.016788477650609895, 0.06668786851481517, 0.04697677573394849],
        [0.010667455278387201, 0.01377760453009567, 0.048548782390752956, 0.027578530426217288],
        [1.0202683405371633, 1.0020383627444756, 1.0404044543730089, 1.034700617935132],
        0.604082236810606, 1.2329820086991314
      ),
    ] {
      #expect(result.terms.map(\.name) == names)
      for (index, term) in result.terms.enumerated() {
        #expect(abs(term.estimate - slopes[index]) < 1e-12)
        #expect(abs(term.standardError - errors[index]) < 1e-12)
        #expect(abs(term.varianceInflation - inflation[index]) < 1e-10)
      }
      #expect(abs((result.rSquared ?? 0) - rSquared) < 1e-12)
      #expect(abs(result.conditionNumber - condition) < 1e-9)
      #expect(result.rows == 120 && result.clusters == 12)
    }
  }

  @Test("weights keep the coefficients' ratios, spread like the standard reward, and zero is told")
  func weights() throws {
    let sessions = Self.oracleSessions()
    let report = try Self.fit(sessions)
    let click = try #require(report.weights.first { $0.signal == "click" })
    // Only the interval of click excludes zero: it alone spreads as under the standard reward.
    #expect(abs(click.weight - 0.065) < 1e-8 && click.source == .fitted)
    let term = try #require(report.outcomes[0].pooled["click"])
    #expect(abs((click.low ?? 0) - term.low / term.estimate * click.weight) < 1e-12)
    #expect(report.weights.first { $0.signal == "like" }?.source == FittedWeight.Source.zero)
    #expect(report.weights.first { $0.signal == "skip" }?.source == FittedWeight.Source.notFitted)
    #expect(report.weights.count == 13)
    #expect(try report.reward()[.click] == Float(click.weight))
    var standard = Self.configuration()
    standard.uncertainWeight = .standard
    let prior = try Self.fit(sessions, standard).weights.first { $0.signal == "like" }
    #expect(prior?.weight == Double(0.15 as Float))
    #expect(prior?.source == FittedWeight.Source.standard)
  }

  @Test("where a signal of the log alone matters, that is told, and no weight is made of it")
  func ownSignal() throws {
    let sessions = Self.oracleSessions().enumerated().map { i, session in
      var copy = session
      copy.signals[1] = Double((i * 7) % 5)
      copy.nextMinutes = 2 + copy.signals[1] + Double((i * 29) % 23) / 40
      return copy
    }
    var configuration = Self.configuration()
    configuration.signals = ["purchase", "like", "play_minutes"]
    let report = try RewardFit.fit(
      sessions, signals: ["play_minutes", "purchase", "like"],
      windowEndMilliseconds: 10_000 * 86_400_000, configuration: configuration)
    let terms = try #require(report.outcomes.first).pooled.terms
    #expect(terms.filter { !$0.holdsZero }.map(\.name) == ["purchase"])
    #expect(report.weights.isEmpty)
    #expect(
      report.findings.contains(
        "purchase: has a coefficient, but is no signal that a reward can weigh"),
      "\(report.findings)")
    let error = #expect(throws: RewardFitError.self) { try report.reward() }
    #expect(
      error?.description.contains("no signal that a reward can weigh has an interval without 0")
        == true)
  }

  @Test("play time in logarithms weighs its mean marginal effect a minute")
  func marginalEffect() throws {
    // The outcome rises with log(1 + m) and with clicks; m is 0 or 3: mean 1/(1 + m) = 5/8.
    let sessions = (0..<48).map { i in
      var session = FeedbackSession(
        user: i / 4, startMilliseconds: Int64(i % 4) * 86_400_000,
        endMilliseconds: Int64(i % 4) * 86_400_000, impressions: 1, isTruncated: false,
        signals: [i % 2 == 0 ? 0 : 3, Double(i / 2 % 2), 0])
      let noise = Double((i * 7) % 5) / 100
      session.nextMinutes = expm1(
        0.8 * log1p(session.signals[0]) + 0.5 * session.signals[1] + noise)
      return session
    }
    let report = try Self.fit(sessions)
    let pooled = report.outcomes[0].pooled
    let play = try #require(report.weights.first { $0.signal == "play_minutes" })
    let click = try #require(report.weights.first { $0.signal == "click" })
    let ratio = try #require(pooled["play_minutes"]).estimate / #require(pooled["click"]).estimate
    #expect(abs(play.weight / click.weight - ratio * 5 / 8) < 1e-12)
    #expect(pooled.leftOut.contains { $0.name == "like" && $0.reason == "it is constant" })
    #expect(report.findings.contains { $0.contains("like is left out: it is constant") })
  }

  @Test("who the user is shows pooled and is gone within users, and that is told")
  func whoTheUserIs() throws {
    // Half of the users click twice and stay long; within a user nothing follows from a click.
    let sessions = (0..<400).map { i in
      let user = i / 10
      let heavy = user % 2 == 0
      var session = FeedbackSession(
        user: user, startMilliseconds: Int64(i % 10) * 86_400_000,
        endMilliseconds: Int64(i % 10) * 86_400_000, impressions: 1 + i % 3, isTruncated: false,
        signals: [Double((i * 3) % 5), Double(i % 2) + (heavy ? 2 : 0), Double(i % 7 == 0 ? 1 : 0)])
      session.nextMinutes = (heavy ? 9 : 2) + Double((i / 2 * 7) % 10) / 4
      return session
    }
    let report = try Self.fit(sessions)
    let fit = report.outcomes[0]
    #expect(try #require(fit.pooled["click"]).low > 0)
    #expect(try #require(fit.within?["click"]).holdsZero)
    #expect(
      report.findings.contains {
        $0.contains("differ strongly on click") && $0.contains("mostly who the user is")
      })
    var within = Self.configuration()
    within.estimate = .within
    let own = try Self.fit(sessions, within).weights.first { $0.signal == "click" }
    #expect(own?.source != FittedWeight.Source.fitted)
  }

  @Test("sessions whose outcome the log does not fully show are counted and left out")
  func censoring() throws {
    var sessions = Self.oracleSessions()
    sessions[0].isTruncated = true
    sessions[1].nextMinutes = nil
    sessions[2].nextIsTruncated = true
    var configuration = Self.configuration()
    configuration.horizonDays = 2
    // Sessions begin on days 0 … 9 and last a minute: two days after, and the hour in which feedback
    // on the last of them may still arrive, fit for days 0 … 6.
    func fit(windowEndMinutes: Int64) throws -> RewardFitReport {
      try RewardFit.fit(
        sessions, signals: Self.signals, windowEndMilliseconds: windowEndMinutes * 60_000,
        configuration: configuration)
    }
    let report = try fit(windowEndMinutes: 9 * 1440)
    let edge: Int64 = 8 * 1440 + 1 + 60
    #expect(try fit(windowEndMinutes: edge).outcomes[1].leftOut.beyondWindow == 36)
    #expect(try fit(windowEndMinutes: edge - 1).outcomes[1].leftOut.beyondWindow == 48)
    configuration.feedbackDeadlineMinutes = 59
    #expect(try fit(windowEndMinutes: edge - 1).outcomes[1].leftOut.beyondWindow == 36)
    let (next, days) = (report.outcomes[0], report.outcomes[1])
    #expect(next.pooled.rows == 117)
    #expect(next.leftOut.truncated == 1 && next.leftOut.withoutNext == 1)
    #expect(next.leftOut.nextTruncated == 1)
    #expect(days.leftOut.beyondWindow == 36 && days.pooled.rows == 83)
    #expect(report.truncatedSessions == 1)
  }

  @Test("what cannot be fitted is an error that says why")
  func refusals() throws {
    let sessions = Self.oracleSessions()
    #expect(throws: RewardFitError.oneUser(sessions: 10)) {
      try Self.fit(Array(sessions.prefix(10)))
    }
    let last = sessions.map { session in
      var copy = session
      copy.nextMinutes = nil
      return copy
    }
    let error = #expect(throws: RewardFitError.self) { try Self.fit(last) }
    #expect(error?.description.contains("120 without a next session") == true)
    var unknown = Self.configuration()
    unknown.signals = ["share"]
    let named = #expect(throws: RewardFitError.self) { try Self.fit(sessions, unknown) }
    #expect(named?.description.contains("share") == true && named?.isAboutInput == true)
    var rare = Self.configuration()
    rare.leastSessionsPerUser = 11
    #expect(try Self.fit(sessions, rare).outcomes[0].within == nil)
    rare.estimate = .within
    #expect(throws: RewardFitError.self) { try Self.fit(sessions, rare) }
  }
}
