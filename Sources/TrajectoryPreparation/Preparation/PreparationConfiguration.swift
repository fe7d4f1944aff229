/// How a log becomes trajectories.
public struct PreparationConfiguration: Sendable, Equatable, Codable {
  /// A pause longer than this ends a session, in minutes. A pause of exactly this does not.
  public var sessionGapMinutes: Double
  /// Feedback that arrives later than this after its request is late: counted, and left out. Until
  /// then a request whose list has no full feedback is open, in minutes.
  public var feedbackDeadlineMinutes: Double
  /// The share of sessions, by start time, that goes to the training set (paper: 0.9).
  public var trainFraction: Double
  /// Only sessions that began in these arms (the groups of an exploration); nil: all.
  public var arms: [String]?
  /// Whether to take equally many sessions from each arm, as Mixed Multi-Exploration does (paper,
  /// 3.3): in training set and test set separately, from each arm as many of its first sessions
  /// in time order as the smallest of the arms that occur there has.
  public var balancesArms: Bool
  /// Whether `feedback` gets the signal `play_quantile`, and how; nil: it does not.
  public var playQuantile: PlayQuantileSettings?
  /// A shard file holds at most this many transitions, unless one session is longer.
  public var maximumShardTransitions: Int
  /// Threads of the analytics engine.
  public var threads: Int
  /// Memory of the analytics engine before it spills to the output's folder; nil: its default.
  public var memoryLimitMegabytes: Int?

  /// The paper's constants; the deadline and the sizes are this project's.
  public init(
    sessionGapMinutes: Double = 30, feedbackDeadlineMinutes: Double = 60,
    trainFraction: Double = 0.9, arms: [String]? = nil, balancesArms: Bool = false,
    playQuantile: PlayQuantileSettings? = nil, maximumShardTransitions: Int = 262_144,
    threads: Int = 2, memoryLimitMegabytes: Int? = nil
  ) {
    self.sessionGapMinutes = sessionGapMinutes
    self.feedbackDeadlineMinutes = feedbackDeadlineMinutes
    self.trainFraction = trainFraction
    self.arms = arms
    self.balancesArms = balancesArms
    self.playQuantile = playQuantile
    self.maximumShardTransitions = maximumShardTransitions
    self.threads = threads
    self.memoryLimitMegabytes = memoryLimitMegabytes
  }

  /// Absent values are written as null, so that a configuration shows every key it has.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sessionGapMinutes, forKey: .sessionGapMinutes)
    try container.encode(feedbackDeadlineMinutes, forKey: .feedbackDeadlineMinutes)
    try container.encode(trainFraction, forKey: .trainFraction)
    try container.encode(arms, forKey: .arms)
    try container.encode(balancesArms, forKey: .balancesArms)
    try container.encode(playQuantile, forKey: .playQuantile)
    try container.encode(maximumShardTransitions, forKey: .maximumShardTransitions)
    try container.encode(threads, forKey: .threads)
    try container.encode(memoryLimitMegabytes, forKey: .memoryLimitMegabytes)
  }

  /// Checks every value.
  /// - Throws: `PreparationError.configuration` naming the field.
  func validate() throws(PreparationError) {
    func require(
      _ holds: Bool, _ field: String, _ expected: String, _ found: some Any
    ) throws(PreparationError) {
      if !holds { throw .configuration(field: field, expected: expected, found: "\(found)") }
    }
    try require(
      sessionGapMinutes > 0 && sessionGapMinutes.isFinite, "sessionGapMinutes", "more than 0",
      sessionGapMinutes)
    try require(
      feedbackDeadlineMinutes > 0 && feedbackDeadlineMinutes.isFinite, "feedbackDeadlineMinutes",
      "more than 0", feedbackDeadlineMinutes)
    try require(
      trainFraction > 0 && trainFraction <= 1, "trainFraction", "more than 0, at most 1",
      trainFraction)
    try require(arms?.isEmpty != true, "arms", "at least one arm, or none for all", "[]")
    if let playQuantile {
      let edges = playQuantile.durationEdges
      try require(
        !edges.isEmpty && edges.allSatisfy { $0 > 0 && $0.isFinite }
          && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 },
        "playQuantile.durationEdges", "ascending seconds above 0", edges)
      try require(
        (2...10_000).contains(playQuantile.knots), "playQuantile.knots", "2 to 10000",
        playQuantile.knots)
    }
    try require(
      maximumShardTransitions > 0, "maximumShardTransitions", "at least 1",
      maximumShardTransitions)
    try require((1...1024).contains(threads), "threads", "1 to 1024", threads)
    try require(
      (memoryLimitMegabytes ?? 1) > 0, "memoryLimitMegabytes", "more than 0",
      memoryLimitMegabytes ?? 0)
  }
}

/// Why trajectories could not be prepared or read.
public enum PreparationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A configuration value out of its range.
  case configuration(field: String, expected: String, found: String)
  /// Lines of the log that do not fit its schema; the text names file, line, field, expected and
  /// found of the first of them.
  case invalidLog(String)
  /// A log without any transition.
  case noTransitions(log: String, reason: String)
  /// A folder of trajectories that cannot be used: what, where, expected and found.
  case shards(path: String, String)

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .configuration(let field, let expected, let found):
      "prepare: \(field): \(expected) expected, found \(found)"
    case .invalidLog(let text): text
    case .noTransitions(let log, let reason): "\(log): no transition: \(reason)"
    case .shards(let path, let reason): "\(path): \(reason)"
    }
  }
}
