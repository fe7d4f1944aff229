/// What is wrong with a folder of the KuaiRand data set.
public enum KuaiRandError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The folder lacks a file.
  case missingFile(file: String)
  /// A file cannot be read as CSV; the reader's message names the line where it knows it.
  case unreadable(file: String, message: String)
  /// A file lacks a column.
  case missingColumn(file: String, column: String, found: [String])
  /// A field is not what its column holds.
  case badField(file: String, line: Int, field: String, expected: String, found: String)
  /// A file has a header and no rows, or all its rows were unusable.
  case empty(file: String)

  /// What was expected, what was found, and where.
  public var description: String {
    switch self {
    case .missingFile(let file):
      "\(file): there is no such file"
    case .unreadable(let file, let message):
      "\(file): cannot be read as CSV: \(message)"
    case .missingColumn(let file, let column, let found):
      "\(file): no column \(column); the header has \(found.joined(separator: ", "))"
    case .badField(let file, let line, let field, let expected, let found):
      "\(file), line \(line), field \(field): expected \(expected), found \"\(found)\""
    case .empty(let file):
      "\(file): holds no usable row"
    }
  }
}
