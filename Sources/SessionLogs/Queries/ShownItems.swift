import EmbeddedAnalytics
import FusionMDP

/// One shown list with what the user did with it.
package struct ShownRequest: Sendable, Equatable {
  /// The request's user.
  package var userID: String
  /// The state as the service logged it [S].
  package var state: [Float]
  /// Predictions of the items that have usable feedback [l·K], in their shown order.
  package var taskScores: [Float]
  /// Their signals [l·V], in the order of ``ShownItems/signals``.
  package var signals: [Float]
  /// How many items have usable feedback, l.
  package var itemCount: Int
}

/// A log's shown lists with scores and feedback, user by user.
package struct ShownItems {
  /// Names of the signals: those of `FeedbackSignal`, then what else the log declares.
  package let signals: [String]
  /// Items shown in all kept requests.
  package let shownItems: Int
  private let tables: LogTables

  /// Reads a log, which must have passed ``LineValidation``.
  ///
  /// - Parameters:
  ///   - spillFolder: where the engine may put what does not fit into memory.
  /// - Throws: the analytics engine's error.
  package init(
    of log: SessionLogFolder, window: LogWindow = LogWindow(), threads: Int = 2,
    spillFolder: String? = nil
  ) throws {
    let database = try AnalyticsDatabase(
      AnalyticsOptions(threads: threads, temporaryFolder: spillFolder))
    tables = try LogTables(of: log, in: database, window: window, withStates: true)
    signals = tables.signals
    shownItems = Int(
      try database.query("SELECT coalesce(sum(item_count), 0)::BIGINT FROM kept_decisions")
        .singleInteger())
    // Beside `decisions`, line by line: the first line of a request is the one that is kept.
    try database.execute(
      """
      CREATE TABLE task_scores AS SELECT flatten(task_scores) AS task_scores FROM read_json(
        \(SQLText.fileLiterals(log.decisionsPaths)), format = 'newline_delimited',
        compression = 'none', columns = {'task_scores': 'FLOAT[][]'})
      """)
  }

  /// Hands over all requests of one user after another, in the order of users and lines.
  ///
  /// A list item without usable feedback is left out, and so is a request without any.
  /// - Throws: the analytics engine's error, and what `body` throws.
  package func forEachUser(_ body: ([ShownRequest]) throws -> Void) throws {
    let taskCount = tables.log.schema.taskCount
    let values = signals.indices.map { "f.signal_\($0)" }.joined(separator: ", ")
    var requests: [ShownRequest] = []
    var last: Int64?
    try tables.database.forEachChunk(
      """
      SELECT k.id, k.user_id, d.state, s.task_scores, list_position(k.shown, f.item_id) AS place,
        \(values)
      FROM kept_decisions k
      JOIN decisions d ON d.rowid = k.id
      JOIN task_scores s ON s.rowid = k.id
      JOIN judged_feedback f ON f.decision_id = k.id AND f.verdict IS NULL
      ORDER BY k.user_id, k.id, place
      """
    ) { chunk in
      let (ids, users) = (try chunk.int64s("id"), try chunk.strings("user_id"))
      let places = try chunk.int64s("place")
      let (states, stateOffsets) = try chunk.floatLists("state")
      let (scores, scoreOffsets) = try chunk.floatLists("task_scores")
      let columns = try signals.indices.map { try chunk.floats("signal_\($0)") }
      for row in 0..<chunk.rowCount {
        if let previous = requests.last, previous.userID != users[row] {
          try body(requests)
          requests = []
          last = nil
        }
        if last != ids[row] {
          requests.append(
            ShownRequest(
              userID: users[row],
              state: Array(states[stateOffsets[row]..<stateOffsets[row + 1]]), taskScores: [],
              signals: [], itemCount: 0))
          last = ids[row]
        }
        let start = scoreOffsets[row] + (Int(places[row]) - 1) * taskCount
        requests[requests.count - 1].taskScores += scores[start..<start + taskCount]
        requests[requests.count - 1].signals += columns.map { $0[row] }
        requests[requests.count - 1].itemCount += 1
      }
    }
    if !requests.isEmpty { try body(requests) }
  }
}
