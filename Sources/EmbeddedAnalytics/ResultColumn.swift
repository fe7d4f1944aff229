/// One column of a result, all of one type.
///
/// A null stands as 0, NaN, an empty string or an empty list in the values; ``isNull`` says which
/// rows these are.
package struct ResultColumn: Sendable {
  /// The values by type. Every integer type up to 64 bits arrives as `Int64`, except `UBIGINT`.
  package enum Values: Sendable, Equatable {
    case bools([Bool])
    case int64s([Int64])
    case uint64s([UInt64])
    case doubles([Double])
    case floats([Float])
    case strings([String])
    /// Row `r` holds `values[offsets[r]..<offsets[r + 1]]`; `LIST` of `FLOAT` or `DOUBLE`.
    /// A null element stands as NaN.
    case floatLists(values: [Float], offsets: [Int])
    /// As `floatLists`, for lists of integers; a null element stands as `Int64.min`.
    case int64Lists(values: [Int64], offsets: [Int])

    /// What errors call this type.
    package var typeName: String {
      switch self {
      case .bools: "BOOLEAN"
      case .int64s: "integer"
      case .uint64s: "UBIGINT"
      case .doubles: "DOUBLE"
      case .floats: "FLOAT"
      case .strings: "VARCHAR"
      case .floatLists: "list of numbers"
      case .int64Lists: "list of integers"
      }
    }
  }

  package let name: String
  package internal(set) var values: Values
  /// Which rows are null; empty when none is.
  package internal(set) var nulls: [Bool]

  /// Whether row `row` is null.
  package func isNull(_ row: Int) -> Bool { !nulls.isEmpty && nulls[row] }
  /// How many rows are null.
  package var nullCount: Int { nulls.count { $0 } }
}

/// A table of typed columns: a whole result, or one chunk of it.
package struct ColumnarResult: Sendable {
  package internal(set) var columns: [ResultColumn]
  package internal(set) var rowCount: Int
  let statement: String

  /// The column's names in the order of the statement.
  package var names: [String] { columns.map(\.name) }

  /// The column called `name`.
  /// - Throws: `AnalyticsError` when there is none.
  package func column(_ name: String) throws(AnalyticsError) -> ResultColumn {
    for column in columns where column.name == name { return column }
    throw AnalyticsError(
      kind: .column, message: "no column “\(name)” among \(names.joined(separator: ", "))",
      statement: statement)
  }

  /// The values of an integer column (0 where null).
  package func int64s(_ name: String) throws(AnalyticsError) -> [Int64] {
    let column = try column(name)
    if case .int64s(let values) = column.values { return values }
    throw mismatch(column, expected: "integer")
  }

  /// The values of an unsigned 64-bit column (0 where null).
  package func uint64s(_ name: String) throws(AnalyticsError) -> [UInt64] {
    let column = try column(name)
    if case .uint64s(let values) = column.values { return values }
    throw mismatch(column, expected: "UBIGINT")
  }

  /// The values of a `DOUBLE`, `FLOAT` or integer column (NaN where null).
  package func doubles(_ name: String) throws(AnalyticsError) -> [Double] {
    let column = try column(name)
    switch column.values {
    case .doubles(let values): return values
    case .floats(let values): return values.map(Double.init)
    case .int64s(let values):
      return values.indices.map { column.isNull($0) ? .nan : Double(values[$0]) }
    default: throw mismatch(column, expected: "DOUBLE")
    }
  }

  /// The values of a `FLOAT`, `DOUBLE` or integer column (NaN where null).
  package func floats(_ name: String) throws(AnalyticsError) -> [Float] {
    let column = try column(name)
    switch column.values {
    case .floats(let values): return values
    case .doubles(let values): return values.map(Float.init)
    case .int64s(let values):
      return values.indices.map { column.isNull($0) ? .nan : Float(values[$0]) }
    default: throw mismatch(column, expected: "FLOAT")
    }
  }

  /// The values of a `VARCHAR` column (empty where null).
  package func strings(_ name: String) throws(AnalyticsError) -> [String] {
    let column = try column(name)
    if case .strings(let values) = column.values { return values }
    throw mismatch(column, expected: "VARCHAR")
  }

  /// The values of a `BOOLEAN` column (false where null).
  package func bools(_ name: String) throws(AnalyticsError) -> [Bool] {
    let column = try column(name)
    if case .bools(let values) = column.values { return values }
    throw mismatch(column, expected: "BOOLEAN")
  }

  /// The lists of a `FLOAT[]` or `DOUBLE[]` column: row `r` is `values[offsets[r]..<offsets[r+1]]`.
  package func floatLists(
    _ name: String
  ) throws(AnalyticsError) -> (values: [Float], offsets: [Int]) {
    let column = try column(name)
    if case .floatLists(let values, let offsets) = column.values { return (values, offsets) }
    throw mismatch(column, expected: "list of numbers")
  }

  /// The one integer of a one-row result, such as a count.
  package func singleInteger() throws(AnalyticsError) -> Int64 {
    if rowCount == 1, columns.count == 1, case .int64s(let values) = columns[0].values {
      return values[0]
    }
    throw AnalyticsError(
      kind: .column,
      message:
        "one row with one integer expected, found \(rowCount) rows, \(columns.count) columns",
      statement: statement)
  }

  private func mismatch(_ column: ResultColumn, expected: String) -> AnalyticsError {
    AnalyticsError(
      kind: .column,
      message: "column “\(column.name)” is \(column.values.typeName), \(expected) expected",
      statement: statement)
  }
}
