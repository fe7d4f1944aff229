import CDuckDB

/// How the rows of a DuckDB result become typed columns: its names and types.
struct ResultShape {
  let names: [String]
  let types: [duckdb_type]
  /// The element's type of a list column, else `DUCKDB_TYPE_INVALID`.
  let elementTypes: [duckdb_type]
  let statement: String

  init(of result: inout duckdb_result, statement: String) throws(AnalyticsError) {
    let count = Int(unsafe duckdb_column_count(&result))
    var names: [String] = []
    var types: [duckdb_type] = []
    var elements: [duckdb_type] = []
    for index in 0..<count {
      let name = unsafe duckdb_column_name(&result, idx_t(index))
      names.append(unsafe name.map { unsafe String(cString: $0) } ?? "")
      let type = unsafe duckdb_column_type(&result, idx_t(index))
      var element = DUCKDB_TYPE_INVALID
      if type == DUCKDB_TYPE_LIST {
        var list = unsafe duckdb_column_logical_type(&result, idx_t(index))
        var child = unsafe duckdb_list_type_child_type(list)
        element = unsafe duckdb_get_type_id(child)
        unsafe duckdb_destroy_logical_type(&child)
        unsafe duckdb_destroy_logical_type(&list)
      }
      guard ResultShape.isSupported(type, element) else {
        throw AnalyticsError(
          kind: .column,
          message: "column “\(names[index])” has DuckDB type \(type.rawValue)"
            + (element == DUCKDB_TYPE_INVALID ? "" : " of \(element.rawValue)")
            + ", which has no counterpart here: cast it in the statement",
          statement: statement)
      }
      types.append(type)
      elements.append(element)
    }
    self.names = names
    self.types = types
    self.elementTypes = elements
    self.statement = statement
  }

  private static func isSupported(_ type: duckdb_type, _ element: duckdb_type) -> Bool {
    switch type {
    case DUCKDB_TYPE_BOOLEAN, DUCKDB_TYPE_FLOAT, DUCKDB_TYPE_DOUBLE, DUCKDB_TYPE_VARCHAR,
      DUCKDB_TYPE_UBIGINT:
      true
    case DUCKDB_TYPE_LIST:
      element == DUCKDB_TYPE_FLOAT || element == DUCKDB_TYPE_DOUBLE || isInteger(element)
    default: isInteger(type)
    }
  }

  private static func isInteger(_ type: duckdb_type) -> Bool {
    switch type {
    case DUCKDB_TYPE_TINYINT, DUCKDB_TYPE_SMALLINT, DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_BIGINT,
      DUCKDB_TYPE_UTINYINT, DUCKDB_TYPE_USMALLINT, DUCKDB_TYPE_UINTEGER:
      true
    default: false
    }
  }

  /// A table with these columns and no row.
  var emptyTable: ColumnarResult {
    let columns = names.indices.map { index in
      ResultColumn(name: names[index], values: emptyValues(index), nulls: [])
    }
    return ColumnarResult(columns: columns, rowCount: 0, statement: statement)
  }

  private func emptyValues(_ index: Int) -> ResultColumn.Values {
    switch types[index] {
    case DUCKDB_TYPE_BOOLEAN: .bools([])
    case DUCKDB_TYPE_FLOAT: .floats([])
    case DUCKDB_TYPE_DOUBLE: .doubles([])
    case DUCKDB_TYPE_VARCHAR: .strings([])
    case DUCKDB_TYPE_UBIGINT: .uint64s([])
    case DUCKDB_TYPE_LIST:
      ResultShape.isInteger(elementTypes[index])
        ? .int64Lists(values: [], offsets: [0]) : .floatLists(values: [], offsets: [0])
    default: .int64s([])
    }
  }

  /// The rows of one chunk, copied.
  func table(of chunk: duckdb_data_chunk, rows: Int) -> ColumnarResult {
    let columns = names.indices.map { index in
      let vector = unsafe VectorReader(
        vector: duckdb_data_chunk_get_vector(chunk, idx_t(index)), count: rows)
      return ResultColumn(
        name: names[index], values: unsafe values(index, vector), nulls: unsafe vector.nulls)
    }
    return ColumnarResult(columns: columns, rowCount: rows, statement: statement)
  }

  private func values(_ index: Int, _ vector: VectorReader) -> ResultColumn.Values {
    switch types[index] {
    case DUCKDB_TYPE_BOOLEAN: unsafe .bools(vector.copied(nullAs: false))
    case DUCKDB_TYPE_FLOAT: unsafe .floats(vector.copied(nullAs: .nan))
    case DUCKDB_TYPE_DOUBLE: unsafe .doubles(vector.copied(nullAs: .nan))
    case DUCKDB_TYPE_VARCHAR: unsafe .strings(vector.strings)
    case DUCKDB_TYPE_UBIGINT: unsafe .uint64s(vector.copied(nullAs: 0))
    case DUCKDB_TYPE_LIST: unsafe lists(vector, elementTypes[index])
    default: unsafe .int64s(ResultShape.integers(vector, types[index], nullAs: 0))
    }
  }

  private func lists(_ vector: VectorReader, _ element: duckdb_type) -> ResultColumn.Values {
    let (offsets, elements, ranges) = unsafe vector.lists
    if ResultShape.isInteger(element) {
      let all = unsafe ResultShape.integers(elements, element, nullAs: .min)
      return .int64Lists(values: gathered(all, ranges), offsets: offsets)
    }
    let all: [Float] =
      element == DUCKDB_TYPE_FLOAT
      ? unsafe elements.copied(nullAs: .nan)
      : unsafe elements.copied(nullAs: Double.nan).map(Float.init)
    return .floatLists(values: gathered(all, ranges), offsets: offsets)
  }

  /// The elements of `ranges` one after the other; nil stands for all in order, the usual case.
  private func gathered<Element>(_ all: [Element], _ ranges: [Range<Int>]?) -> [Element] {
    guard let ranges else { return all }
    return ranges.flatMap { all[$0] }
  }

  private static func integers(
    _ vector: VectorReader, _ type: duckdb_type, nullAs null: Int64
  ) -> [Int64] {
    switch type {
    case DUCKDB_TYPE_TINYINT: unsafe vector.widened(Int8.self, nullAs: null)
    case DUCKDB_TYPE_SMALLINT: unsafe vector.widened(Int16.self, nullAs: null)
    case DUCKDB_TYPE_INTEGER: unsafe vector.widened(Int32.self, nullAs: null)
    case DUCKDB_TYPE_UTINYINT: unsafe vector.widened(UInt8.self, nullAs: null)
    case DUCKDB_TYPE_USMALLINT: unsafe vector.widened(UInt16.self, nullAs: null)
    case DUCKDB_TYPE_UINTEGER: unsafe vector.widened(UInt32.self, nullAs: null)
    default: unsafe vector.copied(nullAs: null)
    }
  }
}

extension ColumnarResult {
  /// Adds the rows of a chunk of the same statement.
  mutating func append(_ chunk: ColumnarResult) {
    for index in columns.indices {
      columns[index].append(
        chunk.columns[index], rows: rowCount, addedRows: chunk.rowCount)
    }
    rowCount += chunk.rowCount
  }
}

extension ResultColumn {
  fileprivate mutating func append(_ other: ResultColumn, rows: Int, addedRows: Int) {
    if !other.nulls.isEmpty || !nulls.isEmpty {
      if nulls.isEmpty { nulls = [Bool](repeating: false, count: rows) }
      nulls +=
        other.nulls.isEmpty ? [Bool](repeating: false, count: addedRows) : other.nulls
    }
    values.append(other.values)
  }
}

extension ResultColumn.Values {
  /// Appends in place: the case is emptied first, so that its array is not copied.
  fileprivate mutating func append(_ other: Self) {
    let mine = self
    self = .bools([])
    switch (consume mine, other) {
    case (.bools(var a), .bools(let b)): a += b; self = .bools(a)
    case (.int64s(var a), .int64s(let b)): a += b; self = .int64s(a)
    case (.uint64s(var a), .uint64s(let b)): a += b; self = .uint64s(a)
    case (.doubles(var a), .doubles(let b)): a += b; self = .doubles(a)
    case (.floats(var a), .floats(let b)): a += b; self = .floats(a)
    case (.strings(var a), .strings(let b)): a += b; self = .strings(a)
    case (.floatLists(var a, var offsets), .floatLists(let b, let more)):
      offsets += more.dropFirst().map { $0 + a.count }
      a += b
      self = .floatLists(values: a, offsets: offsets)
    case (.int64Lists(var a, var offsets), .int64Lists(let b, let more)):
      offsets += more.dropFirst().map { $0 + a.count }
      a += b
      self = .int64Lists(values: a, offsets: offsets)
    default: preconditionFailure("chunks of one result differ in type")
    }
  }
}
