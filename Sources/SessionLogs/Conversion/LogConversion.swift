import DurableFiles
import EmbeddedAnalytics

/// Turns somebody's own tables into a session log.
///
/// The analytics engine reads, orders and joins the files, and spills what memory does not hold;
/// every value is read and checked here, row by row. The log appears whole or not at all.
public enum LogConversion {
  /// How a conversion may use the machine, and how much it tells.
  public struct Options: Sendable {
    /// Threads of the engine; they change no bit of a log.
    public var threads: Int
    /// Memory that the engine may take before it spills; nil: its own default.
    public var memoryLimitMegabytes: Int?
    /// Where it spills to; nil: nowhere.
    public var spillFolder: String?
    /// How many bad rows to describe; all are counted.
    public var findingLimit: Int
    /// Whether a log that stands at the output may be replaced.
    public var replacing: Bool

    /// Options with their defaults.
    public init(
      threads: Int = 2, memoryLimitMegabytes: Int? = nil, spillFolder: String? = nil,
      findingLimit: Int = 20, replacing: Bool = false
    ) {
      self.threads = threads
      self.memoryLimitMegabytes = memoryLimitMegabytes
      self.spillFolder = spillFolder
      self.findingLimit = findingLimit
      self.replacing = replacing
    }
  }

  /// Converts files.
  /// - Parameters:
  ///   - output: the folder of the log.
  ///   - states: what states are made from, in a log whose mapping has none.
  ///   - progress: called often with how many rows were read; may throw to stop.
  /// - Returns: what was read, kept and left out. Unless ``ConversionReport/written``, there are
  ///   rows that cannot be converted, and nothing stands at `output`.
  /// - Throws: `ConversionError`, `SessionLogError`, `DurableFileError`, the engine's error.
  public static func run(
    inputs: [String], mapping: LogMapping, output: String, states: StateFilling? = nil,
    options: Options = Options(), progress: @escaping (Int) throws -> Void = { _ in }
  ) throws -> ConversionReport {
    guard let states else {
      return try convert(inputs, mapping, output, options, progress)
    }
    if let (key, table) = mapping.decisionTable, table.state != nil {
      throw ConversionError.mapping(
        key: "\(key).state", expected: "nothing beside states, which are computed",
        found: "columns")
    }
    if !options.replacing, DurableFiles.exists(SessionLogFolder.schemaPath(in: output)) {
      throw SessionLogError.alreadyThere(folder: output)
    }
    try mapping.check()
    try states.check(mapping.schema(), log: output, options: options)
    let first = (options.spillFolder ?? output) + "-without-states"
    // Whatever stands there is somebody else's.
    if DurableFiles.exists(first) { throw SessionLogError.alreadyThere(folder: first) }
    defer { try? DurableFiles.remove(first) }
    var report = try convert(inputs, mapping, first, options, progress)
    guard report.written else { return report }
    let filled = try states.fill(
      SessionLogFolder(path: first), output: output, options: options, progress: progress)
    report.stateDefinition = filled.definition
    report.drop(.decisionWithoutState, report.decisions - filled.decisions)
    report.drop(.feedbackWithoutState, report.feedback - filled.feedback)
    (report.decisions, report.feedback) = (filled.decisions, filled.feedback)
    return report
  }

  private static func convert(
    _ inputs: [String], _ mapping: LogMapping, _ output: String, _ options: Options,
    _ progress: @escaping (Int) throws -> Void
  ) throws -> ConversionReport {
    try mapping.check()
    let database = try AnalyticsDatabase(
      AnalyticsOptions(
        threads: options.threads, memoryLimitMegabytes: options.memoryLimitMegabytes,
        temporaryFolder: options.spillFolder))
    let files = try filesByTable(inputs, mapping)
    func table(_ key: String, _ table: TableMapping?) throws -> SourceTable? {
      try table.map {
        try SourceTable(
          key: key, table: $0, files: files[key] ?? [], csv: mapping.csv, in: database)
      }
    }
    let impressions = try table("impressions", mapping.impressions)
    let decisions = try table("decisions", mapping.decisions)
    let feedback = try table("feedback", mapping.feedback)
    let writer = try SessionLogWriter(
      folder: output, schema: try mapping.schema(), replacing: options.replacing)
    defer { writer.abandon() }
    let sink = ConversionSink(
      writer: writer, mapping: mapping, findingLimit: options.findingLimit, progress: progress)
    if let impressions {
      try ImpressionConversion(mapping, impressions).run(database, into: sink)
    } else if let decisions, let feedback {
      try TableConversion(mapping, decisions: decisions, feedback: feedback)
        .run(database, into: sink)
    }
    return try sink.finish()
  }

  /// Which file holds which table, by the names in the mapping.
  private static func filesByTable(
    _ inputs: [String], _ mapping: LogMapping
  ) throws(ConversionError) -> [String: [String]] {
    let tables = [
      ("decisions", mapping.decisions), ("feedback", mapping.feedback),
      ("impressions", mapping.impressions),
    ].compactMap { key, table in table.map { (key: key, patterns: $0.files ?? ["*"]) } }
    var result: [String: [String]] = [:]
    for input in inputs {
      let name = input.split(separator: "/").last.map(String.init) ?? input
      let matching = tables.filter { table in
        table.patterns.contains { LogConversion.matches(name, $0) }
      }
      guard matching.count == 1 else {
        let known = tables.map { "\($0.key): \($0.patterns.joined(separator: ", "))" }
        throw .inputs(
          "\(input): expected to match the files of one table "
            + "(\(known.joined(separator: "; "))), "
            + "found \(matching.isEmpty ? "none" : matching.map(\.key).joined(separator: " and "))")
      }
      result[matching[0].key, default: []].append(input)
    }
    for table in tables where result[table.key] == nil {
      throw .inputs(
        "\(table.key): expected a file named \(table.patterns.joined(separator: " or ")), "
          + "found none among \(inputs.isEmpty ? "no inputs" : inputs.joined(separator: ", "))")
    }
    return result
  }

  /// Whether `name` is `pattern`, whose `*` stand for anything.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, parts.count > 1 else {
      return name == pattern
    }
    guard name.hasPrefix(first), name.count >= first.count + last.count else { return false }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(last)
  }
}

/// Where converted events go, and where what was left out is counted.
final class ConversionSink {
  private(set) var report = ConversionReport()
  let mapping: LogMapping
  private let writer: SessionLogWriter
  private let findingLimit: Int
  private let progress: (Int) throws -> Void
  private var rowsRead = 0

  init(
    writer: SessionLogWriter, mapping: LogMapping, findingLimit: Int,
    progress: @escaping (Int) throws -> Void
  ) {
    self.writer = writer
    self.mapping = mapping
    self.findingLimit = findingLimit
    self.progress = progress
  }

  /// Begins a table. - Returns: the index of its first file among the report's sources.
  func begin(_ table: SourceTable) -> Int {
    let first = report.sources.count
    report.sources += table.files.map {
      ConversionReport.Source(file: $0, table: table.key, rows: 0)
    }
    return first
  }

  func countRow(_ source: Int) throws {
    report.sources[source].rows += 1
    rowsRead += 1
    if rowsRead.isMultiple(of: 4096) { try progress(rowsRead) }
  }

  func drop(_ reason: ConversionReport.Reason, _ count: Int = 1) { report.drop(reason, count) }

  /// A row that cannot be converted.
  func fail(_ failure: FieldFailure, source: Int, row: Int) {
    report.badRows += 1
    if report.findings.count < findingLimit {
      report.findings.append(
        ConversionFinding(
          file: report.sources[source].file, row: row, column: failure.column,
          field: failure.field, expected: failure.expected, found: failure.found))
    }
  }

  /// Writes a decision.
  /// - Throws: `FieldFailure` where it does not fit the schema, and what the writer throws.
  func write(_ event: DecisionEvent, isTruncated: Bool) throws {
    do {
      try writer.write(event)
      if isTruncated { report.truncatedActions += 1 }
    } catch SessionLogError.event(_, _, let field, let expected, let found) {
      throw FieldFailure(column: nil, field: field, expected: expected, found: found)
    }
  }

  /// Writes a feedback event.
  /// - Throws: as for a decision.
  func write(_ event: FeedbackEvent) throws {
    do {
      try writer.write(event)
    } catch SessionLogError.event(_, _, let field, let expected, let found) {
      throw FieldFailure(column: nil, field: field, expected: expected, found: found)
    }
  }

  /// Puts the log into place, if no bad row forbids it.
  func finish() throws -> ConversionReport {
    for source in report.sources where source.rows == 0 {
      throw ConversionError.empty(file: source.file)
    }
    report.decisions = writer.decisionCount
    report.feedback = writer.feedbackCount
    if report.badRows > 0 && mapping.badRows == .refuse { return report }
    if report.decisions == 0 {
      throw ConversionError.inputs(
        "no decision is left: of \(rowsRead) rows, "
          + report.dropped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
          .joined(separator: ", "))
    }
    try writer.finish()
    report.written = true
    return report
  }
}
