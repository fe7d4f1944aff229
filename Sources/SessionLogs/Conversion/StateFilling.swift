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

  /// States by this definition.
  public init(
    definition: StateDefinition, profiles: String? = nil, items: String? = nil,
    userKey: String = "user_id", itemKey: String = "item_id", trainFraction: Double = 0.9
  ) {
    self.definition = definition
    self.profiles = profiles
    self.items = items
    self.userKey = userKey
    self.itemKey = itemKey
    self.trainFraction = trainFraction
  }

  /// Writes a log again with the states that a service would have had.
  ///
  /// Decisions come by user, and by time within; the lines are otherwise those of `log`.
  /// - Returns: the fitted definition, and how many decisions have a state.
  /// - Throws: `StateReplayError`, `StateDefinitionError`, and what the engine and the writer throw.
  func fill(
    _ log: SessionLogFolder, output: String, options: LogConversion.Options,
    progress: (Int) throws -> Void
  ) throws -> (definition: StateDefinition, decisions: Int) {
    let database = try AnalyticsDatabase(
      AnalyticsOptions(
        threads: options.threads, memoryLimitMegabytes: options.memoryLimitMegabytes,
        temporaryFolder: options.spillFolder))
    let tables = try LogTables(of: log, in: database, window: LogWindow(), withStates: false)
    try tables.cutSessions()
    let replay = try StateReplay(
      definition, tables: tables, profiles: profiles, items: items, userKey: userKey,
      itemKey: itemKey)
    let fitted = try replay.fitted(before: trainingEnd(tables))
    let schema = try LogSchema(
      tasks: log.schema.tasks, behaviors: log.schema.behaviors, stateNames: fitted.names,
      actionSize: log.schema.actionSize,
      unknown: Set(log.schema.unknown).subtracting([.state]),
      windowEndMilliseconds: log.schema.windowEndMilliseconds, stateDefinition: fitted)
    let writer = try SessionLogWriter(
      folder: output, schema: schema, replacing: options.replacing)
    defer { writer.abandon() }
    try database.execute("CREATE TABLE lines AS \(StateFilling.lines(of: log.decisionsPath))")
    try StateReplay(copying: replay, fitted).forEachDecision(
      carrying: ["(SELECT line FROM lines WHERE lines.rowid = x.rowid)"]
    ) { decision in
      if writer.decisionCount.isMultiple(of: 4096) { try progress(writer.decisionCount) }
      let line = try decision.chunk.strings("carried_0")[decision.row]
      try writer.write(line: line, ofRequest: decision.requestID, state: decision.state)
    }
    try database.forEachChunk(StateFilling.lines(of: log.feedbackPath)) { chunk in
      for line in try chunk.strings("line") { try writer.write(feedbackLine: line) }
    }
    try writer.finish()
    return (fitted, writer.decisionCount)
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

  /// The lines of a file as they stand. No control character occurs in a line of JSON.
  private static func lines(of path: String) -> String {
    """
    SELECT line FROM read_csv(\(SQLText.fileLiteral(path)), header = false, delim = '\u{1}',
      quote = '', escape = '', columns = {'line': 'VARCHAR'}, max_line_size = 67108864,
      auto_detect = false, strict_mode = false)
    """
  }
}
