import EmbeddedAnalytics

/// Converts one table of impressions: the rows of a request make its list.
///
/// Rows belong together that have the same request id, or, where the table has none, the same
/// user and time.
struct ImpressionConversion {
  private let mapping: LogMapping
  private let table: SourceTable
  private let fields: TableMapping
  private let reader: EventReader
  private let userID: FieldSource
  private let time: FieldSource
  private let itemID: FieldSource
  /// What all rows of a request must agree on.
  private let requestColumns: [(column: String, field: String)]

  /// - Throws: `ConversionError.mapping`.
  init(_ mapping: LogMapping, _ table: SourceTable) throws(ConversionError) {
    guard let fields = mapping.impressions, let userID = fields.userID, let time = fields.time,
      let itemID = fields.itemID
    else { preconditionFailure("an unchecked mapping") }
    self.mapping = mapping
    self.table = table
    self.fields = fields
    self.userID = userID
    self.time = time
    self.itemID = itemID
    reader = try EventReader(mapping)
    let scalars: [(String, FieldSource?)] = [
      ("user_id", userID), ("policy_version", fields.policyVersion),
      ("experiment", fields.experiment), ("arm", fields.arm),
      ("log_propensity", fields.logPropensity),
    ]
    requestColumns =
      scalars.compactMap { field, source in source?.column.map { ($0, field) } }
      + [("state", fields.state), ("action", fields.action)].flatMap { field, source in
        (source?.allColumns ?? []).map { ($0, field) }
      }
  }

  private var sql: String {
    let group =
      fields.requestID.map(table.text) ?? "\(table.text(userID)) || chr(31) || t::VARCHAR"
    let position = fields.position.map { table.name(of: $0.column ?? "") }
    let order = (position.map { "TRY_CAST(\($0) AS DOUBLE), " } ?? "") + "f, r"
    // A request is as old as its earliest row; repeated ones do not count.
    let start =
      fields.requestID == nil ? "t" : "min(CASE WHEN n = 1 THEN t END) OVER (PARTITION BY g)"
    return """
      SELECT \(table.columnList), g, n FROM (SELECT *, \(start) AS s FROM (
        SELECT *,
          row_number() OVER (PARTITION BY g, \(table.text(itemID)) ORDER BY \(order)) AS n
        FROM (SELECT *, \(group) AS g FROM (
          SELECT *, \(table.time(time)) AS t FROM (\(table.sql))))))
      ORDER BY s, g, \(order)
      """
  }

  /// The rows of a request so far.
  private struct Request {
    let group: String
    let source: Int
    let row: Int
    var event: DecisionEvent?
    var isTruncated = false
    var texts: [String?] = []
    var feedback: [FeedbackEvent] = []
    var rows = 0
    var badRows = 0
  }

  func run(_ database: AnalyticsDatabase, into sink: ConversionSink) throws {
    let firstSource = sink.begin(table)
    var request: Request?
    do {
      try database.forEachChunk(sql) { chunk in
        let rows = try SourceRow.Chunk(chunk, table.columns)
        let groups = try chunk.column("g")
        let groupTexts = try chunk.strings("g")
        let (files, numbers) = (try chunk.int64s("f"), try chunk.int64s("r"))
        let copies = try chunk.int64s("n")
        for index in 0..<chunk.rowCount {
          let (source, number) = (firstSource + Int(files[index]), Int(numbers[index]))
          try sink.countRow(source)
          let isKnown = !groups.isNull(index)
          if !isKnown || groupTexts[index] != request?.group {
            try finish(request, into: sink)
            request = Request(
              group: isKnown ? groupTexts[index] : "", source: source, row: number)
          }
          let row = SourceRow(chunk: rows, row: index)
          if mapping.repeats == .drop && copies[index] > 1 && isKnown
            && row.optionalText(itemID) != nil
          {
            sink.drop(.repeatedImpression)
            continue
          }
          do {
            request?.rows += 1
            try add(row, isKnown: isKnown, isRepeat: copies[index] > 1, to: &request)
          } catch let failure as FieldFailure {
            request?.badRows += 1
            sink.fail(failure, source: source, row: number)
          }
        }
      }
    } catch let error as AnalyticsError {
      throw SourceTable.readingFailure(error, of: table.files)
    }
    try finish(request, into: sink)
  }

  /// - Parameter isKnown: whether the row's request is known: that of its id, or its user and time.
  private func add(
    _ row: SourceRow, isKnown: Bool, isRepeat: Bool, to request: inout Request?
  ) throws(FieldFailure) {
    let requestTime = try row.time(time, "time")
    let user = try row.text(userID, "user_id", "an id")
    let item = try row.text(itemID, "item_id", "an id")
    let id =
      try fields.requestID.map { source throws(FieldFailure) in
        try row.text(source, "request_id", "an id")
      } ?? "\(user)-\(requestTime)"
    if !isKnown {
      // A row by itself is never taken for a request of one item.
      throw FieldFailure(
        column: time.column, field: "time", expected: "a time that rows are grouped by",
        found: "“\(row.optionalText(time) ?? "")”")
    }
    if isRepeat {
      throw FieldFailure(
        column: itemID.column, field: "item_id", expected: "one row (repeats: refuse)",
        found: "“\(item)” again")
    }
    if let position = fields.position { _ = try row.position(position, "position") }
    let texts = requestColumns.map { row.text(ofColumn: $0.column) }
    if request?.event == nil {
      let (event, isTruncated) = try reader.decision(row, fields, requestID: id)
      request?.event = event
      request?.isTruncated = isTruncated
      request?.texts = texts
    }
    guard let event = request?.event, let first = request?.texts else { return }
    request?.event?.timeMilliseconds = min(event.timeMilliseconds, requestTime)
    for (index, text) in texts.enumerated() where text != first[index] {
      throw FieldFailure(
        column: requestColumns[index].column, field: requestColumns[index].field,
        expected: "“\(first[index] ?? "")” as in the request's first row",
        found: "“\(text ?? "")”")
    }
    let scores = try reader.impressionScores(row, fields)
    let feedback = try reader.feedback(
      row, fields, requestID: event.requestID, userID: user, position: event.shown.count,
      timeField: fields.feedbackTime, requestTime: requestTime)
    request?.event?.shown.append(item)
    request?.event?.taskScores += scores
    request?.feedback.append(feedback)
  }

  /// Writes a request, unless one of its rows is bad.
  private func finish(_ request: Request?, into sink: ConversionSink) throws {
    guard let request, request.rows > 0 else { return }
    var badRows = request.badRows
    if badRows == 0, let event = request.event {
      do {
        try sink.write(event, isTruncated: request.isTruncated)
        for feedback in request.feedback { try sink.write(feedback) }
        return
      } catch let failure as FieldFailure {
        sink.fail(failure, source: request.source, row: request.row)
        badRows = 1
      }
    }
    if mapping.badRows == .drop {
      sink.drop(.badRow, badRows)
      sink.drop(.impressionOfBadRequest, request.rows - badRows)
    }
  }
}
