/// Events of one schema as lines of JSON, each held against the schema first.
struct EventLineFormat: Sendable {
  private let check: EventCheck
  private let schema: LogSchema
  private let decisionKeys: [[UInt8]]
  private let feedbackKeys: [[UInt8]]

  init(_ schema: LogSchema) {
    check = EventCheck(schema)
    self.schema = schema
    decisionKeys = EventLineFormat.keys(DecisionEvent.fieldNames)
    feedbackKeys = EventLineFormat.keys(FeedbackEvent.fixedFieldNames + schema.behaviors)
  }

  /// `{"first":`, `,"second":` …
  private static func keys(_ names: [String]) -> [[UInt8]] {
    names.enumerated().map { index, name in
      var key = LineBuffer()
      key.append(byte: index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
      key.append(string: name)
      key.append(byte: UInt8(ascii: ":"))
      return key.bytes
    }
  }

  /// Adds a decision's line with its end.
  /// - Throws: `SessionLogError.event` if it does not fit the schema; nothing is then added.
  func append(_ event: DecisionEvent, to line: inout LineBuffer) throws(SessionLogError) {
    try check.check(event)
    line.append(raw: decisionKeys[0])
    line.append(string: event.requestID)
    line.append(raw: decisionKeys[1])
    line.append(string: event.userID)
    line.append(raw: decisionKeys[2])
    line.append(integer: event.timeMilliseconds)
    line.append(raw: decisionKeys[3])
    line.append(string: event.policyVersion)
    line.append(raw: decisionKeys[4])
    line.append(event.experiment)
    line.append(raw: decisionKeys[5])
    line.append(event.arm)
    line.append(raw: decisionKeys[6])
    line.append(floats: event.state, event.state.indices)
    line.append(raw: decisionKeys[7])
    line.append(floats: event.action, event.action.indices)
    line.append(raw: decisionKeys[8])
    if let logPropensity = event.logPropensity {
      line.append(double: logPropensity)
    } else {
      line.append(raw: LineBuffer.null)
    }
    line.append(raw: decisionKeys[9])
    line.appendList(event.shown.count) { line, item in line.append(string: event.shown[item]) }
    line.append(raw: decisionKeys[10])
    let taskCount = schema.taskCount
    line.appendList(schema.knows(.taskScores) ? event.shown.count : 0) { line, item in
      line.append(floats: event.taskScores, item * taskCount..<(item + 1) * taskCount)
    }
    line.append(raw: EventLineFormat.lineEnd)
  }

  /// Adds the line of a response, with its end.
  /// - Throws: `SessionLogError.event` if it does not fit the schema; nothing is then added.
  func append(_ event: FeedbackEvent, to line: inout LineBuffer) throws(SessionLogError) {
    try check.check(event)
    line.append(raw: feedbackKeys[0])
    line.append(string: event.requestID)
    line.append(raw: feedbackKeys[1])
    line.append(string: event.userID)
    line.append(raw: feedbackKeys[2])
    line.append(string: event.itemID)
    line.append(raw: feedbackKeys[3])
    line.append(integer: Int64(event.position))
    line.append(raw: feedbackKeys[4])
    line.append(integer: event.timeMilliseconds)
    line.append(raw: feedbackKeys[5])
    line.append(integer: event.arrivalTimeMilliseconds)
    line.append(raw: feedbackKeys[6])
    line.append(float: event.playTimeSeconds)
    line.append(raw: feedbackKeys[7])
    line.append(float: event.durationSeconds)
    for index in event.behaviors.indices {
      line.append(raw: feedbackKeys[8 + index])
      line.append(float: event.behaviors[index])
    }
    line.append(raw: EventLineFormat.lineEnd)
  }

  private static let lineEnd = Array("}\n".utf8)
}

extension LineBuffer {
  fileprivate static let null = Array("null".utf8)

  fileprivate mutating func append(_ text: String?) {
    if let text { append(string: text) } else { append(raw: LineBuffer.null) }
  }

  /// `[…]` of what `appendElement` adds for each index.
  fileprivate mutating func appendList(
    _ count: Int, _ appendElement: (inout LineBuffer, Int) -> Void
  ) {
    append(byte: UInt8(ascii: "["))
    for index in 0..<count {
      if index > 0 { append(byte: UInt8(ascii: ",")) }
      appendElement(&self, index)
    }
    append(byte: UInt8(ascii: "]"))
  }
}
