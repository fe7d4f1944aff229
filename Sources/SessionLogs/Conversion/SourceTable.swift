import DurableFiles
import EmbeddedAnalytics

/// The files of one table of the source, as one relation of texts.
///
/// Whatever the format, every mapped column becomes text, so that the same values give the same
/// log: CSV and JSON as they are written, Parquet as the engine writes them, lists as JSON.
struct SourceTable {
  /// How a file is laid out.
  enum Format {
    case csv(delimiter: String)
    case jsonLines
    case parquet
  }

  /// Its key in the mapping.
  let key: String
  let files: [String]
  /// The mapped columns; column i is `c<i>` of the relation.
  let columns: [String]
  private let selections: [String]

  /// Opens the files and looks for the mapped columns.
  /// - Throws: `ConversionError`; the engine's error is one of these.
  init(
    key: String, table: TableMapping, files: [String], csv: LogMapping.CSV,
    in database: AnalyticsDatabase
  ) throws {
    self.key = key
    self.files = files
    columns = table.columns
    var selections: [String] = []
    for (index, file) in files.enumerated() {
      guard DurableFiles.exists(file) else {
        throw ConversionError.inputs("\(file): no such file")
      }
      let reader = try SourceTable.reader(of: file, csv)
      let found: (names: [String], types: [String])
      do {
        let header = try database.query(
          "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM \(reader))")
        found = (try header.strings("column_name"), try header.strings("column_type"))
      } catch let error as AnalyticsError {
        throw SourceTable.readingFailure(error, of: [file])
      }
      var list = ["\(index)::BIGINT AS f", "row_number() OVER () AS r"]
      for (number, column) in columns.enumerated() {
        guard let place = found.names.firstIndex(of: column) else {
          throw ConversionError.missingColumn(
            file: file, column: column, field: "\(key).\(table.field(of: column))",
            found: found.names)
        }
        list.append("\(SourceTable.text(column, found.types[place])) AS c\(number)")
      }
      selections.append("SELECT \(list.joined(separator: ", ")) FROM \(reader)")
    }
    self.selections = selections
  }

  /// The relation: `f`, the file's index, `r`, the row from 1, and the columns.
  var sql: String { selections.joined(separator: "\nUNION ALL\n") }

  /// The relation's name for a mapped column.
  func name(of column: String) -> String {
    guard let index = columns.firstIndex(of: column) else {
      preconditionFailure("“\(column)” is not mapped")
    }
    return "c\(index)"
  }

  /// The engine's error as one of the files, if it is about what stands in them.
  static func readingFailure(_ error: AnalyticsError, of files: [String]) -> any Error {
    guard error.isAbout(files) else { return error }
    return ConversionError.unreadable(
      file: files.joined(separator: ", "), message: error.summary)
  }

  /// Parquet's lists become JSON; JSON lines and CSV are text already.
  private static func text(_ column: String, _ type: String) -> String {
    let name = SQLText.identifier(column)
    if type.hasSuffix("]") { return "to_json(\(name))::VARCHAR" }
    // A JSON string without its quotes, everything else as it is written.
    return type == "JSON" ? "(\(name) ->> '$')" : "\(name)::VARCHAR"
  }

  private static func reader(of file: String, _ csv: LogMapping.CSV) throws -> String {
    let literal = SQLText.fileLiteral(file)
    switch try format(of: file, csv) {
    case .csv(let delimiter):
      return """
        read_csv(\(literal), header = true, all_varchar = true, delim = \
        \(SQLText.literal(delimiter)), quote = '"', escape = '"', skip = 0, comment = '', \
        null_padding = false, ignore_errors = false, auto_detect = true)
        """
    case .jsonLines:
      // The whole file is looked through, since a column may first occur in its last line.
      return """
        read_json(\(literal), format = 'newline_delimited', sample_size = -1, maximum_depth = 1)
        """
    case .parquet: return "read_parquet(\(literal))"
    }
  }

  private static func format(of file: String, _ csv: LogMapping.CSV) throws -> Format {
    var name = file.lowercased()
    // Parquet compresses inside.
    if name.hasSuffix(".parquet") { return .parquet }
    for compression in [".gz", ".zst"] where name.hasSuffix(compression) {
      name.removeLast(compression.count)
    }
    if name.hasSuffix(".csv") { return .csv(delimiter: csv.delimiter ?? ",") }
    if name.hasSuffix(".tsv") { return .csv(delimiter: csv.delimiter ?? "\t") }
    for suffix in [".jsonl", ".ndjson", ".json"] where name.hasSuffix(suffix) { return .jsonLines }
    throw ConversionError.inputs(
      "\(file): a name that ends in .csv, .tsv, .jsonl, .ndjson, .json or .parquet expected "
        + "(.gz or .zst may follow all but the last)")
  }
}

extension AnalyticsError {
  /// Whether the engine could not read what stands in `files`; else it had no memory, no disk, or
  /// failed in itself.
  func isAbout(_ files: [String]) -> Bool {
    guard kind == .statement else { return false }
    if message.hasPrefix("IO Error") {
      let line = message.prefix { $0 != "\n" }
      return files.contains { line.contains($0) }
    }
    return !["Out of Memory", "INTERNAL", "FATAL", "INTERRUPT"].contains { message.hasPrefix($0) }
  }

  /// The engine's first lines, which say what is wrong; the others say how to set its options.
  var summary: String {
    let lines = message.split(separator: "\n").map(String.init)
    return lines.prefix(2).joined(separator: " ").prefix(400).description
  }
}

extension TableMapping {
  /// A field that is read from `column`.
  func field(of column: String) -> String {
    scalars.first { $0.source?.column == column }?.key.rawValue
      ?? lists.first { $0.source?.allColumns.contains(column) ?? false }?.key.rawValue
      ?? (behaviors ?? [:]).sorted { $0.key < $1.key }.first { $0.value.column == column }
      .map { "behaviors.\($0.key)" } ?? column
  }
}
