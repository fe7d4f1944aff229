import Foundation

extension SourceRow {
  /// The numbers of a list.
  func numbers(_ source: ListSource, _ field: String) throws(FieldFailure) -> [Float] {
    if let columns = source.elementColumns {
      var values: [Float] = []
      values.reserveCapacity(columns.count)
      for (index, column) in columns.enumerated() {
        values.append(
          try SourceRow.float(text(ofColumn: column), column, "\(field)[\(index)]"))
      }
      return values
    }
    let (column, text) = try listText(source, field)
    if let separator = source.separator, !text.hasPrefix("[") {
      var values: [Float] = []
      for (index, element) in text.split(separator: separator).enumerated() {
        values.append(try SourceRow.float(String(element), column, "\(field)[\(index)]"))
      }
      return values
    }
    var cursor = SourceRow.cursor(text)
    let values = try SourceRow.takeNumbers(&cursor, column, field)
    try SourceRow.expectEnd(&cursor, column, field)
    return values
  }

  /// The texts of a list.
  func strings(_ source: ListSource, _ field: String) throws(FieldFailure) -> [String] {
    if let columns = source.elementColumns {
      // Columns beyond the length of a list are empty.
      return columns.compactMap { self.text(ofColumn: $0) }
    }
    let (column, text) = try listText(source, field)
    if let separator = source.separator, !text.hasPrefix("[") {
      return text.split(separator: separator).map(String.init)
    }
    let bytes = Array(text.utf8)
    var cursor = SourceRow.cursor(text)
    var values: [String] = []
    try SourceRow.takeList(&cursor, column, field, "an id (a text or a whole number)") { cursor in
      _ = cursor.peek()
      let start = cursor.position
      if let range = cursor.takeString() {
        let literal = bytes[start..<cursor.position]
        values.append(
          literal.contains(UInt8(ascii: "\\"))
            ? SourceRow.unescaped(Array(literal)) : cursor.text(range))
        return true
      }
      guard let number = cursor.takeInteger() else { return false }
      values.append("\(number)")
      return true
    }
    try SourceRow.expectEnd(&cursor, column, field)
    return values
  }

  /// The scores of a shown list, item by item [l·K]: a list of lists, or one list a task.
  func scores(
    _ source: ListSource, _ field: String, taskCount: Int
  ) throws(FieldFailure) -> [Float] {
    if let columns = source.elementColumns {
      var tasks: [[Float]] = []
      for column in columns { tasks.append(try numbers(ListSource(column), field)) }
      let count = tasks[0].count
      for (task, scores) in tasks.enumerated() where scores.count != count {
        throw FieldFailure(
          column: columns[task], field: field, expected: "\(count) scores, as in \(columns[0])",
          found: "\(scores.count)")
      }
      return (0..<count).flatMap { item in tasks.map { $0[item] } }
    }
    let (column, text) = try listText(source, field)
    var cursor = SourceRow.cursor(text)
    var values: [Float] = []
    var failure: FieldFailure?
    var item = 0
    try SourceRow.takeList(&cursor, column, field, "a list of scores") { cursor in
      do {
        let scores = try SourceRow.takeNumbers(&cursor, column, "\(field)[\(item)]")
        if scores.count != taskCount {
          throw FieldFailure(
            column: column, field: "\(field)[\(item)]",
            expected: "\(taskCount) scores for as many tasks", found: "\(scores.count)")
        }
        values += scores
        item += 1
        return true
      } catch let error as FieldFailure {
        failure = error
      } catch {}
      return false
    } orFailure: {
      failure
    }
    try SourceRow.expectEnd(&cursor, column, field)
    return values
  }

  private func listText(
    _ source: ListSource, _ field: String
  ) throws(FieldFailure) -> (column: String, text: String) {
    let column = source.column ?? ""
    guard let text = text(ofColumn: column) else {
      throw FieldFailure(column: column, field: field, expected: "a list", found: "nothing")
    }
    return (column, text)
  }

  private static func float(
    _ text: String?, _ column: String, _ field: String
  ) throws(FieldFailure) -> Float {
    guard let text else {
      throw FieldFailure(
        column: column, field: field, expected: "a finite number", found: "nothing")
    }
    guard let number = number(text), Float(number).isFinite else {
      throw FieldFailure(
        column: column, field: field, expected: "a finite number", found: "“\(text.prefix(60))”")
    }
    return Float(number)
  }

  private static func cursor(_ text: String) -> JSONCursor {
    let bytes = Array(text.utf8)
    var cursor = JSONCursor(bytes)
    cursor.enter(0..<bytes.count)
    return cursor
  }

  private static func takeNumbers(
    _ cursor: inout JSONCursor, _ column: String, _ field: String
  ) throws(FieldFailure) -> [Float] {
    var values: [Float] = []
    try takeList(&cursor, column, field, "a finite number") { cursor in
      guard let value = cursor.takeNumber(), Float(value).isFinite else { return false }
      values.append(Float(value))
      return true
    }
    return values
  }

  /// Takes `[…]`; `take` takes one element, or says that it is none.
  private static func takeList(
    _ cursor: inout JSONCursor, _ column: String, _ field: String, _ element: String,
    _ take: (inout JSONCursor) -> Bool, orFailure failure: () -> FieldFailure? = { nil }
  ) throws(FieldFailure) {
    guard cursor.take(UInt8(ascii: "[")) else {
      throw FieldFailure(
        column: column, field: field, expected: "a list as JSON, “[…]”",
        found: cursor.foundText())
    }
    if cursor.take(UInt8(ascii: "]")) { return }
    var index = 0
    repeat {
      if !take(&cursor) {
        throw failure()
          ?? FieldFailure(
            column: column, field: "\(field)[\(index)]", expected: element,
            found: cursor.foundText())
      }
      index += 1
    } while cursor.take(UInt8(ascii: ","))
    guard cursor.take(UInt8(ascii: "]")) else {
      throw FieldFailure(
        column: column, field: field, expected: "“,” or “]” after element \(index - 1)",
        found: cursor.foundText())
    }
  }

  private static func expectEnd(
    _ cursor: inout JSONCursor, _ column: String, _ field: String
  ) throws(FieldFailure) {
    if cursor.peek() != 0 || !cursor.isAtEnd {
      throw FieldFailure(
        column: column, field: field, expected: "nothing after the list",
        found: cursor.foundText())
    }
  }

  /// The text of a JSON string that ``JSONCursor`` has taken, with its quotes.
  private static func unescaped(_ literal: [UInt8]) -> String {
    let value = try? JSONSerialization.jsonObject(
      with: Data(literal), options: .fragmentsAllowed)
    guard let text = value as? String else { preconditionFailure("a string that is none") }
    return text
  }
}
