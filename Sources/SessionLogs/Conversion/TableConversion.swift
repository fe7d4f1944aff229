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
    try convert(
      decisions, decisionsSQL, repeats: .repeatedDecision,
      named: ("request_id", requestID.decisions), database, into: sink
    ) { row, _ in
      try sink.write(
        reader.decision(
          row, decisionMapping,
          requestID: row.text(requestID.decisions, "request_id", "an id")))
    }
    guard let item = feedbackMapping.itemID else { preconditionFailure("an unchecked mapping") }
    try convert(
      feedback, feedbackSQL, repeats: .repeatedFeedback, named: ("item_id", item), database,
      into: sink
    ) { row, decision in try convertFeedback(row, decision, into: sink) }
  }

  /// Whether feedback rows need their decision, for what they do not say themselves.
  private var needsDecision: Bool {
    feedbackMapping.userID == nil || feedbackMapping.position == nil
  }

  private var decisionsSQL: String {
    guard let time = decisionMapping.time else { preconditionFailure("an unchecked mapping") }
    return """
      SELECT \(decisions.columnList), n FROM (
        SELECT *, row_number() OVER (PARTITION BY \(decisions.text(requestID.decisions))
          ORDER BY t, f, r) AS n
        FROM (SELECT *, \(decisions.time(time)) AS t FROM (\(decisions.sql))))
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
    let joined = decisions.columns.indices.map { "c\($0) AS d\($0)" }.joined(separator: ", ")
    let names = decisions.columns.indices.map { "d\($0)" }.joined(separator: ", ")
    return """
      SELECT \(feedback.columnList), n, known IS NOT NULL AS known, \(names) FROM (\(rows)) x
      LEFT JOIN (
        SELECT \(joined), \(decisions.text(requestID.decisions)) AS known
        FROM (\(decisionsSQL)) WHERE n = 1
      ) y ON x.q = y.known
      ORDER BY t, f, r
      """
  }

  /// Reads the rows of a table in order; bad and repeated ones are counted.
  /// - Parameter body: gets a row and its decision, if that was joined.
  private func convert(
    _ table: SourceTable, _ sql: String, repeats: ConversionReport.Reason,
    named name: (field: String, source: FieldSource), _ database: AnalyticsDatabase,
    into sink: ConversionSink, _ body: (SourceRow, SourceRow?) throws -> Void
  ) throws {
    let firstSource = sink.begin(table)
    let joins = table.key == feedback.key && needsDecision
    do {
      try database.forEachChunk(sql) { chunk in
        let rows = try SourceRow.Chunk(chunk, table.columns)
        let decisionRows =
          joins ? try SourceRow.Chunk(chunk, decisions.columns, prefix: "d") : nil
        let known = joins ? try chunk.bools("known") : []
        let (files, numbers) = (try chunk.int64s("f"), try chunk.int64s("r"))
        let copies = try chunk.int64s("n")
        for index in 0..<chunk.rowCount {
          let source = firstSource + Int(files[index])
          try sink.countRow(source)
          let row = SourceRow(chunk: rows, row: index)
          do {
            if copies[index] > 1, mapping.repeats != .keep,
              let text = row.optionalText(name.source)
            {
              if mapping.repeats == .drop {
                sink.drop(repeats)
                continue
              }
              throw FieldFailure(
                column: name.source.column, field: name.field,
                expected: "one row (repeats: refuse)", found: "“\(text)” again")
            }
            let decision = decisionRows.flatMap {
              known[index] ? SourceRow(chunk: $0, row: index) : nil
            }
            try body(row, decision)
          } catch let failure as FieldFailure {
            sink.fail(failure, source: source, row: Int(numbers[index]))
            if mapping.badRows == .drop { sink.drop(.badRow) }
          }
        }
      }
    } catch let error as AnalyticsError where error.kind == .statement {
      throw SourceTable.unreadable(table.files.joined(separator: ", "), error)
    }
  }

  private func convertFeedback(
    _ row: SourceRow, _ decision: SourceRow?, into sink: ConversionSink
  ) throws {
    let request = try row.text(requestID.feedback, "request_id", "an id")
    guard let item = feedbackMapping.itemID else { preconditionFailure("an unchecked mapping") }
    if needsDecision && decision == nil { return sink.drop(.feedbackWithoutDecision) }
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
