import DurableFiles
import EmbeddedAnalytics

/// One CSV file of the data set, read column by column with every field checked.
struct KuaiRandTable {
  let file: String
  private let database: AnalyticsDatabase
  private let rows: ColumnarResult

  /// Reads the named columns of a (compressed) CSV file in the order of its lines.
  ///
  /// - Throws: `KuaiRandError` when the file is missing, not CSV, lacks a column or has no row.
  init(file: String, columns: [String]) throws {
    guard DurableFiles.exists(file) else { throw KuaiRandError.missingFile(file: file) }
    self.file = file
    let database = try AnalyticsDatabase(AnalyticsOptions(threads: 1))
    self.database = database
    let source =
      "read_csv(\(SQLText.fileLiteral(file)), header = true, all_varchar = true, delim = ',', "
      + "null_padding = false, ignore_errors = false)"
    do {
      let header = try database.query("SELECT * FROM \(source) LIMIT 0").names
      for column in columns where !header.contains(column) {
        throw KuaiRandError.missingColumn(file: file, column: column, found: header)
      }
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      rows = try database.query("SELECT \(list) FROM \(source)")
    } catch let error as AnalyticsError {
      throw KuaiRandError.unreadable(file: file, message: error.message)
    }
    guard rows.rowCount > 0 else { throw KuaiRandError.empty(file: file) }
  }

  /// The number of rows.
  var count: Int { rows.rowCount }

  /// The fields of a column as they stand, empty where the file has nothing.
  func texts(_ column: String) throws -> [String] { try rows.strings(column) }

  /// The fields of a column as integers in a range.
  ///
  /// - Throws: `KuaiRandError.badField` with the line of the first that is none.
  func integers(_ column: String, in range: ClosedRange<Int64>) throws -> [Int64] {
    let texts = try texts(column)
    var values = [Int64](repeating: 0, count: texts.count)
    for (row, text) in texts.enumerated() {
      guard let value = Int64(text), range.contains(value) else {
        throw badField(
          row, column, "an integer from \(range.lowerBound) to \(range.upperBound)", text)
      }
      values[row] = value
    }
    return values
  }

  /// The fields of a column as finite numbers; NaN where the file has nothing.
  ///
  /// - Throws: `KuaiRandError.badField` with the line of the first that is none.
  func optionalNumbers(_ column: String) throws -> [Float] {
    let texts = try texts(column)
    var values = [Float](repeating: .nan, count: texts.count)
    for (row, text) in texts.enumerated() where !text.isEmpty {
      guard let value = Float(text), value.isFinite else {
        throw badField(row, column, "a number or nothing", text)
      }
      values[row] = value
    }
    return values
  }

  /// The largest code of an anonymous category; the data set's are below 2,000.
  static let largestCode: Float = 1_000_000

  /// The fields of a column as codes of categories, whole numbers (also written `4.0`) from 0 to
  /// `largestCode`; NaN where the file has nothing.
  ///
  /// - Throws: `KuaiRandError.badField` with the line of the first that is none.
  func optionalCodes(_ column: String) throws -> [Float] {
    let texts = try texts(column)
    return try optionalNumbers(column).enumerated().map { row, value in
      if value.isNaN { return value }
      guard (0...Self.largestCode).contains(value), value == value.rounded() else {
        throw badField(
          row, column, "a whole number from 0 to \(Int(Self.largestCode)), or nothing", texts[row])
      }
      return value
    }
  }

  /// The fields of a column as lists of non-negative integers parted by blanks.
  ///
  /// - Throws: `KuaiRandError.badField` with the line of the first that is none.
  func lists(_ column: String) throws -> KuaiRandLists {
    var lists = KuaiRandLists()
    for (row, text) in try texts(column).enumerated() {
      for part in text.utf8.split(separator: UInt8(ascii: " ")) {
        guard let value = Int64(Substring(part)), value >= 0 else {
          throw badField(
            row, column, "integers parted by blanks", String(Substring(part).prefix(40)))
        }
        lists.values.append(value)
      }
      lists.offsets.append(lists.values.count)
    }
    return lists
  }

  /// An error about a field of a row (the header is line 1).
  func badField(
    _ row: Int, _ column: String, _ expected: String, _ found: String
  ) -> KuaiRandError {
    .badField(file: file, line: row + 2, field: column, expected: expected, found: found)
  }
}

/// Lists of integers end to end: list i is `values[offsets[i]..<offsets[i + 1]]`.
public struct KuaiRandLists: Sendable, Equatable {
  /// The elements of all lists.
  public internal(set) var values: [Int64] = []
  /// Where each list begins, and the end of the last; one more than there are lists.
  public internal(set) var offsets: [Int] = [0]

  /// The elements of list i.
  public subscript(i: Int) -> ArraySlice<Int64> { values[offsets[i]..<offsets[i + 1]] }
}
