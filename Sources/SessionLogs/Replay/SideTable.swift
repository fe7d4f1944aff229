import DurableFiles
import EmbeddedAnalytics

/// A table beside a log, of users or of items: a Parquet, CSV or JSON lines file.
///
/// With a column `time_ms` a row holds from then on, else always.
package struct SideTable {
  let path: String
  /// What `FROM` reads.
  let relation: String
  let columns: [String]
  let key: String

  /// A table with one row a key, or one a key and time.
  /// - Parameter declared: the columns that are read, and the engine's type of their values.
  /// - Throws: `StateReplayError` for a file that cannot be read, a value that is not of its column's
  ///   type, or rows that contradict each other.
  init(
    path: String, key: String, holding declared: [(column: String, type: String)],
    in database: AnalyticsDatabase
  ) throws {
    self.path = path
    self.key = key
    let file = SQLText.fileLiteral(path)
    let name = path.lowercased()
    if name.hasSuffix(".parquet") {
      relation = "read_parquet(\(file))"
    } else if name.hasSuffix(".csv") || name.hasSuffix(".csv.gz") {
      relation = "read_csv(\(file), header = true, all_varchar = true, skip = 0, comment = '')"
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".jsonl.gz") {
      relation = "read_json(\(file), format = 'newline_delimited')"
    } else {
      throw StateReplayError(
        table: path, expected: "a file .parquet, .csv or .jsonl", found: "another name")
    }
    guard DurableFiles.exists(path) else {
      throw StateReplayError(table: path, expected: "a file", found: "none")
    }
    do {
      columns = try database.query("SELECT * FROM \(relation) LIMIT 0").names
      _ = try column(key)
      try checkValues(declared + (isTimed ? [("time_ms", "BIGINT")] : []), in: database)
      try checkRows(in: database)
    } catch let error as AnalyticsError where error.isAbout([path]) {
      throw StateReplayError(
        table: path, expected: "a file that can be read", found: error.summary)
    }
  }

  /// Whether rows hold from a time on.
  var isTimed: Bool { columns.contains("time_ms") }

  /// A column as an identifier.
  func column(_ name: String) throws(StateReplayError) -> String {
    guard columns.contains(name) else {
      throw StateReplayError(
        table: path, expected: "a column “\(name)”", found: columns.joined(separator: ", "))
    }
    return "t." + SQLText.identifier(name)
  }

  /// The key and time of a row; a row that always holds has no time.
  var keySQL: String { "CAST(t.\(SQLText.identifier(key)) AS VARCHAR)" }
  var timeSQL: String { isTimed ? "CAST(t.time_ms AS BIGINT)" : "NULL::BIGINT" }

  private func checkValues(
    _ declared: [(column: String, type: String)], in database: AnalyticsDatabase
  ) throws {
    var selections: [String] = []
    for (index, (name, type)) in declared.enumerated() {
      let value = try column(name)
      let isWrong = "\(value) IS NOT NULL AND TRY_CAST(\(value) AS \(type)) IS NULL"
      selections += [
        "count(*) FILTER (WHERE \(isWrong)) AS n\(index)",
        "coalesce(min(CAST(\(value) AS VARCHAR)) FILTER (WHERE \(isWrong)), '') AS v\(index)",
      ]
    }
    if selections.isEmpty { return }
    let found = try database.query(
      "SELECT \(selections.joined(separator: ", ")) FROM \(relation) t")
    for (index, (name, type)) in declared.enumerated() {
      let count = try found.int64s("n\(index)")[0]
      if count == 0 { continue }
      let kind = ["DOUBLE": "numbers", "BOOLEAN": "true or false", "BIGINT": "milliseconds"][type]
      throw StateReplayError(
        table: path, expected: "\(kind ?? "texts") in column “\(name)”",
        found: "“\(try found.strings("v\(index)")[0].prefix(60))”"
          + (count > 1 ? " and \(count - 1) more" : ""))
    }
  }

  private func checkRows(in database: AnalyticsDatabase) throws {
    let missing = isTimed ? "OR t.time_ms IS NULL" : ""
    let empty = try database.query(
      "SELECT count(*) FROM \(relation) t WHERE \(keySQL) IS NULL \(missing)"
    ).singleInteger()
    if empty > 0 {
      throw StateReplayError(
        table: path, expected: isTimed ? "\(key) and time_ms in every row" : "\(key) in every row",
        found: "\(empty) rows without")
    }
    let repeated = try database.query(
      """
      SELECT \(keySQL) AS k FROM \(relation) t GROUP BY k, \(timeSQL) HAVING count(*) > 1
      ORDER BY k LIMIT 1
      """)
    if repeated.rowCount > 0 {
      throw StateReplayError(
        table: path,
        expected: "one row a \(key) " + (isTimed ? "and time_ms" : "(or a column time_ms)"),
        found: "several of “\(try repeated.strings("k")[0])”")
    }
  }
}

/// A table beside a log, or a log, whose states cannot be replayed.
public struct StateReplayError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or folder.
  public let table: String
  /// What was expected.
  public let expected: String
  /// What was found.
  public let found: String

  /// The error in one sentence for people.
  public var description: String { "\(table): \(expected) expected, found \(found)" }
}
