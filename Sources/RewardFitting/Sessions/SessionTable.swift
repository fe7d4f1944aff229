import DurableFiles
import EmbeddedAnalytics
import FusionMDP
package import SessionLogs

/// The sessions of a log with what came after each, read through the analytics engine.
package struct SessionTable: Sendable {
  /// The sessions, by user and time.
  package let sessions: [FeedbackSession]
  /// The names of the V signals.
  package let signals: [String]
  /// The users' ids, in the order of their numbers.
  package let users: [String]
  /// When the log's collection ended, in milliseconds since 1970.
  package let windowEndMilliseconds: Int64
  /// The signal of app time: play minutes.
  package let playSignal: Int

  /// Reads and cuts a log.
  /// - Throws: `RewardFitError.invalidLog` or `.emptyLog`, or the analytics engine's error.
  package init(
    of log: SessionLogFolder, configuration: RewardFitConfiguration, spillFolder: String? = nil
  ) throws {
    let scan = try LineValidation.scan(log, threads: configuration.threads, findingLimit: 1)
    if let finding = scan.findings.first {
      throw RewardFitError.invalidLog("\(finding) (\(scan.errorCount) bad lines)")
    }
    let database = try AnalyticsDatabase(
      AnalyticsOptions(threads: configuration.threads, temporaryFolder: spillFolder))
    let tables = try LogTables(
      of: log, in: database,
      window: LogWindow(
        sessionGapMinutes: configuration.sessionGapMinutes,
        feedbackDeadlineMinutes: configuration.feedbackDeadlineMinutes),
      withStates: false)
    try tables.cutSessions()
    signals = tables.signals
    windowEndMilliseconds = tables.windowEndMilliseconds
    guard let play = signals.firstIndex(of: FeedbackSignal.playMinutes.rawValue) else {
      preconditionFailure("a log without play minutes among its signals")
    }
    playSignal = play
    var gathering = SessionGathering(
      horizonMilliseconds: configuration.horizonMilliseconds, playSignal: play)
    var users: [String] = []
    try database.forEachChunk(Self.requestsSQL(tables)) { chunk in
      try Self.add(chunk, signalCount: tables.signals.count, &users, &gathering)
    }
    sessions = gathering.finish()
    self.users = users
    guard !sessions.isEmpty else { throw RewardFitError.emptyLog(log.path) }
  }

  /// The requests of the log by user and time, each with its session and summed feedback.
  private static func requestsSQL(_ tables: LogTables) -> String {
    let sums = tables.signals.indices
      .map { "coalesce(r.signal_\($0), 0::FLOAT) AS signal_\($0)" }.joined(separator: ", ")
    return """
      SELECT s.user_id, s.session::BIGINT AS session, s.time_ms, s.active_ms,
        s.item_count::BIGINT AS item_count, x.truncated, \(sums)
      FROM steps s
      JOIN sessions x ON x.user_id = s.user_id AND x.session = s.session
      LEFT JOIN responses r ON r.decision_id = s.id
      ORDER BY s.user_id, s.time_ms, s.id
      """
  }

  private static func add(
    _ chunk: ColumnarResult, signalCount: Int, _ users: inout [String],
    _ gathering: inout SessionGathering
  ) throws {
    let ids = try chunk.strings("user_id")
    let (numbers, times) = (try chunk.int64s("session"), try chunk.int64s("time_ms"))
    let (active, items) = (try chunk.int64s("active_ms"), try chunk.int64s("item_count"))
    let truncated = try chunk.bools("truncated")
    let signals = try (0..<signalCount).map { try chunk.doubles("signal_\($0)") }
    for row in 0..<chunk.rowCount {
      if users.last != ids[row] { users.append(ids[row]) }
      gathering.add(
        SessionGathering.Request(
          user: users.count - 1, session: Int(numbers[row]), timeMilliseconds: times[row],
          activeMilliseconds: active[row], impressions: Int(items[row]),
          isTruncated: truncated[row], signals: signals.map { $0[row] }))
    }
  }
}

/// One number a user from a CSV file.
package enum UserActivity {
  /// Reads `column` of a CSV file (compressed or not) by its column `user_id`.
  ///
  /// - Returns: the number of each of `users`; 0 for those who are not in the file, `missing` of
  ///   them.
  /// - Throws: `RewardFitError.activity` naming the file and what is wrong with it.
  package static func read(
    _ file: String, column: String, users: [String]
  ) throws -> (values: [Double], missing: Int) {
    guard DurableFiles.exists(file) else {
      throw RewardFitError.activity(file: file, "no such file")
    }
    let database = try AnalyticsDatabase(AnalyticsOptions(threads: 1))
    let source = "read_csv(\(SQLText.fileLiteral(file)), header = true, all_varchar = true)"
    do {
      let header = try database.query("SELECT * FROM \(source) LIMIT 0").names
      for name in ["user_id", column] where !header.contains(name) {
        throw RewardFitError.activity(
          file: file, "column “\(name)” expected, found \(header.joined(separator: ", "))")
      }
      let rows = try database.query(
        """
        SELECT user_id, try_cast(\(SQLText.identifier(column)) AS DOUBLE) AS value FROM \(source)
        """)
      let (ids, numbers) = (try rows.strings("user_id"), try rows.doubles("value"))
      var found: [String: Double] = [:]
      for (row, id) in ids.enumerated() {
        guard numbers[row].isFinite, numbers[row] >= 0 else {
          throw RewardFitError.activity(
            file: file, "row \(row + 1), column “\(column)”: a number of at least 0 expected")
        }
        guard found.updateValue(numbers[row], forKey: id) == nil else {
          throw RewardFitError.activity(file: file, "user \(id) stands twice")
        }
      }
      return (users.map { found[$0] ?? 0 }, users.count { found[$0] == nil })
    } catch let error as AnalyticsError {
      throw RewardFitError.activity(file: file, error.message)
    }
  }
}
