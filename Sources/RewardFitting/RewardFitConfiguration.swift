/// How a reward is fitted.
public struct RewardFitConfiguration: Sendable, Equatable, Codable {
  /// What is regressed on a session's feedback.
  public enum Outcome: String, Sendable, Codable, CaseIterable {
    /// App time of the user's next session.
    case nextSession = "next_session"
    /// App time over the days after the session, zero without any.
    case nextDays = "next_days"
  }

  /// In which unit minutes enter.
  public enum MinutesTransform: String, Sendable, Codable, CaseIterable {
    /// log(1 + minutes)
    case log1p
    /// minutes
    case minutes
  }

  /// Which coefficients become weights.
  public enum Estimate: String, Sendable, Codable, CaseIterable {
    /// Of all sessions together.
    case pooled
    /// Of each user's sessions around that user's means.
    case within
  }

  /// What stands for how active a user was before a session.
  public enum Activity: String, Sendable, Codable, CaseIterable {
    /// log(1 + items shown to the user before the session, in the log).
    case impressions
    /// log(1 + the user's sessions before, in the log).
    case sessions
    /// log(1 + a column of a file).
    case file
    /// Nothing.
    case none
  }

  /// What a signal weighs whose interval holds zero.
  public enum UncertainWeight: String, Sendable, Codable, CaseIterable {
    /// Nothing.
    case zero
    /// What it weighs in the standard reward.
    case standard
  }

  /// What is held constant besides the other signals.
  public struct Controls: Sendable, Equatable, Codable {
    /// Whether log(items shown in the session) is one.
    public var impressions = true
    /// Whether each day has a level of its own.
    public var days = true
    /// Hours of a block of the day with a level of its own, which divide 24; 0: none.
    public var hoursPerBlock = 4
    /// Where days begin: hours ahead of UTC.
    public var hoursAheadOfUTC = 0.0
    /// The user's activity before the session; in the pooled regression only, as it would be a
    /// clock within a user.
    public var activity = Activity.impressions
    /// For `activity: file`: a CSV file with a column `user_id`.
    public var activityFile: String?
    /// For `activity: file`: its column.
    public var activityColumn: String?

    /// The default controls.
    public init() {}

    /// Absent values are written as null, so that a configuration shows every key it has.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(impressions, forKey: .impressions)
      try container.encode(days, forKey: .days)
      try container.encode(hoursPerBlock, forKey: .hoursPerBlock)
      try container.encode(hoursAheadOfUTC, forKey: .hoursAheadOfUTC)
      try container.encode(activity, forKey: .activity)
      try container.encode(activityFile, forKey: .activityFile)
      try container.encode(activityColumn, forKey: .activityColumn)
    }
  }

  /// Which outcome's coefficients become weights; both are fitted.
  public var outcome = Outcome.nextSession
  /// Which coefficients become weights; both are fitted.
  public var estimate = Estimate.pooled
  /// The days of `next_days`.
  public var horizonDays = 3.0
  /// A longer pause ends a session, in minutes.
  public var sessionGapMinutes = 30.0
  /// Feedback that arrives later after its request is late, in minutes.
  public var feedbackDeadlineMinutes = 60.0
  /// How the outcome's minutes enter.
  public var outcomeTransform = MinutesTransform.log1p
  /// How the session's own play minutes enter.
  public var playTransform = MinutesTransform.log1p
  /// The signals regressed on; nil: all of the log.
  public var signals: [String]?
  /// What is held constant.
  public var controls = Controls()
  /// Users with fewer usable sessions are left out of the regression within users.
  public var leastSessionsPerUser = 3
  /// The share of samples whose intervals hold the true value.
  public var confidence = 0.95
  /// A variance inflation factor above this is told.
  public var inflationWarning = 10.0
  /// What a signal weighs whose interval holds zero.
  public var uncertainWeight = UncertainWeight.zero
  /// Threads of the analytics engine; they change no bit of the result.
  public var threads = 2

  /// The default.
  public init() {}

  /// Absent values are written as null, so that a configuration shows every key it has.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(estimate, forKey: .estimate)
    try container.encode(horizonDays, forKey: .horizonDays)
    try container.encode(sessionGapMinutes, forKey: .sessionGapMinutes)
    try container.encode(feedbackDeadlineMinutes, forKey: .feedbackDeadlineMinutes)
    try container.encode(outcomeTransform, forKey: .outcomeTransform)
    try container.encode(playTransform, forKey: .playTransform)
    try container.encode(signals, forKey: .signals)
    try container.encode(controls, forKey: .controls)
    try container.encode(leastSessionsPerUser, forKey: .leastSessionsPerUser)
    try container.encode(confidence, forKey: .confidence)
    try container.encode(inflationWarning, forKey: .inflationWarning)
    try container.encode(uncertainWeight, forKey: .uncertainWeight)
    try container.encode(threads, forKey: .threads)
  }

  /// The horizon in milliseconds.
  var horizonMilliseconds: Int64 { Int64((horizonDays * 86_400_000).rounded()) }

  /// How long feedback may still arrive after its request, in milliseconds.
  var feedbackDeadlineMilliseconds: Int64 {
    Int64((min(feedbackDeadlineMinutes, 1e9) * 60_000).rounded())
  }

  /// Checks every value.
  /// - Throws: `RewardFitError.configuration` naming the field.
  public func validate() throws(RewardFitError) {
    func require(
      _ holds: Bool, _ field: String, _ expected: String, _ found: some Any
    ) throws(RewardFitError) {
      if !holds { throw .configuration(field: field, expected: expected, found: "\(found)") }
    }
    for (field, value) in [
      ("sessionGapMinutes", sessionGapMinutes),
      ("feedbackDeadlineMinutes", feedbackDeadlineMinutes),
    ] {
      try require(value > 0 && value.isFinite, field, "more than 0", value)
    }
    try require(
      horizonDays > 0 && horizonDays <= 3650, "horizonDays", "more than 0, at most 3650",
      horizonDays)
    try require(
      controls.hoursPerBlock == 0
        || (1...24).contains(controls.hoursPerBlock) && 24 % controls.hoursPerBlock == 0,
      "controls.hoursPerBlock", "0 or a divisor of 24", controls.hoursPerBlock)
    try require(
      abs(controls.hoursAheadOfUTC) <= 14, "controls.hoursAheadOfUTC", "−14 to 14",
      controls.hoursAheadOfUTC)
    if controls.activity == .file {
      try require(controls.activityFile != nil, "controls.activityFile", "a file", "null")
      try require(controls.activityColumn != nil, "controls.activityColumn", "a column", "null")
    }
    if let signals {
      try require(!signals.isEmpty, "signals", "at least one signal, or null for all", "[]")
      try require(
        Set(signals).count == signals.count, "signals", "every signal once",
        signals.joined(separator: ", "))
    }
    try require(
      leastSessionsPerUser >= 2, "leastSessionsPerUser", "at least 2", leastSessionsPerUser)
    try require(confidence > 0 && confidence < 1, "confidence", "between 0 and 1", confidence)
    try require(inflationWarning >= 1, "inflationWarning", "at least 1", inflationWarning)
    try require((1...1024).contains(threads), "threads", "1 to 1024", threads)
  }
}
