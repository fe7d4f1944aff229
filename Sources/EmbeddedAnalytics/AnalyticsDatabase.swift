import CDuckDB
import Synchronization

/// How the engine may use the machine.
package struct AnalyticsOptions: Sendable {
  /// Worker threads.
  package var threads: Int
  /// Memory the engine may take before it spills to ``temporaryFolder``; nil: its own default
  /// (80 % of the machine's).
  package var memoryLimitMegabytes: Int?
  /// Where the engine spills to; nil: it may not.
  package var temporaryFolder: String?

  package init(
    threads: Int = 2, memoryLimitMegabytes: Int? = nil, temporaryFolder: String? = nil
  ) {
    self.threads = threads
    self.memoryLimitMegabytes = memoryLimitMegabytes
    self.temporaryFolder = temporaryFolder
  }
}

/// A value bound to a `?` of a statement.
package enum AnalyticsValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int64(Int64)
  case double(Double)
  case string(String)
}

/// An in-memory analytical database: a safe face of DuckDB's C API.
///
/// One connection; statements run one after the other, each on all of the engine's threads. It
/// loads no extension and touches no network.
@safe package final class AnalyticsDatabase {
  private var database: duckdb_database?
  private var connection: duckdb_connection?

  /// Stops a running statement from another thread or a signal's handler task.
  package let interrupter = AnalyticsInterrupter()

  /// The engine's version, for example `v2.0.0`.
  package static var engineVersion: String { unsafe String(cString: duckdb_library_version()) }

  /// Opens an empty database in memory.
  /// - Throws: `AnalyticsError` with the engine's reason.
  package init(_ options: AnalyticsOptions = AnalyticsOptions()) throws(AnalyticsError) {
    precondition(options.threads > 0, "\(options.threads) threads")
    var settings = [
      ("threads", String(options.threads)), ("temp_directory", options.temporaryFolder ?? ""),
      ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"),
    ]
    if let megabytes = options.memoryLimitMegabytes {
      precondition(megabytes > 0, "a memory limit of \(megabytes) MB")
      settings.append(("memory_limit", "\(megabytes)MB"))
    }
    unsafe database = try AnalyticsDatabase.opened(settings)
    var opened: duckdb_connection?
    guard unsafe duckdb_connect(database, &opened) == DuckDBSuccess else {
      unsafe duckdb_close(&database)
      throw AnalyticsError(kind: .open, message: "no connection", statement: "")
    }
    unsafe connection = opened
    unsafe interrupter.attach(opened)
  }

  deinit {
    interrupter.detach()
    unsafe duckdb_disconnect(&connection)
    unsafe duckdb_close(&database)
  }

  private static func opened(
    _ settings: [(name: String, value: String)]
  ) throws(AnalyticsError) -> duckdb_database? {
    var configuration: duckdb_config?
    defer { unsafe duckdb_destroy_config(&configuration) }
    guard unsafe duckdb_create_config(&configuration) == DuckDBSuccess else {
      throw AnalyticsError(kind: .open, message: "no configuration", statement: "")
    }
    for (name, value) in settings {
      guard unsafe duckdb_set_config(configuration, name, value) == DuckDBSuccess else {
        throw AnalyticsError(
          kind: .open, message: "setting \(name) = \(value) was refused", statement: "")
      }
    }
    var database: duckdb_database?
    var reason: UnsafeMutablePointer<CChar>?
    guard unsafe duckdb_open_ext(":memory:", &database, configuration, &reason) == DuckDBSuccess
    else {
      let message = unsafe reason.map { unsafe String(cString: $0) } ?? "unknown reason"
      unsafe duckdb_free(reason)
      throw AnalyticsError(kind: .open, message: message, statement: "")
    }
    return unsafe database
  }

  /// Runs a statement, or several separated by semicolons, for its effect.
  /// - Returns: how many rows the last one changed.
  /// - Throws: `AnalyticsError` with the engine's message.
  @discardableResult
  package func execute(_ sql: String) throws(AnalyticsError) -> Int {
    var result = unsafe duckdb_result()
    defer { unsafe duckdb_destroy_result(&result) }
    guard unsafe duckdb_query(connection, sql, &result) == DuckDBSuccess else {
      throw unsafe AnalyticsDatabase.failure(of: &result, sql)
    }
    return Int(unsafe duckdb_rows_changed(&result))
  }

  /// Runs one statement and returns its whole result.
  /// - Parameter values: what stands for each `?` of the statement, in order.
  /// - Throws: `AnalyticsError` with the engine's message, or for a column type that has no
  ///   counterpart (cast `HUGEINT`, `DECIMAL` and times in the statement).
  package func query(
    _ sql: String, _ values: [AnalyticsValue] = []
  ) throws -> ColumnarResult {
    var whole: ColumnarResult?
    try run(sql, values, streaming: false) { chunk in
      if whole == nil { whole = chunk } else { whole?.append(chunk) }
    }
    guard let whole else { preconditionFailure("a result without a chunk") }
    return whole
  }

  /// Runs one statement and hands over its rows chunk by chunk (about 2,048 rows each) while it
  /// runs, so that a result larger than memory can be read. A result without rows gives one
  /// chunk without rows.
  /// - Throws: as ``query(_:_:)``, and what `body` throws; the statement then stops.
  package func forEachChunk(
    _ sql: String, _ values: [AnalyticsValue] = [], _ body: (ColumnarResult) throws -> Void
  ) throws {
    try run(sql, values, streaming: true, body)
  }

  private func run(
    _ sql: String, _ values: [AnalyticsValue], streaming: Bool,
    _ body: (ColumnarResult) throws -> Void
  ) throws {
    var statement: duckdb_prepared_statement?
    defer { unsafe duckdb_destroy_prepare(&statement) }
    guard unsafe duckdb_prepare(connection, sql, &statement) == DuckDBSuccess else {
      let reason = unsafe duckdb_prepare_error(statement).map { unsafe String(cString: $0) }
      throw AnalyticsError(kind: .statement, message: reason ?? "not prepared", statement: sql)
    }
    try unsafe AnalyticsDatabase.bind(values, to: statement, sql)
    var result = unsafe duckdb_result()
    defer { unsafe duckdb_destroy_result(&result) }
    let state =
      streaming
      ? unsafe duckdb_execute_prepared_streaming(statement, &result)
      : unsafe duckdb_execute_prepared(statement, &result)
    guard state == DuckDBSuccess else {
      throw unsafe AnalyticsDatabase.failure(of: &result, sql)
    }
    let shape = try unsafe ResultShape(of: &result, statement: sql)
    var handedOver = false
    while let fetched = unsafe duckdb_fetch_chunk(result) {
      var chunk: duckdb_data_chunk? = unsafe fetched
      defer { unsafe duckdb_destroy_data_chunk(&chunk) }
      let rows = Int(unsafe duckdb_data_chunk_get_size(fetched))
      if rows == 0 { break }
      handedOver = true
      try body(unsafe shape.table(of: fetched, rows: rows))
    }
    if unsafe duckdb_result_error(&result) != nil {
      throw unsafe AnalyticsDatabase.failure(of: &result, sql)
    }
    if !handedOver { try body(shape.emptyTable) }
  }

  private static func bind(
    _ values: [AnalyticsValue], to statement: duckdb_prepared_statement?, _ sql: String
  ) throws(AnalyticsError) {
    let wanted = Int(unsafe duckdb_nparams(statement))
    guard wanted == values.count else {
      throw AnalyticsError(
        kind: .statement, message: "\(wanted) values expected, \(values.count) given",
        statement: sql)
    }
    for (index, value) in values.enumerated() {
      let place = idx_t(index + 1)
      let state =
        switch value {
        case .null: unsafe duckdb_bind_null(statement, place)
        case .bool(let value): unsafe duckdb_bind_boolean(statement, place, value)
        case .int64(let value): unsafe duckdb_bind_int64(statement, place, value)
        case .double(let value): unsafe duckdb_bind_double(statement, place, value)
        case .string(let value):
          unsafe duckdb_bind_varchar_length(statement, place, value, idx_t(value.utf8.count))
        }
      guard state == DuckDBSuccess else {
        throw AnalyticsError(
          kind: .statement, message: "value \(index + 1) (\(value)) was refused", statement: sql)
      }
    }
  }

  private static func failure(of result: inout duckdb_result, _ sql: String) -> AnalyticsError {
    let reason = unsafe duckdb_result_error(&result).map { unsafe String(cString: $0) }
    let message = reason ?? "unknown reason"
    let interrupted = message.hasPrefix("INTERRUPT")
    return AnalyticsError(
      kind: interrupted ? .interrupted : .statement, message: message, statement: sql)
  }
}

/// Stops the statement that an ``AnalyticsDatabase`` is running; safe from any thread.
package final class AnalyticsInterrupter: Sendable {
  @safe private struct Connection: @unchecked Sendable {
    // `duckdb_interrupt` may be called from any thread while the connection is open.
    let handle: duckdb_connection?
  }

  private let attached = Mutex(unsafe Connection(handle: nil))

  func attach(_ handle: duckdb_connection?) {
    attached.withLock { unsafe $0 = Connection(handle: handle) }
  }

  func detach() { attached.withLock { unsafe $0 = Connection(handle: nil) } }

  /// Makes the running statement fail with ``AnalyticsError/Kind/interrupted``; without one it
  /// does nothing.
  package func interrupt() {
    attached.withLock { connection in
      if let handle = unsafe connection.handle { unsafe duckdb_interrupt(handle) }
    }
  }
}
