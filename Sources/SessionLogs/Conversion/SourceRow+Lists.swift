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
      for (index, element) in SourceRow.elements(text, separator).enumerated() {
        values.append(try SourceRow.float(element, column, "\(field)[\(index)]"))
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
      let texts = SourceRow.withoutEmptyEnd(columns.map { self.text(ofColumn: $0) })
      return try SourceRow.filled(texts, field) { columns[$0] }
    }
    let (column, text) = try listText(source, field)
    if let separator = source.separator, !text.hasPrefix("[") {
      return try SourceRow.filled(SourceRow.elements(text, separator), field) { _ in column }
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
  /// - Parameter itemCount: how many items are shown, l.
  func scores(
    _ source: ListSource, _ field: String, taskCount: Int, itemCount: Int
  ) throws(FieldFailure) -> [Float] {
    if let columns = source.elementColumns {
      var tasks: [[Float]] = []
      for column in columns {
        let scores = try numbers(ListSource(column), field)
        if scores.count != itemCount {
          throw FieldFailure(
            column: column, field: field, expected: "\(itemCount) scores for as many shown items",
            found: "\(scores.count)")
        }
        tasks.append(scores)
      }
      return (0..<itemCount).flatMap { item in tasks.map { $0[item] } }
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

  /// The elements of a text; nil for an empty one before a filled one.
  private static func elements(_ text: String, _ separator: String) -> [String?] {
    let parts = text.split(
      separator: separator, maxSplits: .max, omittingEmptySubsequences: false)
    return withoutEmptyEnd(parts.map { $0.isEmpty ? nil : String($0) })
  }

  /// Without the places beyond the length of a list, which are empty.
  private static func withoutEmptyEnd(_ texts: [String?]) -> [String?] {
    Array(texts[..<((texts.lastIndex { $0 != nil } ?? -1) + 1)])
  }

  /// The ids of a list; a hole in it would shift what comes after.
  private static func filled(
    _ texts: [String?], _ field: String, column: (Int) -> String
  ) throws(FieldFailure) -> [String] {
    var ids: [String] = []
    ids.reserveCapacity(texts.count)
    for (index, text) in texts.enumerated() {
      guard let text else {
        throw FieldFailure(
          column: column(index), field: "\(field)[\(index)]", expected: "an id", found: "nothing")
      }
      ids.append(text)
    }
    return ids
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
