import EmbeddedAnalytics

/// Something about a whole log that is allowed and hardly meant: what, how much of the log it
/// touches, and what to do.
public struct LogWarning: Sendable, Equatable, Encodable {
  /// What is implausible.
  public enum Kind: String, Sendable, CaseIterable, Encodable {
    /// Every known log density is 0: a density of 1, written where none was known.
    case propensitiesAllOne = "propensities_all_one"
    /// Every known log density is the same, and not that of uniform actions.
    case propensitiesConstant = "propensities_constant"
    /// Log densities that single-precision actions cannot have, or hardly have.
    case propensitiesTooLarge = "propensities_too_large"
    /// Densities that are too small to be densities on the box.
    case propensitiesTooSmall = "propensities_too_small"
    /// Decisions whose log density is unknown.
    case propensitiesUnknown = "propensities_unknown"
    /// Weights that never vary.
    case actionsConstant = "actions_constant"
    /// A log of one user.
    case oneUser = "one_user"
    /// Play times and durations that are not in the same unit.
    case playTimeUnit = "play_time_unit"
    /// Play times or durations that are not in seconds.
    case secondsUnit = "seconds_unit"
    /// Times long before there were such logs.
    case timeUnit = "time_unit"
    /// A behavior that every feedback event has, or none.
    case behaviorConstant = "behavior_constant"
    /// Feedback that arrives when it happens, always.
    case arrivalNotLogged = "arrival_not_logged"
    /// Sessions of a single request, nearly all of them.
    case singleRequestSessions = "single_request_sessions"
  }

  /// What is implausible.
  public let kind: Kind
  /// How much of the log it touches, 0…1.
  public let share: Double
  /// Of what: `decisions`, `feedback`, `users`, `sessions`.
  public let of: String
  /// What was found, with its numbers.
  public let finding: String
  /// What to do about it.
  public let advice: String
  /// Whether nothing can be learned from such a log.
  let forbidsTraining: Bool

  enum CodingKeys: String, CodingKey { case kind, share, of, finding, advice }
}

/// Looks at a log as a whole for what is allowed and hardly meant.
struct LogPlausibility {
  private let tables: LogTables
  private var warnings: [LogWarning] = []

  /// - Parameter tables: of the log, its sessions cut.
  /// - Returns: the warnings in the order of their kinds.
  static func warnings(_ tables: LogTables) throws -> [LogWarning] {
    var plausibility = LogPlausibility(tables: tables)
    try plausibility.checkPropensities()
    try plausibility.checkActions()
    try plausibility.checkFeedback()
    try plausibility.checkTimesAndUsers()
    let order = LogWarning.Kind.allCases
    return plausibility.warnings.sorted {
      (order.firstIndex(of: $0.kind) ?? 0) < (order.firstIndex(of: $1.kind) ?? 0)
    }
  }

  private init(tables: LogTables) { self.tables = tables }

  private mutating func warn(
    _ kind: LogWarning.Kind, _ share: Double, of what: String, _ finding: String,
    do advice: String, forbidsTraining: Bool = false
  ) {
    warnings.append(
      LogWarning(
        kind: kind, share: share, of: what, finding: finding, advice: advice,
        forbidsTraining: forbidsTraining))
  }

  /// The one row of a query, as numbers by name.
  private func numbers(_ sql: String) throws -> [String: Double] {
    let row = try tables.database.query(sql)
    var found: [String: Double] = [:]
    for name in row.names { found[name] = try row.doubles(name)[0] }
    return found
  }

  // MARK: Propensities

  /// The largest log density a weight that is taken for plausible: narrower than a deviation of
  /// 0.001 in each weight would be larger.
  private static let plausibleLogDensity = 6.0
  /// The logarithm of 2²⁴: a density that is larger a weight says that one `Float` alone is drawn.
  private static let possibleLogDensity = 16.64
  /// The logarithm of a side of the box [−1, 1].
  private static let logSide = 0.6931471805599453

  private mutating func checkPropensities() throws {
    let size = Double(tables.log.schema.actionSize)
    guard size > 0 else { return }
    let volume = "(-log_propensity - \(size * Self.logSide))"
    let row = try numbers(
      """
      SELECT count(*) AS n, count(log_propensity) AS known, min(log_propensity) AS least,
        max(log_propensity) AS most,
        count(*) FILTER (WHERE log_propensity > \(size * Self.plausibleLogDensity)) AS large,
        count(*) FILTER (WHERE log_propensity > \(size * Self.possibleLogDensity)) AS impossible,
        avg(exp(least(\(volume), 700.0))) FILTER (WHERE log_propensity IS NOT NULL) AS inverse,
        stddev_samp(exp(least(\(volume), 300.0)))
          FILTER (WHERE log_propensity IS NOT NULL) AS spread
      FROM decisions
      """)
    let (count, known) = (row["n"] ?? 0, row["known"] ?? 0)
    guard count > 0 else { return }
    if known < count {
      warn(
        .propensitiesUnknown, (count - known) / count, of: "decisions",
        "\(Int(count - known)) of \(Int(count)) decisions have no log density",
        do: "estimators that weight by it need a fitted density of the actions, or leave these "
          + "decisions out; let the service log the density of what it draws")
    }
    guard known > 0, let least = row["least"], let most = row["most"] else { return }
    if least == 0 && most == 0 {
      warn(
        .propensitiesAllOne, known / count, of: "decisions",
        "every known log density is 0, a density of 1",
        do: "write null where the density is unknown; if a probability of 1 was meant, weights "
          + "were not drawn at all and say nothing about others")
      return
    }
    if least == most && known > 20 && abs(least + size * Self.logSide) > 0.001 {
      warn(
        .propensitiesConstant, known / count, of: "decisions",
        "every known log density is \(least); of uniform actions it would be "
          + "\(-size * Self.logSide)",
        do: "check that the density is that of the drawn weights, in the box [−1, 1], and no "
          + "constant")
    }
    if let large = row["large"], large > 0 {
      let impossible = Int(row["impossible"] ?? 0)
      warn(
        .propensitiesTooLarge, large / count, of: "decisions",
        "\(Int(large)) log densities are above \(size * Self.plausibleLogDensity), the largest is "
          + "\(most)"
          + (impossible > 0 ? "; \(impossible) are impossible in single precision" : ""),
        do: "check that it is the natural logarithm of a density a unit of the normalized weights, "
          + "and that weights are drawn and not only rounded")
    }
    try checkInverseDensities(row, known: known, count: count)
  }

  /// Of actions drawn from a density p on the box, 1/p has the mean
  ///
  ///     E[1/p] = volume of where p > 0 ≤ 2^A
  ///
  /// so that a mean far above says that p is too small: halved, of raw weights, or of more weights.
  private mutating func checkInverseDensities(
    _ row: [String: Double], known: Double, count: Double
  ) throws {
    guard known > 30, let inverse = row["inverse"], let spread = row["spread"] else { return }
    let error = spread / known.squareRoot()
    if inverse > 1.05 && inverse - 4 * error > 1 {
      warn(
        .propensitiesTooSmall, known / count, of: "decisions",
        "the mean of 1/density is \(Self.short(inverse)) times the volume of the box (standard "
          + "error \(Self.short(error))); of densities on it, it is at most 1",
        do: "check that the densities are those of the normalized weights (logs convert: of: "
          + "weights or action), and not divided or logarithms to another base")
    }
  }

  // MARK: Actions, feedback, times

  private mutating func checkActions() throws {
    guard tables.log.schema.knows(.action) else { return }
    let names = ActionCoverage.names(tables.log.schema)
    let row = try numbers(
      "SELECT "
        + names.indices.map { "stddev_pop(action[\($0 + 1)]) AS s\($0)" }.joined(separator: ", ")
        + " FROM decisions")
    let constant = names.indices.filter { (row["s\($0)"] ?? .nan) < 1e-6 }.map { names[$0] }
    guard !constant.isEmpty else { return }
    let all = constant.count == names.count
    warn(
      .actionsConstant, 1, of: "decisions",
      all
        ? "no weight ever varies"
        : "these weights never vary: \(constant.joined(separator: ", "))",
      do: all
        ? "nothing can be learned or estimated about other weights: log decisions that explore"
        : "nothing can be learned about other values of these weights: explore them too, or leave "
          + "them out of the action",
      forbidsTraining: all)
  }

  private mutating func checkFeedback() throws {
    let signals = tables.signals
    let behaviors = tables.log.schema.behaviors.compactMap { name in
      signals.firstIndex(of: name).map { (name: name, index: $0) }
    }
    let spans = behaviors.map {
      "min(signal_\($0.index)) AS least_\($0.index), max(signal_\($0.index)) AS most_\($0.index)"
    }.joined(separator: ", ")
    let play = "(signal_0 * 60.0)"
    let row = try numbers(
      """
      SELECT count(*) AS n, count(*) FILTER (WHERE time_ms = arrival_time_ms) AS immediate,
        median(\(play) / duration_seconds) FILTER (WHERE duration_seconds > 0 AND signal_0 > 0)
          AS ratio,
        median(\(play)) FILTER (WHERE signal_0 > 0) AS play,
        median(duration_seconds) FILTER (WHERE duration_seconds > 0) AS duration\
      \(spans.isEmpty ? "" : ", \(spans)")
      FROM judged_feedback WHERE verdict IS NULL
      """)
    guard let count = row["n"], count > 0 else { return }
    if let ratio = row["ratio"], ratio > 20 || ratio < 0.005 {
      warn(
        .playTimeUnit, 1, of: "feedback",
        "half of the played items were played for \(ratio > 1 ? "more" : "less") than "
          + "\(Self.short(ratio)) times their duration",
        do: "check the units: play time and duration are both seconds")
    }
    for (name, value, largest) in [
      ("play time", row["play"] ?? .nan, 3600.0), ("duration", row["duration"] ?? .nan, 21_600.0),
    ] where value > largest || value < 0.05 {
      warn(
        .secondsUnit, 1, of: "feedback", "the median \(name) is \(Self.short(value)) s",
        do: "check the unit: it is seconds, not milliseconds or minutes")
    }
    let constant = behaviors.filter { row["least_\($0.index)"] == row["most_\($0.index)"] }
    if !constant.isEmpty && count > 20 {
      warn(
        .behaviorConstant, 1, of: "feedback",
        "the same in every event: \(constant.map(\.name).joined(separator: ", "))",
        do: "check the column that it was read from; a reward cannot tell decisions apart by it")
    }
    if row["immediate"] == count {
      warn(
        .arrivalNotLogged, 1, of: "feedback", "all feedback arrives in the moment it happens",
        do: "log when the service learned of it, if that is later: states that are computed from "
          + "the log take it for known from then on")
    }
  }

  private mutating func checkTimesAndUsers() throws {
    let row = try numbers(
      """
      SELECT (SELECT count(DISTINCT user_id) FROM decisions) AS users,
        (SELECT count(*) FROM decisions) AS n,
        (SELECT count(*) FROM decisions WHERE time_ms < \(Self.year2000)) AS early,
        (SELECT min(time_ms) FROM decisions) AS first_ms,
        (SELECT count(*) FROM sessions) AS sessions,
        (SELECT count(*) FROM sessions WHERE length = 1) AS single
      """)
    let count = max(row["n"] ?? 0, 1)
    if row["users"] == 1 && count > 1 {
      warn(
        .oneUser, 1, of: "users", "all decisions are of one user",
        do: "check the column of the user; intervals are by user and do not exist for one")
    }
    if let early = row["early"], early > 0 {
      warn(
        .timeUnit, early / count, of: "decisions",
        "\(Int(early)) decisions are from before the year 2000, the first at "
          + "\(Int64(row["first_ms"] ?? 0)) ms",
        do: "check the unit: times are milliseconds since 1970, not seconds")
    }
    if let sessions = row["sessions"], let single = row["single"], sessions > 20,
      single / sessions > 0.8
    {
      warn(
        .singleRequestSessions, single / sessions, of: "sessions",
        "\(Int(single)) of \(Int(sessions)) sessions are one request long",
        do: "little of the long term can be learned from them; check the user's id, the times and "
          + "sessionGapMinutes, and that the log is no sample of requests")
    }
  }

  private static let year2000: Int64 = 946_684_800_000

  private static func short(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == 0 || rounded.magnitude >= 1000 ? "\(Float(value))" : "\(rounded)"
  }
}
