import FusionMDP

/// Holds one line against the fields that its kind of event has.
///
/// Fields may stand in any order, each exactly once, and no other.
struct LineCheck {
  /// What a field's value must be.
  enum Form {
    /// A non-empty text, or an integer.
    case identifier
    /// A text that may be empty.
    case text
    /// A text or null.
    case optionalText
    case time
    case position
    /// A finite number or null.
    case optionalNumber
    /// A finite number, at least 0.
    case amount(String)
    /// A list of so many finite numbers, named for messages.
    case state
    /// A list of so many numbers in [−1, 1].
    case action
    /// A list of different identifiers.
    case shown
    /// A list of lists of one score a task.
    case scores
  }

  private let names: [String]
  private let forms: [Form]
  /// `"name":` of each field, as the writer puts it.
  private let keys: [[UInt8]]
  private let indices: [String: Int]
  private let schema: LogSchema
  private let latestTime: Int64

  // What the line at hand holds.
  private var seen: [Bool]
  private var times: [Int64] = []
  private var shown: [Range<Int>] = []
  private var scoredItems = 0

  /// The times that an event can have, in milliseconds since 1970: up to the year 33,658.
  static let timeLimit: Int64 = 1_000_000_000_000_000

  /// The check of decision lines.
  static func decisions(_ schema: LogSchema, latestTime: Int64?) -> LineCheck {
    LineCheck(
      schema, latestTime,
      [
        ("request_id", .identifier), ("user_id", .identifier), ("time_ms", .time),
        ("policy_version", .text), ("experiment", .optionalText), ("arm", .optionalText),
        ("state", .state), ("action", .action), ("log_propensity", .optionalNumber),
        ("shown", .shown), ("task_scores", .scores),
      ])
  }

  /// The check of feedback lines.
  static func feedback(_ schema: LogSchema, latestTime: Int64?) -> LineCheck {
    LineCheck(
      schema, latestTime,
      [
        ("request_id", .identifier), ("user_id", .identifier), ("item_id", .identifier),
        ("position", .position), ("time_ms", .time), ("arrival_time_ms", .time),
        ("play_time_seconds", .amount("seconds, finite and at least 0")),
        ("duration_seconds", .amount("seconds, finite and at least 0")),
      ] + schema.behaviors.map { ($0, .amount("a finite number, at least 0")) })
  }

  private init(_ schema: LogSchema, _ latestTime: Int64?, _ fields: [(String, Form)]) {
    self.schema = schema
    self.latestTime = min(latestTime ?? LineCheck.timeLimit, LineCheck.timeLimit)
    names = fields.map(\.0)
    forms = fields.map(\.1)
    keys = names.map { name in
      var key = LineBuffer()
      key.append(string: name)
      key.append(byte: UInt8(ascii: ":"))
      return key.bytes
    }
    var indices: [String: Int] = [:]
    for (index, key) in keys.enumerated() {
      indices[String(decoding: key.dropFirst().dropLast(2), as: UTF8.self)] = index
    }
    self.indices = indices
    seen = [Bool](repeating: false, count: names.count)
  }

  /// Checks the line that `cursor` has entered.
  mutating func check(_ cursor: inout JSONCursor) throws(LineFailure) {
    for index in seen.indices { seen[index] = false }
    times.removeAll(keepingCapacity: true)
    shown.removeAll(keepingCapacity: true)
    scoredItems = 0
    if cursor.peek() == 0 && cursor.isAtEnd {
      throw LineFailure(expected: "an event", found: "an empty line")
    }
    guard cursor.take(UInt8(ascii: "{")) else {
      throw LineFailure(expected: "an object “{…}”", found: cursor.foundText())
    }
    var next = 0
    repeat {
      let field = try takeKey(&cursor, guess: next)
      if seen[field] {
        throw LineFailure(field: names[field], expected: "one value", found: "the key twice")
      }
      seen[field] = true
      try takeValue(&cursor, field)
      next = field + 1
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "}")) else {
      throw LineFailure(
        field: names[next - 1], expected: "“,” or “}” after the value", found: cursor.foundText())
    }
    if cursor.peek() != 0 || !cursor.isAtEnd {
      throw LineFailure(expected: "the end of the line after “}”", found: cursor.foundText())
    }
    if let missing = seen.firstIndex(of: false) {
      throw LineFailure(field: names[missing], expected: "a value", found: "no such key")
    }
    try checkTogether()
  }

  /// What several fields of a line must fulfil together.
  private func checkTogether() throws(LineFailure) {
    if times.count == 2 && times[1] < times[0] {
      throw LineFailure(
        field: "arrival_time_ms", expected: "time_ms (\(times[0])) or later", found: "\(times[1])")
    }
    if schema.knows(.taskScores) && scoredItems != shown.count {
      throw LineFailure(
        field: "task_scores", expected: "scores of the \(shown.count) items shown",
        found: "of \(scoredItems)")
    }
  }

  private func takeKey(_ cursor: inout JSONCursor, guess: Int) throws(LineFailure) -> Int {
    if guess < keys.count && cursor.take(exactly: keys[guess]) { return guess }
    guard let range = cursor.takeString() else {
      throw LineFailure(expected: "a key in quotes", found: cursor.foundText())
    }
    let name = cursor.text(range)
    guard let field = indices[name] else {
      throw LineFailure(
        field: name, expected: "one of \(names.joined(separator: ", "))", found: "an unknown key")
    }
    guard cursor.take(UInt8(ascii: ":")) else {
      throw LineFailure(field: name, expected: "“:” after the key", found: cursor.foundText())
    }
    return field
  }

  private mutating func takeValue(
    _ cursor: inout JSONCursor, _ field: Int
  ) throws(LineFailure) {
    let name = names[field]
    switch forms[field] {
    case .identifier: try takeIdentifier(&cursor, name)
    case .text:
      if cursor.takeString() == nil { throw failure(&cursor, name, "a text") }
    case .optionalText:
      if !cursor.takeNull() && cursor.takeString() == nil {
        throw failure(&cursor, name, "a text or null")
      }
    case .time: times.append(try takeInteger(&cursor, name, "milliseconds since 1970", latestTime))
    case .position: _ = try takeInteger(&cursor, name, "a rank from 0", 1_000_000)
    case .optionalNumber:
      if !cursor.takeNull() {
        guard let value = cursor.takeNumber(), value.isFinite else {
          throw failure(&cursor, name, "a finite number or null")
        }
      }
    case .amount(let expected):
      guard let value = cursor.takeNumber() else { throw failure(&cursor, name, expected) }
      if !(value >= 0 && value <= LineCheck.largest) {
        throw LineFailure(field: name, expected: expected, found: "\(value)")
      }
    case .state: try takeState(&cursor, name)
    case .action: try takeAction(&cursor, name)
    case .shown: try takeShown(&cursor, name)
    case .scores: try takeScores(&cursor, name)
    }
  }

  private static let largest = Double(Float.greatestFiniteMagnitude)

  private func failure(
    _ cursor: inout JSONCursor, _ field: String, _ expected: String
  ) -> LineFailure {
    LineFailure(field: field, expected: expected, found: cursor.foundText())
  }

  private func takeIdentifier(
    _ cursor: inout JSONCursor, _ name: @autoclosure () -> String
  ) throws(LineFailure) {
    if let range = cursor.takeString() {
      if range.isEmpty {
        throw LineFailure(field: name(), expected: "an id", found: "an empty text")
      }
    } else if cursor.takeInteger() == nil {
      throw failure(&cursor, name(), "an id (a text or an integer)")
    }
  }

  private func takeInteger(
    _ cursor: inout JSONCursor, _ name: String, _ expected: String, _ limit: Int64
  ) throws(LineFailure) -> Int64 {
    guard let value = cursor.takeInteger() else {
      throw failure(&cursor, name, "\(expected), an integer")
    }
    if value < 0 || value > limit {
      throw LineFailure(
        field: name, expected: "\(expected), 0 to \(limit)", found: "\(value)")
    }
    return value
  }

  private func takeState(_ cursor: inout JSONCursor, _ name: String) throws(LineFailure) {
    let count = try takeNumbers(&cursor, name) { index, value throws(LineFailure) in
      if !(abs(value) <= LineCheck.largest) {
        throw LineFailure(
          field: self.stateName(index), expected: "a finite number", found: "\(value)")
      }
    }
    if count != schema.stateSize {
      throw LineFailure(
        field: name, expected: "\(schema.stateSize) numbers", found: "\(count)")
    }
  }

  private func stateName(_ index: Int) -> String {
    index < schema.stateSize ? "state[\(index)] (\(schema.stateNames[index]))" : "state[\(index)]"
  }

  private func takeAction(_ cursor: inout JSONCursor, _ name: String) throws(LineFailure) {
    let count = try takeNumbers(&cursor, name) { index, value throws(LineFailure) in
      if !(value >= -1 && value <= 1) {
        throw LineFailure(
          field: "action[\(index)]", expected: "a number in [−1, 1]", found: "\(value)")
      }
    }
    if count != schema.actionSize {
      throw LineFailure(
        field: name,
        expected: "\(schema.actionSize) weights"
          + (schema.actionSize == schema.taskCount ? " for \(schema.taskCount) tasks" : ""),
        found: "\(count)")
    }
  }

  private mutating func takeShown(
    _ cursor: inout JSONCursor, _ name: String
  ) throws(LineFailure) {
    guard cursor.take(UInt8(ascii: "[")) else { throw failure(&cursor, name, "a list of items") }
    if cursor.peek() == UInt8(ascii: "]") {
      throw LineFailure(field: name, expected: "at least one item", found: "none")
    }
    repeat {
      _ = cursor.peek()
      let start = cursor.position
      try takeIdentifier(&cursor, "shown[\(shown.count)]")
      let item = start..<cursor.position
      for index in shown.indices where cursor.isEqual(shown[index], item) {
        throw LineFailure(
          field: "shown[\(shown.count)]", expected: "different items",
          found: "the item of shown[\(index)]")
      }
      shown.append(item)
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "]")) else { throw failure(&cursor, name, "“,” or “]”") }
  }

  private mutating func takeScores(
    _ cursor: inout JSONCursor, _ name: String
  ) throws(LineFailure) {
    guard cursor.take(UInt8(ascii: "[")) else {
      throw failure(&cursor, name, "a list of lists of scores")
    }
    if !schema.knows(.taskScores) {
      guard cursor.take(UInt8(ascii: "]")) else {
        throw failure(&cursor, name, "[], as the schema says that predictions are unknown")
      }
      return
    }
    let tasks = schema.tasks.tasks
    repeat {
      let item = scoredItems
      let count = try takeNumbers(&cursor, "task_scores[\(item)]") {
        index, value throws(LineFailure) in
        if index >= tasks.count { return }
        let isProbability = tasks[index].domain == .probability
        if !(value >= 0 && value <= (isProbability ? 1 : LineCheck.largest)) {
          throw LineFailure(
            field: "task_scores[\(item)][\(index)] (\(tasks[index].name))",
            expected: tasks[index].domain.summary, found: "\(value)")
        }
      }
      if count != tasks.count {
        throw LineFailure(
          field: "task_scores[\(item)]", expected: "\(tasks.count) scores for as many tasks",
          found: "\(count)")
      }
      scoredItems += 1
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "]")) else { throw failure(&cursor, name, "“,” or “]”") }
  }

  /// Takes a list of numbers and hands each over with its index.
  private func takeNumbers(
    _ cursor: inout JSONCursor, _ name: @autoclosure () -> String,
    _ body: (Int, Double) throws(LineFailure) -> Void
  ) throws(LineFailure) -> Int {
    guard cursor.take(UInt8(ascii: "[")) else {
      throw failure(&cursor, name(), "a list of numbers")
    }
    if cursor.take(UInt8(ascii: "]")) { return 0 }
    var count = 0
    repeat {
      guard let value = cursor.takeNumber() else {
        throw failure(&cursor, "\(name())[\(count)]", "a number")
      }
      try body(count, value)
      count += 1
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "]")) else { throw failure(&cursor, name(), "“,” or “]”") }
    return count
  }
}
