import EmbeddedAnalytics

/// The verdict on a whole log: each line held against the schema, then events against each other.
public struct LogValidation: Sendable, Equatable {
  /// What the lines are.
  public let lines: LineValidation.Scan
  /// What is odd between events; empty if lines are at fault, as nothing is compared then.
  public let irregularities: IrregularityCounts

  /// Validates a log.
  /// - Parameters:
  ///   - latestTimeMilliseconds: no event may be later; nil: any time goes.
  ///   - feedbackDeadlineMinutes: feedback that arrives later after its request is late.
  ///   - spillFolder: where the engine may put what does not fit into memory.
  /// - Throws: `DurableFileError` or the analytics engine's error.
  public init(
    of log: SessionLogFolder, latestTimeMilliseconds: Int64? = nil,
    feedbackDeadlineMinutes: Double = 60, threads: Int = 2, findingLimit: Int = 20,
    spillFolder: String? = nil
  ) throws {
    lines = try LineValidation.scan(
      log, threads: threads, findingLimit: findingLimit,
      latestTimeMilliseconds: latestTimeMilliseconds)
    guard lines.errorCount == 0 else {
      irregularities = IrregularityCounts(entries: [])
      return
    }
    let database = try AnalyticsDatabase(
      AnalyticsOptions(threads: threads, temporaryFolder: spillFolder))
    irregularities = try LogTables(
      of: log, in: database, window: LogWindow(feedbackDeadlineMinutes: feedbackDeadlineMinutes),
      withStates: false
    ).irregularities()
  }

  /// Whether the log is as its schema promises.
  /// - Parameter strictly: whether what every service meets (repeated and late feedback, items
  ///   without any, decisions after the window) is refused too.
  public func isValid(strictly: Bool = false) -> Bool {
    lines.errorCount == 0
      && irregularities.entries.allSatisfy { !strictly && !$0.kind.isError }
  }
}
