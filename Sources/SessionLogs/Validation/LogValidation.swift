import EmbeddedAnalytics

/// The verdict on a whole log: each line held against the schema, then events against each other.
public struct LogValidation: Sendable {
  /// What the lines are.
  public let lines: LineValidation.Scan
  /// What is odd between events; empty if lines are at fault, as nothing is compared then.
  public let irregularities: IrregularityCounts
  /// How many events or items each irregularity could touch: decisions, feedback, items shown.
  public let totals: (decisions: Int, feedback: Int, items: Int)
  /// What is allowed and hardly meant; empty if lines are at fault.
  public let warnings: [LogWarning]
  /// What the log can be used for.
  public let uses: LogUses

  /// Validates a log.
  /// - Parameters:
  ///   - latestTimeMilliseconds: no event may be later; nil: any time goes.
  ///   - sessionGapMinutes: a longer pause ends a session.
  ///   - feedbackDeadlineMinutes: feedback that arrives later after its request is late.
  ///   - spillFolder: where the engine may put what does not fit into memory.
  /// - Throws: `DurableFileError` or the analytics engine's error.
  public init(
    of log: SessionLogFolder, latestTimeMilliseconds: Int64? = nil,
    sessionGapMinutes: Double = 30, feedbackDeadlineMinutes: Double = 60, threads: Int = 2,
    findingLimit: Int = 20, spillFolder: String? = nil
  ) throws {
    lines = try LineValidation.scan(
      log, threads: threads, findingLimit: findingLimit,
      latestTimeMilliseconds: latestTimeMilliseconds)
    guard lines.errorCount == 0 else {
      irregularities = IrregularityCounts(entries: [])
      totals = (lines.decisionCount, lines.feedbackCount, 0)
      warnings = []
      uses = LogUses(log.schema, isValid: false, warnings: [], propensityCoverage: 0)
      return
    }
    let database = try AnalyticsDatabase(
      AnalyticsOptions(threads: threads, temporaryFolder: spillFolder))
    let tables = try LogTables(
      of: log, in: database,
      window: LogWindow(
        sessionGapMinutes: sessionGapMinutes, feedbackDeadlineMinutes: feedbackDeadlineMinutes),
      withStates: false)
    irregularities = try tables.irregularities()
    try tables.cutSessions()
    warnings = try LogPlausibility.warnings(tables)
    let counts = try database.query(
      """
      SELECT coalesce((SELECT sum(item_count) FROM kept_decisions), 0)::BIGINT AS items,
        \(LogDescription.propensityCoverageSQL) AS coverage
      """)
    totals = (lines.decisionCount, lines.feedbackCount, Int(try counts.int64s("items")[0]))
    uses = LogUses(
      log.schema, isValid: irregularities.entries.allSatisfy { !$0.kind.isError },
      warnings: warnings, propensityCoverage: try counts.doubles("coverage")[0])
  }

  /// The share of its kind of events, or of the items shown, that an irregularity touches.
  public func share(of entry: IrregularityCounts.Entry) -> Double {
    let total =
      entry.kind == .missingFeedback
      ? totals.items : entry.kind.isAboutDecisions ? totals.decisions : totals.feedback
    return total > 0 ? Double(entry.count) / Double(total) : 0
  }

  /// Whether the log is as its schema promises.
  /// - Parameter strictly: whether what every service meets (repeated and late feedback, items
  ///   without any, decisions after the window) is refused too.
  public func isValid(strictly: Bool = false) -> Bool {
    lines.errorCount == 0
      && irregularities.entries.allSatisfy { !strictly && !$0.kind.isError }
  }
}
