import EmbeddedAnalytics

/// Converts a table of decisions and one of feedback.
struct TableConversion {
  private let mapping: LogMapping
  private let decisions: SourceTable
  private let feedback: SourceTable
  private let decisionMapping: TableMapping
  private let feedbackMapping: TableMapping
  private let requestID: (decisions: FieldSource, feedback: FieldSource)
  private let reader: EventReader

  /// - Throws: `ConversionError.mapping`.
  init(
    _ mapping: LogMapping, decisions: SourceTable, feedback: SourceTable
  ) throws(ConversionError) {
    guard let decisionMapping = mapping.decisions, let feedbackMapping = mapping.feedback,
      let one = decisionMapping.requestID, let other = feedbackMapping.requestID
    else { preconditionFailure("an unchecked mapping") }
    self.mapping = mapping
    self.decisions = decisions
    self.feedback = feedback
    self.decisionMapping = decisionMapping
    self.feedbackMapping = feedbackMapping
    requestID = (one, other)
    reader = try EventReader(mapping)
  }

  func run(_ database: AnalyticsDatabase, into sink: ConversionSink) throws {
    var badDecisions = BadRows()
    try convert(
      decisions, decisionsSQL, repeats: .repeatedDecision,
      named: ("request_id", requestID.decisions), database, into: sink, &badDecisions,
      key: { $0.optionalText(requestID.decisions) }
    ) { row, _ in
      let (event, isTruncated) = try reader.decision(
        row, decisionMapping, requestID: row.text(requestID.decisions, "request_id", "an id"))
      try sink.write(event, isTruncated: isTruncated)
    }
    guard let item = feedbackMapping.itemID else { preconditionFailure("an unchecked mapping") }
    try badDecisions.store(in: database)
    let badRequests = badDecisions.keys
    var badFeedback = BadRows()
    try convert(
      feedback, feedbackSQL, repeats: .repeatedFeedback, named: ("item_id", item), database,
      into: sink, &badFeedback,
      key: { row in
        row.optionalText(requestID.feedback).flatMap { request in
          row.optionalText(item).map { "\(request)\u{1F}\($0)" }
        }
      }
    ) { row, decision in try convertFeedback(row, decision, badRequests, into: sink) }
  }

  /// Whether feedback rows need their decision, for what they do not say themselves.
  private var needsDecision: Bool {
    feedbackMapping.userID == nil || feedbackMapping.position == nil
  }

  /// The columns of a decision that its feedback needs.
  private var joinedColumns: [String] {
    var columns: [String] = []
    if feedbackMapping.userID == nil, let column = decisionMapping.userID?.column {
      columns.append(column)
    }
    if feedbackMapping.position == nil {
      columns += (decisionMapping.shown?.allColumns ?? []).filter { !columns.contains($0) }
    }
    return columns
  }

  /// The decisions with their time and which copy of their request each is.
  /// - Parameter without: a table of rows that are left out.
  private func numberedDecisions(_ columns: String, without: String? = nil) -> String {
    guard let time = decisionMapping.time else { preconditionFailure("an unchecked mapping") }
    return """
      SELECT \(columns), t, q, row_number() OVER (PARTITION BY q ORDER BY t, f, r) AS n
      FROM (SELECT *, \(decisions.time(time)) AS t, \(decisions.text(requestID.decisions)) AS q
        FROM (\(decisions.sql))) \(without.map { "ANTI JOIN \($0) USING (f, r)" } ?? "")
      """
  }

  private var decisionsSQL: String {
    """
    SELECT \(decisions.columnList), n FROM (\(numberedDecisions(decisions.columnList)))
    ORDER BY t, f, r
    """
  }

  private var feedbackSQL: String {
    guard let time = feedbackMapping.arrivalTime ?? feedbackMapping.time,
      let item = feedbackMapping.itemID
    else { preconditionFailure("an unchecked mapping") }
    let request = feedback.text(requestID.feedback)
    let rows = """
      SELECT \(feedback.columnList), t, q,
        row_number() OVER (PARTITION BY q, \(feedback.text(item)) ORDER BY t, f, r) AS n
      FROM (SELECT *, \(feedback.time(time)) AS t, \(request) AS q FROM (\(feedback.sql)))
      """
    guard needsDecision else {
      return "SELECT \(feedback.columnList), n FROM (\(rows)) ORDER BY t, f, r"
    }
    let joined = joinedColumns.enumerated().map { ", \(decisions.name(of: $1)) AS d\($0)" }.joined()
    let names = joinedColumns.indices.map { ", y.d\($0)" }.joined()
    return """
      SELECT \(feedback.columnList), x.n AS n, y.q IS NOT NULL AS known\(names) FROM (\(rows)) x
      LEFT JOIN (
        SELECT q\(joined)
        FROM (\(numberedDecisions(decisions.columnList, without: BadRows.table))) WHERE n = 1
      ) y ON x.q = y.q
      ORDER BY x.t, f, r
      """
  }

  /// Reads the rows of a table in order; bad and repeated ones are counted.
  ///
  /// A copy of bad ones only is no repeat: the first good one counts.
  /// - Parameters:
  ///   - bad: gets the rows that cannot be converted, where the mapping drops such rows.
  ///   - key: what the copies of a row share; nil for a row that is no copy of any.
  ///   - body: gets a row and its decision, if that was joined.
  private func convert(
    _ table: SourceTable, _ sql: String, repeats: ConversionReport.Reason,
    named name: (field: String, source: FieldSource), _ database: AnalyticsDatabase,
    into sink: ConversionSink, _ bad: inout BadRows, key: (SourceRow) -> String?,
    _ body: (SourceRow, SourceRow?) throws -> Void
  ) throws {
    let firstSource = sink.begin(table)
    let joins = table.key == feedback.key && needsDecision
    do {
      try database.forEachChunk(sql) { chunk in
        let rows = try SourceRow.Chunk(chunk, table.columns)
        let decisionRows = joins ? try SourceRow.Chunk(chunk, joinedColumns, prefix: "d") : nil
        let known = joins ? try chunk.bools("known") : []
        let (files, numbers) = (try chunk.int64s("f"), try chunk.int64s("r"))
        let copies = try chunk.int64s("n")
        for index in 0..<chunk.rowCount {
          let source = firstSource + Int(files[index])
          try sink.countRow(source)
          let row = SourceRow(chunk: rows, row: index)
          let isCopy = copies[index] > 1
          do {
            if isCopy, mapping.repeats != .keep, let key = key(row), !bad.keys.contains(key) {
              if mapping.repeats == .drop {
                sink.drop(repeats)
                continue
              }
              throw FieldFailure(
                column: name.source.column, field: name.field,
                expected: "one row (repeats: refuse)",
                found: "“\(row.optionalText(name.source) ?? "")” again")
            }
            let decision = decisionRows.flatMap {
              known[index] ? SourceRow(chunk: $0, row: index) : nil
            }
            try body(row, decision)
            if isCopy, let key = key(row) { bad.keys.remove(key) }
          } catch let failure as FieldFailure {
            sink.fail(failure, source: source, row: Int(numbers[index]))
            if mapping.badRows == .drop {
              sink.drop(.badRow)
              bad.add((files[index], numbers[index]), key(row), isCopy: isCopy)
            }
          }
        }
      }
    } catch let error as AnalyticsError {
      throw SourceTable.readingFailure(error, of: table.files)
    }
  }

  private func convertFeedback(
    _ row: SourceRow, _ decision: SourceRow?, _ badRequests: Set<String>,
    into sink: ConversionSink
  ) throws {
    let request = try row.text(requestID.feedback, "request_id", "an id")
    guard let item = feedbackMapping.itemID else { preconditionFailure("an unchecked mapping") }
    if (needsDecision && decision == nil) || badRequests.contains(request) {
      return sink.drop(.feedbackWithoutDecision)
    }
    var user = ""
    if let source = feedbackMapping.userID {
      user = try row.text(source, "user_id", "an id")
    } else if let decision, let source = decisionMapping.userID {
      user = try decision.text(source, "user_id", "an id")
    }
    var position = 0
    if let source = feedbackMapping.position {
      position = try row.position(source, "position")
    } else if let decision, let shown = decisionMapping.shown {
      let text = try row.text(item, "item_id", "an id")
      guard let place = try decision.strings(shown, "shown").firstIndex(of: text) else {
        return sink.drop(.feedbackForItemNotShown)
      }
      position = place
    }
    try sink.write(
      reader.feedback(
        row, feedbackMapping, requestID: request, userID: user, position: position,
        timeField: feedbackMapping.time, requestTime: 0))
  }
}

/// Rows that cannot be converted and are dropped; they take as much memory as there are of them.
private struct BadRows {
  /// The table that ``store(in:)`` makes.
  static let table = "bad_decisions"

  /// What is known of no good row: all copies so far are bad.
  var keys: Set<String> = []
  private var rows: [(file: Int64, row: Int64)] = []

  mutating func add(_ row: (Int64, Int64), _ key: String?, isCopy: Bool) {
    rows.append(row)
    // An earlier copy that is not among the keys was good.
    if let key, !isCopy { keys.insert(key) }
  }

  /// Puts the rows into a table of the engine: `f`, the file's index, and `r`, the row.
  func store(in database: AnalyticsDatabase) throws {
    try database.execute("CREATE TABLE \(Self.table) (f BIGINT, r BIGINT)")
    for start in stride(from: 0, to: rows.count, by: 1000) {
      let values = rows[start..<min(start + 1000, rows.count)].map { "(\($0.file), \($0.row))" }
      try database.execute("INSERT INTO \(Self.table) VALUES \(values.joined(separator: ", "))")
    }
  }
}
