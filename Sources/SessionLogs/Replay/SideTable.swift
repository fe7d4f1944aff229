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
  /// - Throws: `StateReplayError` for a file that cannot be read, or rows that contradict each other.
  init(path: String, key: String, in database: AnalyticsDatabase) throws {
    self.path = path
    self.key = key
    let file = SQLText.fileLiteral(path)
    let name = path.lowercased()
    if name.hasSuffix(".parquet") {
      relation = "read_parquet(\(file))"
    } else if name.hasSuffix(".csv") || name.hasSuffix(".csv.gz") {
      relation = "read_csv(\(file), header = true, all_varchar = true)"
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".jsonl.gz") {
      relation = "read_json(\(file), format = 'newline_delimited')"
    } else {
      throw StateReplayError(
        table: path, expected: "a file .parquet, .csv or .jsonl", found: "another name")
    }
    guard DurableFiles.exists(path) else {
      throw StateReplayError(table: path, expected: "a file", found: "none")
    }
    columns = try database.query("SELECT * FROM \(relation) LIMIT 0").names
    _ = try column(key)
    try checkRows(in: database)
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
