import EmbeddedAnalytics
import Foundation
import Testing

@Suite("The analytical database")
struct AnalyticsDatabaseTests {
  @Test("every column type arrives with its values and nulls")
  func columnTypes() throws {
    let database = try AnalyticsDatabase()
    let result = try database.query(
      """
      SELECT * FROM (VALUES
        (true, 7::TINYINT, 300::SMALLINT, -5::BIGINT, 18446744073709551615::UBIGINT, 0.1::FLOAT,
         0.1::DOUBLE, 'short', [1.5, 2.5]::FLOAT[], [1, 2, 3]::INTEGER[]),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (false, -8::TINYINT, 9::SMALLINT, 9007199254740993, 1::UBIGINT, -0.0::FLOAT, 1e300,
         'a string longer than twelve bytes: ä€', []::FLOAT[], [NULL, 4]::INTEGER[])
      ) t(b, i8, i16, i64, u64, f, d, s, l, k)
      """)
    #expect(result.rowCount == 3)
    #expect(try result.bools("b") == [true, false, false])
    #expect(try result.int64s("i8") == [7, 0, -8])
    #expect(try result.int64s("i16") == [300, 0, 9])
    #expect(try result.int64s("i64") == [-5, 0, 9_007_199_254_740_993])
    #expect(try result.uint64s("u64") == [.max, 0, 1])
    let floats = try result.floats("f")
    #expect(floats[0] == 0.1 && floats[1].isNaN && floats[2].bitPattern == 0x8000_0000)
    let doubles = try result.doubles("d")
    #expect(doubles[0] == 0.1 && doubles[1].isNaN && doubles[2] == 1e300)
    #expect(
      try result.strings("s") == ["short", "", "a string longer than twelve bytes: ä€"])
    #expect(try result.floatLists("l").values == [1.5, 2.5])
    #expect(try result.floatLists("l").offsets == [0, 2, 2, 2])
    #expect(
      try result.column("k").values
        == .int64Lists(values: [1, 2, 3, .min, 4], offsets: [0, 3, 3, 5]))
    for column in result.columns {
      #expect((0..<3).map(column.isNull) == [false, true, false], "\(column.name)")
    }
    #expect(try result.doubles("i8")[1].isNaN)
  }

  @Test("lists that the engine reorders arrive with their own rows")
  func reorderedLists() throws {
    let database = try AnalyticsDatabase()
    let result = try database.query(
      """
      SELECT i, [i, i + 0.5]::DOUBLE[] AS l FROM range(5000) t(i)
      WHERE i % 3 <> 1 ORDER BY hash(i)
      """)
    let numbers = try result.doubles("i")
    let (values, offsets) = try result.floatLists("l")
    #expect(result.rowCount == 3333)
    for row in 0..<result.rowCount {
      #expect(
        Array(values[offsets[row]..<offsets[row + 1]])
          == [Float(numbers[row]), Float(numbers[row]) + 0.5])
    }
  }

  @Test("a result streams in chunks whose rows add up to the whole", arguments: [0, 1, 2048, 9999])
  func streaming(count: Int) throws {
    let database = try AnalyticsDatabase()
    var rows = 0
    var sum: Int64 = 0
    var chunks = 0
    try database.forEachChunk("SELECT i, i::VARCHAR s FROM range(?) t(i)", [.int64(Int64(count))]) {
      chunk in
      chunks += 1
      rows += chunk.rowCount
      sum += try chunk.int64s("i").reduce(0, +)
      #expect(try chunk.strings("s") == chunk.int64s("i").map(String.init))
    }
    #expect(rows == count && sum == Int64(count * (count - 1) / 2) && chunks >= 1)
  }

  @Test("a whole result joins chunks with and without nulls")
  func joinedNulls() throws {
    let database = try AnalyticsDatabase(AnalyticsOptions(threads: 1))
    let result = try database.query(
      "SELECT CASE WHEN i = 5000 THEN NULL ELSE i END AS i FROM range(8000) t(i)")
    let column = try result.column("i")
    #expect(column.nullCount == 1 && column.isNull(5000) && !column.isNull(7999))
  }

  @Test("values are bound, not spelt into the statement")
  func boundValues() throws {
    let database = try AnalyticsDatabase()
    let evil = "it's; DROP TABLE x --\n\u{1F600}"
    let result = try database.query(
      "SELECT ? AS a, ? AS b, ?::DOUBLE AS c, ? IS NULL AS d, ? AS e",
      [.string(evil), .int64(.min), .double(0.1), .null, .bool(true)])
    #expect(try result.strings("a") == [evil])
    #expect(try result.int64s("b") == [.min])
    #expect(try result.doubles("c") == [0.1])
    #expect(try result.bools("d") == [true])
    #expect(try result.bools("e") == [true])
    let quoted = try database.query(
      "SELECT \(SQLText.literal(evil)) AS \(SQLText.identifier("a\"b"))")
    #expect(try quoted.strings("a\"b") == [evil])
  }

  @Test("a failing statement names its text and the engine's reason")
  func failures() throws {
    let database = try AnalyticsDatabase()
    let error = #expect(throws: AnalyticsError.self) { try database.execute("SELEC 1") }
    #expect(error?.kind == .statement)
    #expect(error?.message.contains("SELEC") == true)
    #expect(error?.statement == "SELEC 1")
    #expect(throws: AnalyticsError.self) { try database.query("SELECT * FROM nowhere") }
    #expect(throws: AnalyticsError.self) { try database.query("SELECT 'x'::INTEGER") }
    #expect(throws: AnalyticsError.self) { try database.query("SELECT ?", []) }
    let late = #expect(throws: AnalyticsError.self) {
      try database.forEachChunk(
        "SELECT CASE WHEN i = 90000 THEN error('row ninety thousand') ELSE i END AS i"
          + " FROM range(100000) t(i)"
      ) { _ in }
    }
    #expect(late?.message.contains("row ninety thousand") == true)
    let long = AnalyticsError(
      kind: .statement, message: "m", statement: String(repeating: "x", count: 500))
    #expect(long.statement.count == AnalyticsError.statementHeadLength + 1)
  }

  @Test("a column asked for by a wrong name or type is a clear error")
  func wrongColumns() throws {
    let database = try AnalyticsDatabase()
    let result = try database.query("SELECT 1 AS a, 'x' AS b")
    #expect(throws: AnalyticsError.self) { try result.column("c") }
    let error = #expect(throws: AnalyticsError.self) { try result.int64s("b") }
    #expect(error?.message == "column “b” is VARCHAR, integer expected")
    #expect(try database.query("SELECT 42").singleInteger() == 42)
    #expect(throws: AnalyticsError.self) { try result.singleInteger() }
    let huge = #expect(throws: AnalyticsError.self) {
      try database.query("SELECT 1::HUGEINT AS h")
    }
    #expect(huge?.kind == .column)
  }

  @Test("what the reader throws ends the stream and reaches the caller")
  func readerThrows() throws {
    struct Stop: Error {}
    let database = try AnalyticsDatabase()
    var chunks = 0
    #expect(throws: Stop.self) {
      try database.forEachChunk("SELECT * FROM range(1000000)") { _ in
        chunks += 1
        throw Stop()
      }
    }
    #expect(chunks == 1)
    #expect(try database.query("SELECT 1").singleInteger() == 1)
  }

  @Test("an interrupt stops a statement that runs for ever")
  func interrupt() async throws {
    let database = try AnalyticsDatabase()
    let interrupter = database.interrupter
    let stopper = Task.detached {
      while !Task.isCancelled {
        interrupter.interrupt()
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
    let error = #expect(throws: AnalyticsError.self) {
      try database.query(
        "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE (a.range ^ b.range) = 3")
    }
    stopper.cancel()
    await stopper.value
    #expect(error?.kind == .interrupted)
  }

  @Test("a statement over the memory limit fails clearly, and spills where it may")
  func memoryLimit() throws {
    let sql = "SELECT md5(i::VARCHAR) AS s FROM range(600000) t(i) ORDER BY s OFFSET 599998"
    let tight = try AnalyticsDatabase(AnalyticsOptions(threads: 1, memoryLimitMegabytes: 12))
    let error = #expect(throws: AnalyticsError.self) { try tight.query(sql) }
    #expect(error?.message.contains("Out of Memory") == true)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "amalgam-spill-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let spilling = try AnalyticsDatabase(
      AnalyticsOptions(threads: 1, memoryLimitMegabytes: 25, temporaryFolder: folder))
    #expect(try spilling.query(sql).rowCount == 2)
  }

  @Test("a path's pattern characters are read as themselves")
  func fileLiterals() {
    #expect(SQLText.fileLiteral("/a/b's [1]*?.csv") == "'/a/b''s [[]1][*][?].csv'")
  }
}
