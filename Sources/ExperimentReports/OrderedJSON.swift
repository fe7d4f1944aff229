/// A JSON value whose objects keep the order in which they were written.
enum OrderedJSON {
  case object([(key: String, value: OrderedJSON)])
  case array([OrderedJSON])
  case string(String)
  case integer(Int)
  case unsigned(UInt64)
  case number(Double)
  case null

  /// A number, or `null` for nil.
  static func optional(_ value: Double?) -> OrderedJSON { value.map(OrderedJSON.number) ?? .null }

  /// Text with two spaces an indentation level; arrays without objects stand on one line.
  ///
  /// - Parameter path: where the value stands, for errors.
  /// - Throws: `ResultsError.notFinite` for a number that JSON cannot hold.
  func rendered(indentation: Int = 0, path: String = "") throws(ResultsError) -> String {
    let inner = String(repeating: "  ", count: indentation + 1)
    let outer = String(repeating: "  ", count: indentation)
    switch self {
    case .object(let members):
      guard !members.isEmpty else { return "{}" }
      var lines: [String] = []
      for (key, value) in members {
        let text = try value.rendered(
          indentation: indentation + 1, path: path.isEmpty ? key : "\(path).\(key)")
        lines.append("\(inner)\(Self.quoted(key)): \(text)")
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
    case .array(let elements):
      var parts: [String] = []
      for (index, element) in elements.enumerated() {
        parts.append(
          try element.rendered(indentation: indentation + 1, path: "\(path)[\(index)]"))
      }
      guard elements.contains(where: \.isObject) else {
        return "[" + parts.joined(separator: ", ") + "]"
      }
      return "[\n" + parts.map { inner + $0 }.joined(separator: ",\n") + "\n\(outer)]"
    case .string(let text): return Self.quoted(text)
    case .integer(let value): return "\(value)"
    case .unsigned(let value): return "\(value)"
    case .number(let value):
      guard value.isFinite else { throw .notFinite(path: path, found: value) }
      return "\(value)"  // the shortest digits that read back as the same bits
    case .null: return "null"
    }
  }

  private var isObject: Bool {
    if case .object = self { true } else { false }
  }

  /// A JSON string literal (RFC 8259, section 7).
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
