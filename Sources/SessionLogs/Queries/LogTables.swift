package import EmbeddedAnalytics
import FusionMDP

/// What the queries over a log need to know besides the events.
package struct LogWindow: Sendable, Equatable {
  /// A pause longer than this ends a session, in milliseconds.
  package var sessionGapMilliseconds: Int64
  /// Feedback that arrives later than this after its request is late, in milliseconds.
  package var feedbackDeadlineMilliseconds: Int64

  /// A window of these lengths, in minutes; what is longer than any log counts as `longest`.
  package init(sessionGapMinutes: Double = 30, feedbackDeadlineMinutes: Double = 60) {
    precondition(
      sessionGapMinutes > 0 && feedbackDeadlineMinutes > 0,
      "a session gap of \(sessionGapMinutes) and a deadline of \(feedbackDeadlineMinutes) minutes")
    sessionGapMilliseconds = LogWindow.milliseconds(sessionGapMinutes)
    feedbackDeadlineMilliseconds = LogWindow.milliseconds(feedbackDeadlineMinutes)
  }

  /// Longer than the time between any two events of a valid log, and far from overflow.
  package static let longest: Int64 = 4_000_000_000_000_000

  private static func milliseconds(_ minutes: Double) -> Int64 {
    Int64(min(minutes * 60_000, Double(longest)).rounded())
  }
}

/// A log in the analytical database: its events held against each other.
///
/// Tables it makes (`id` is the line's number from 0):
/// * `decisions`: the events, one row a line;
/// * `kept_decisions`: the first line of each request within the window;
/// * `judged_feedback`: every feedback event with its decision and its `verdict`: null if it is
///   used, else the irregularity that keeps it out;
/// * `responses`: per kept decision, how many items have feedback, when the last of it happened,
///   and the signals summed over the shown list (columns `signal_0` …).
package struct LogTables {
  package let database: AnalyticsDatabase
  package let log: SessionLogFolder
  package let window: LogWindow
  /// The signals of `responses`: those of `FeedbackSignal`, then what else the log declares.
  package let signals: [String]
  /// When the log's collection ended, in milliseconds since 1970.
  package private(set) var windowEndMilliseconds: Int64 = 0

  /// Reads the events, which must have passed ``LineValidation``.
  /// - Parameters:
  ///   - withStates: whether `decisions` gets `state`, `action` and `log_propensity`.
  /// - Throws: `AnalyticsError`.
  package init(
    of log: SessionLogFolder, in database: AnalyticsDatabase, window: LogWindow,
    withStates: Bool
  ) throws {
    self.log = log
    self.database = database
    self.window = window
    signals = LogTables.signals(of: log.schema)
    try database.execute(decisionsSQL(withStates: withStates))
    try database.execute(feedbackSQL)
    windowEndMilliseconds = try log.schema.windowEndMilliseconds ?? lastEventTime()
    try database.execute(keptDecisionsSQL)
    try database.execute(judgedFeedbackSQL)
    // All that is needed of it stands in the judged events: a quarter of the memory.
    try database.execute("DROP TABLE feedback")
    try database.execute(repeatsSQL)
    try database.execute(responsesSQL)
  }

  /// The signals of a log: those of `FeedbackSignal`, then what else its schema declares.
  static func signals(of schema: LogSchema) -> [String] {
    let standard = FeedbackSignal.allCases.map(\.rawValue)
    return standard + schema.behaviors.filter { !standard.contains($0) }
  }

  private func lastEventTime() throws -> Int64 {
    try database.query(
      """
      SELECT coalesce(greatest(
        (SELECT max(time_ms) FROM decisions), (SELECT max(time_ms) FROM feedback)), 0)::BIGINT
      """
    ).singleInteger()
  }

  private func reading(_ paths: [String], _ columns: [(name: String, type: String)]) -> String {
    let list = columns.map { "\(SQLText.literal($0.name)): \(SQLText.literal($0.type))" }
      .joined(separator: ", ")
    return """
      read_json(\(SQLText.fileLiterals(paths)), format = 'newline_delimited',
        compression = 'none', columns = {\(list)})
      """
  }

  private func decisionsSQL(withStates: Bool) -> String {
    var columns: [(name: String, type: String)] = [
      ("request_id", "VARCHAR"), ("user_id", "VARCHAR"), ("time_ms", "BIGINT"),
      ("policy_version", "VARCHAR"), ("experiment", "VARCHAR"), ("arm", "VARCHAR"),
      ("action", "FLOAT[]"), ("log_propensity", "DOUBLE"), ("shown", "VARCHAR[]"),
    ]
    if withStates { columns.append(("state", "FLOAT[]")) }
    return "CREATE TABLE decisions AS FROM \(reading(log.decisionsPaths, columns))"
  }

  private var feedbackSQL: String {
    let columns: [(name: String, type: String)] =
      [
        ("request_id", "VARCHAR"), ("user_id", "VARCHAR"), ("item_id", "VARCHAR"),
        ("position", "BIGINT"), ("time_ms", "BIGINT"), ("arrival_time_ms", "BIGINT"),
        ("play_time_seconds", "FLOAT"), ("duration_seconds", "FLOAT"),
      ] + log.schema.behaviors.map { ($0, "FLOAT") }
    return "CREATE TABLE feedback AS FROM \(reading(log.feedbackPaths, columns))"
  }

  private var keptDecisionsSQL: String {
    """
    CREATE TABLE first_decisions AS
      SELECT request_id, min(rowid) AS id, count(*) AS copies FROM decisions GROUP BY request_id;
    CREATE TABLE kept_decisions AS
      SELECT d.rowid AS id, d.request_id, d.user_id, d.time_ms, d.policy_version, d.arm, d.shown,
        len(d.shown) AS item_count
      FROM decisions d JOIN first_decisions f ON d.rowid = f.id
      WHERE d.time_ms <= \(windowEndMilliseconds)
    """
  }

  /// The value of each signal of one feedback event `f`.
  private var signalExpressions: [String] {
    signals.map { name in
      if log.schema.behaviors.contains(name) { return "f.\(SQLText.identifier(name))" }
      return switch FeedbackSignal(rawValue: name) {
      case .playMinutes: "f.play_time_seconds / 60::FLOAT"
      case .playIntegrity:
        """
        CASE WHEN f.duration_seconds > 0
          THEN least(f.play_time_seconds / f.duration_seconds, 1::FLOAT) ELSE 0::FLOAT END
        """
      case .finished: "(\(LogTables.isFinished))::INTEGER::FLOAT"
      case .skip: "(\(LogTables.isSkipped))::INTEGER::FLOAT"
      default: "0::FLOAT"
      }
    }
  }

  private static let isFinished =
    "f.duration_seconds > 0 AND f.play_time_seconds >= f.duration_seconds"
  private static let isSkipped = "f.play_time_seconds < \(UserFeedback.skipSeconds)"

  private func contradiction(of behavior: FeedbackSignal, to expected: String) -> String {
    guard log.schema.behaviors.contains(behavior.rawValue) else { return "false" }
    return "(f.\(SQLText.identifier(behavior.rawValue)) > 0) <> (\(expected))"
  }

  private var judgedFeedbackSQL: String {
    let values = signalExpressions.enumerated()
      .map { "\($0.element) AS signal_\($0.offset)" }.joined(separator: ",\n  ")
    let kinds: [(LogIrregularity, String)] = [
      (.orphanFeedback, "first.id IS NULL"),
      (.decisionAfterWindow, "d.id IS NULL"),
      (.feedbackByOtherUser, "f.user_id <> d.user_id"),
      (.feedbackForItemNotShown, "NOT list_contains(d.shown, f.item_id)"),
      (
        .lateFeedback,
        "f.arrival_time_ms - d.time_ms > \(window.feedbackDeadlineMilliseconds)"
      ),
    ]
    let verdicts = kinds.map { "WHEN \($0.1) THEN '\($0.0.rawValue)'" }.joined(separator: "\n    ")
    return """
      CREATE TABLE judged_feedback AS SELECT f.rowid AS id, d.id AS decision_id, f.item_id,
        f.time_ms, f.arrival_time_ms, f.play_time_seconds, f.duration_seconds,
        CASE
          \(verdicts)
        END AS verdict,
        d.shown[f.position + 1] IS DISTINCT FROM f.item_id AS at_other_position,
        f.time_ms < d.time_ms AS before_decision,
        \(contradiction(of: .finished, to: LogTables.isFinished)) AS odd_finished,
        \(contradiction(of: .skip, to: LogTables.isSkipped)) AS odd_skip,
        \(values)
      FROM feedback f
      LEFT JOIN first_decisions first ON f.request_id = first.request_id
      LEFT JOIN kept_decisions d ON first.id = d.id
      """
  }

  /// Of several usable events for one item of one request the first to arrive is used.
  private var repeatsSQL: String {
    let values = signals.indices.map { "signal_\($0)" }.joined(separator: ", ")
    return """
      CREATE TABLE repeats AS
      WITH repeated AS (
        SELECT decision_id, item_id FROM judged_feedback WHERE verdict IS NULL
        GROUP BY decision_id, item_id HAVING count(*) > 1
      ), ranked AS (
        SELECT id, row_number() OVER arrival AS rank, row(\(values)) AS content,
          first_value(row(\(values))) OVER arrival AS first_content
        FROM judged_feedback SEMI JOIN repeated USING (decision_id, item_id)
        WHERE verdict IS NULL
        WINDOW arrival AS (PARTITION BY decision_id, item_id ORDER BY arrival_time_ms, id)
      )
      SELECT id, CASE WHEN content = first_content
        THEN '\(LogIrregularity.duplicateFeedback.rawValue)'
        ELSE '\(LogIrregularity.conflictingFeedback.rawValue)' END AS verdict
      FROM ranked WHERE rank > 1;
      UPDATE judged_feedback SET verdict = repeats.verdict FROM repeats
        WHERE judged_feedback.id = repeats.id
      """
  }

  private var responsesSQL: String {
    let sums = signals.indices.map { "kahan_sum(signal_\($0))::FLOAT AS signal_\($0)" }
      .joined(separator: ", ")
    return """
      CREATE TABLE responses AS
        SELECT decision_id, count(*) AS items, max(time_ms) AS last_ms, \(sums)
        FROM judged_feedback WHERE verdict IS NULL GROUP BY decision_id
      """
  }
}
