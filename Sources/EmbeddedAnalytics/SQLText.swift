/// Text for SQL statements, quoted so that no value can end its own literal.
package enum SQLText {
  /// `text` as a string literal: `it's` → `'it''s'`. A NUL character cannot be written and is
  /// replaced by U+FFFD.
  package static func literal(_ text: String) -> String { quoted(text, by: "'") }

  /// `name` as an identifier: `a"b` → `"a""b"`.
  package static func identifier(_ name: String) -> String { quoted(name, by: "\"") }

  /// A list of string literals: `['a', 'b']`.
  package static func list(_ texts: [String]) -> String {
    "[" + texts.map(literal).joined(separator: ", ") + "]"
  }

  /// A path as a literal for `read_csv`, `read_json` …, which match file names by pattern: the
  /// characters `*`, `?` and `[` of a real path lose their meaning.
  package static func fileLiteral(_ path: String) -> String {
    var escaped = ""
    for character in path {
      switch character {
      case "*": escaped += "[*]"
      case "?": escaped += "[?]"
      case "[": escaped += "[[]"
      default: escaped.append(character)
      }
    }
    return literal(escaped)
  }

  /// The files of a read function, to be read one after another.
  package static func fileLiterals(_ paths: [String]) -> String {
    "[" + paths.map(fileLiteral).joined(separator: ", ") + "]"
  }

  private static func quoted(_ text: String, by mark: Character) -> String {
    var result = String(mark)
    for character in text.unicodeScalars {
      if character == "\0" {
        result.unicodeScalars.append("\u{FFFD}")
      } else {
        result.unicodeScalars.append(character)
        if Character(character) == mark { result.append(mark) }
      }
    }
    result.append(mark)
    return result
  }
}
