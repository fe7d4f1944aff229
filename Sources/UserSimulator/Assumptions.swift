package import FusionMDP

/// What no log tells, each with a name, a default and a switch.
///
/// `Docs/SimulatedPlatform.md` has a line for each. A switch turns one assumption off and leaves
/// every fitted constant as it is; `allOff` is a platform on which policies change what is answered
/// and never how long users stay.
package struct Assumptions: Sendable, Equatable, Codable {
  /// Satisfied users go on: the log odds of leaving fall with running session satisfaction.
  package var satisfactionDrivesStaying = true
  /// How much the log odds of leaving fall a unit of running satisfaction.
  package var stayingSlope = 0.5
  /// Time is limited: what counts toward leaving is the time that a list took, not the list.
  package var timeIsLimited = true
  /// How much the log odds of leaving grow a unit of log(list seconds / usual seconds): 1 is a
  /// hazard by the minute, 0 one by the request.
  package var timeElasticity = 1.0
  /// Satisfied users come back sooner: the gap to the next session shrinks.
  package var satisfactionDrivesReturning = true
  /// How much the log of the gap falls a unit of the last session's satisfaction.
  package var returningSlope = 0.2
  /// How fast running satisfaction follows the latest list: the weight of that list.
  package var satisfactionRate = 0.3

  /// A topic repeated within a session engages and pleases less.
  package var topicSatiation = true
  /// How much engagement log odds fall a unit of log(1 + earlier items of the topic).
  package var satiationLogit = 0.15
  /// How much an item's satisfaction falls a unit of log(1 + earlier items of the topic).
  package var satiationSatisfaction = 0.05

  /// Users tire over a session.
  package var sessionFatigue = true
  /// How much engagement log odds fall in the time of a usual list.
  package var fatigueLogit = 0.01
  /// How much the log odds of leaving grow in the time of a usual list.
  package var fatigueExit = 0.01

  /// Users differ in which feedback expresses satisfaction; off, all have the common weights.
  package var satisfactionTypes = true
  /// The share of a user's satisfaction that is common to all.
  package var commonShare = 0.5
  /// The standard deviation of a user's own log factor on each weight.
  package var individualDeviation = 0.3
  /// The types that users belong to.
  package var types = UserType.standard

  /// A type's characteristic behaviors are more frequent for it, so that history tells of it.
  package var typeExpression = true
  /// By how much the log odds of a characteristic behavior are higher.
  package var expressionLogit = 0.4

  /// Users come by the hours of the day; off, every hour is alike.
  package var hourProfile = true
  /// Users differ in how many sessions a day they have; off, all have the mean.
  package var activitySpread = true
  /// Users differ in how long they stay whatever is shown.
  package var stayingSpread = true
  /// The standard deviation between users of the log odds of leaving.
  package var stayingDeviation = 0.75

  /// All assumptions at their defaults.
  package init() {}

  /// A platform without any of the assumptions.
  package static var allOff: Assumptions {
    var off = Assumptions()
    for assumption in Switch.allCases { off[assumption] = false }
    return off
  }

  /// The assumptions by name.
  package enum Switch: String, CaseIterable, Sendable {
    case satisfactionDrivesStaying = "satisfaction drives staying"
    case timeIsLimited = "time is limited"
    case satisfactionDrivesReturning = "satisfaction drives returning"
    case topicSatiation = "topic satiation"
    case sessionFatigue = "session fatigue"
    case satisfactionTypes = "satisfaction types"
    case typeExpression = "type expression"
    case hourProfile = "hour profile"
    case activitySpread = "activity spread"
    case stayingSpread = "staying spread"
  }

  /// Whether an assumption holds.
  package subscript(assumption: Switch) -> Bool {
    get { self[keyPath: Self.path(of: assumption)] }
    set { self[keyPath: Self.path(of: assumption)] = newValue }
  }

  private static func path(of assumption: Switch) -> WritableKeyPath<Assumptions, Bool> {
    switch assumption {
    case .satisfactionDrivesStaying: \.satisfactionDrivesStaying
    case .timeIsLimited: \.timeIsLimited
    case .satisfactionDrivesReturning: \.satisfactionDrivesReturning
    case .topicSatiation: \.topicSatiation
    case .sessionFatigue: \.sessionFatigue
    case .satisfactionTypes: \.satisfactionTypes
    case .typeExpression: \.typeExpression
    case .hourProfile: \.hourProfile
    case .activitySpread: \.activitySpread
    case .stayingSpread: \.stayingSpread
    }
  }

  /// Checks that numbers are in range.
  ///
  /// - Throws: `PlatformError.setting` for the first that is not.
  func check() throws(PlatformError) {
    let numbers: [(String, Double, ClosedRange<Double>)] = [
      ("stayingSlope", stayingSlope, -10...10), ("timeElasticity", timeElasticity, -2...2),
      ("returningSlope", returningSlope, -10...10),
      ("satisfactionRate", satisfactionRate, 0...1), ("satiationLogit", satiationLogit, -10...10),
      ("satiationSatisfaction", satiationSatisfaction, -10...10),
      ("fatigueLogit", fatigueLogit, -1...1), ("fatigueExit", fatigueExit, -1...1),
      ("commonShare", commonShare, 0...1), ("individualDeviation", individualDeviation, 0...3),
      ("expressionLogit", expressionLogit, -10...10), ("stayingDeviation", stayingDeviation, 0...3),
    ]
    for (name, value, range) in numbers where !range.contains(value) {
      throw .setting(name: name, expected: "a number in \(range)", found: "\(value)")
    }
    for type in types where type.weights.count != FeedbackSignal.count {
      throw .setting(
        name: "weights of type \(type.name)", expected: "\(FeedbackSignal.count) numbers",
        found: "\(type.weights.count)")
    }
    for type in types {
      for (index, weight) in type.weights.enumerated() where !(abs(weight) <= 1000) {
        throw .setting(
          name: "weight \(index) of type \(type.name)", expected: "a number in -1000...1000",
          found: "\(weight)")
      }
      guard (0...1000).contains(type.satiation) else {
        throw .setting(
          name: "satiation of type \(type.name)", expected: "a number in 0...1000",
          found: "\(type.satiation)")
      }
    }
    let shares = types.reduce(0) { $0 + $1.share }
    guard !types.isEmpty, types.allSatisfy({ $0.share >= 0 }), abs(shares - 1) < 1e-9 else {
      throw .setting(
        name: "types", expected: "shares at least 0 that sum to 1", found: "a sum of \(shares)")
    }
  }
}

/// A kind of user: what pleases it, and what it does more often.
package struct UserType: Sendable, Equatable, Codable {
  /// The name in reports.
  package var name: String
  /// The share of users.
  package var share: Double
  /// What each behavior adds to satisfaction a standard deviation of that behavior [V], in the
  /// order of `FeedbackSignal`, with log(1 + play seconds) in the place of play minutes.
  package var weights: [Double]
  /// What the type does more often.
  package var characteristic: [ResponseTask]
  /// By what factor satiation with a topic is stronger.
  package var satiation: Double

  /// A type whose unnamed weights are 0.
  package init(
    name: String, share: Double, weights: [FeedbackSignal: Double],
    characteristic: [ResponseTask], satiation: Double = 1
  ) {
    self.name = name
    self.share = share
    self.weights = FeedbackSignal.allCases.map { weights[$0] ?? 0 }
    self.characteristic = characteristic
    self.satiation = satiation
  }

  /// What pleases everybody: videos that hold one's attention.
  package static let common = UserType(
    name: "common", share: 1,
    weights: [.click: 0.35, .longView: 0.35, .skip: -0.2, .hate: -0.1], characteristic: [])

  /// The default types.
  package static let standard = [
    UserType(
      name: "watcher", share: 0.3, weights: [.playMinutes: 0.7, .longView: 0.3],
      characteristic: [.longView]),
    UserType(
      name: "finisher", share: 0.2, weights: [.finished: 0.6, .playIntegrity: 0.4],
      characteristic: [.finished]),
    UserType(
      name: "social", share: 0.15,
      weights: [
        .like: 0.35, .commentStay: 0.2, .comment: 0.15, .follow: 0.1, .forward: 0.1,
        .profileEnter: 0.1,
      ],
      characteristic: [.like, .comment, .commentStay, .forward]),
    UserType(
      name: "explorer", share: 0.15, weights: [.click: 0.4, .profileEnter: 0.4, .follow: 0.2],
      characteristic: [.profileEnter, .follow], satiation: 2),
    UserType(
      name: "skimmer", share: 0.2, weights: [.click: 0.5, .playMinutes: -0.3, .skip: 0.2],
      characteristic: [.click]),
  ]
}
