import DurableFiles
import EmbeddedAnalytics
public import FusionMDP

/// What the states of a converted log are made from.
public struct StateFilling: Sendable {
  /// What a state holds; what depends on data is fitted.
  public var definition: StateDefinition
  /// A file of user profiles: the user's id, the declared columns, maybe `time_ms`.
  public var profiles: String?
  /// A file of items: the item's id, the declared column of topics, maybe `time_ms`.
  public var items: String?
  /// What the profiles call the user's id.
  public var userKey: String
  /// What the items call the item's id.
  public var itemKey: String
  /// The share of sessions, by start time, on which the definition is fitted: that of preparation.
  public var trainFraction: Double
  /// The fitted definition as a text for people, which the log's folder holds too; nil: it does not.
  public var fittedText: (@Sendable (StateDefinition) throws -> String)?

  /// States by this definition.
  public init(
    definition: StateDefinition, profiles: String? = nil, items: String? = nil,
    userKey: String = "user_id", itemKey: String = "item_id", trainFraction: Double = 0.9,
    fittedText: (@Sendable (StateDefinition) throws -> String)? = nil
  ) {
    self.definition = definition
    self.profiles = profiles
    self.items = items
    self.userKey = userKey
    self.itemKey = itemKey
    self.trainFraction = trainFraction
    self.fittedText = fittedText
  }

  /// Whether states can be computed for a log of this schema: what needs no event is looked at
  /// before any is read.
  /// - Throws: as ``fill(_:output:options:progress:)``.
  func check(_ schema: LogSchema, log: String, options: LogConversion.Options) throws {
    try StateReplay.check(
      definition, log: log, signals: LogTables.signals(of: schema),
      hasProfiles: profiles != nil, hasItems: items != nil)
    let database = try Self.database(options)
    _ = try StateReplay.profiles(profiles, key: userKey, definition, in: database)
    _ = try StateReplay.items(items, key: itemKey, definition, in: database)
  }

  private static func database(_ options: LogConversion.Options) throws -> AnalyticsDatabase {
    try AnalyticsDatabase(
      AnalyticsOptions(
        threads: options.threads, memoryLimitMegabytes: options.memoryLimitMegabytes,
        temporaryFolder: options.spillFolder))
  }

  /// Writes a log again with the states that a service would have had that learns of feedback no
  /// later than the deadline of preparation.
  ///
  /// Decisions come by user, and by time within; the lines are otherwise those of `log`. Feedback
  /// of decisions that are left out is left out too.
  /// - Returns: the fitted definition, and how many decisions and feedback events are written.
  /// - Throws: `StateReplayError`, `StateDefinitionError`, and what the engine and the writer throw.
  func fill(
    _ log: SessionLogFolder, output: String, options: LogConversion.Options,
    progress: (Int) throws -> Void
  ) throws -> (definition: StateDefinition, decisions: Int, feedback: Int) {
    let database = try Self.database(options)
    let tables = try LogTables(of: log, in: database, window: LogWindow(), withStates: false)
    try tables.cutSessions()
    let replay = try StateReplay(
      definition, tables: tables, profiles: profiles, items: items, userKey: userKey,
      itemKey: itemKey)
    let fitted = try replay.fitted(before: trainingEnd(tables)) { try progress(0) }
    let schema = try LogSchema(
      tasks: log.schema.tasks, behaviors: log.schema.behaviors, stateNames: fitted.names,
      actionSize: log.schema.actionSize,
      unknown: Set(log.schema.unknown).subtracting([.state]),
      windowEndMilliseconds: log.schema.windowEndMilliseconds, stateDefinition: fitted)
    let writer = try SessionLogWriter(
      folder: output, schema: schema, replacing: options.replacing)
    defer { writer.abandon() }
    try database.execute("CREATE TABLE lines AS \(StateFilling.lines(of: log.decisionsPaths))")
    try StateReplay(copying: replay, fitted).forEachDecision(
      carrying: ["(SELECT line FROM lines WHERE lines.rowid = x.rowid)"],
      progress: { try progress(writer.decisionCount) }
    ) { decision in
      let line = try decision.chunk.strings("carried_0")[decision.row]
      try writer.write(line: line, ofRequest: decision.requestID, state: decision.state)
    }
    try database.forEachChunk(try feedbackLines(of: log, database)) { chunk in
      try progress(writer.decisionCount)
      for line in try chunk.strings("line") { try writer.write(feedbackLine: line) }
    }
    try writer.finish(stateText: fittedText.map { try $0(fitted) })
    return (fitted, writer.decisionCount, writer.feedbackCount)
  }

  /// The feedback lines whose decision has a state, as they stand. Those without any decision stay:
  /// validation tells of them.
  private func feedbackLines(
    of log: SessionLogFolder, _ database: AnalyticsDatabase
  ) throws -> String {
    let lines = StateFilling.lines(of: log.feedbackPaths)
    let late = "verdict = '\(LogIrregularity.decisionAfterWindow.rawValue)'"
    let count = try database.query("SELECT count(*) FROM judged_feedback WHERE \(late)")
    if try count.singleInteger() == 0 { return lines }
    return """
      SELECT line FROM (SELECT line, row_number() OVER () - 1 AS id FROM (\(lines)))
      ANTI JOIN (SELECT id FROM judged_feedback WHERE \(late)) USING (id) ORDER BY id
      """
  }

  /// The start of the first session after the training fraction, as preparation splits; beyond the
  /// log if all of it is for training.
  private func trainingEnd(_ tables: LogTables) throws -> Int64 {
    try tables.database.query(
      """
      SELECT coalesce(min(start_ms), \(tables.windowEndMilliseconds + 1))::BIGINT FROM (
        SELECT start_ms, row_number() OVER (ORDER BY start_ms, user_id) - 1 AS rank,
          count(*) OVER () AS total
        FROM sessions WHERE kept > 0)
      WHERE rank >= greatest(1, floor(total * \(trainFraction)::DOUBLE))
      """
    ).singleInteger()
  }

  /// The lines of files as they stand. No control character occurs in a line of JSON.
  private static func lines(of paths: [String]) -> String {
    """
    SELECT line FROM read_csv(\(SQLText.fileLiterals(paths)), header = false, delim = '\u{1}',
      quote = '', escape = '', columns = {'line': 'VARCHAR'}, max_line_size = 67108864,
      auto_detect = false, strict_mode = false)
    """
  }
}
