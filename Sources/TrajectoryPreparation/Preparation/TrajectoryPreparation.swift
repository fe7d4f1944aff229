import DurableFiles
import EmbeddedAnalytics
import FusionMDP
import SeededRandom
public import SessionLogs

/// What a preparation did.
public struct PreparationReport: Sendable, Equatable {
  /// The folder of the training set, for ``TrajectoryShards``.
  public let trainFolder: String
  /// The folder of the test set; nil when the whole log is for training.
  public let testFolder: String?
  /// The manifest of the training set.
  public let train: TrajectoryManifest
  /// The manifest of the test set.
  public let test: TrajectoryManifest?
  /// Decision and feedback events, sessions found and how they ended, and what was left out.
  public let counts: [String: Int]
  /// How often each irregularity occurs, and where first.
  public let irregularities: IrregularityCounts
}

/// Turns a session log into folders of trajectory shards.
public enum TrajectoryPreparation {
  /// Validates the log line by line, joins decisions with feedback, cuts sessions, splits them by
  /// time, and writes `train/` and `test/` into `output`, which appears whole or not at all.
  ///
  /// - Parameters:
  ///   - provenance: names and content hashes to put into the manifests as `sources`.
  ///   - progress: told the name of each stage as it begins; may throw to stop.
  /// - Throws: `PreparationError`, `SessionLogError`, `DurableFileError` or the analytics engine's
  ///   error.
  public static func run(
    log: SessionLogFolder, output: String,
    configuration: PreparationConfiguration = PreparationConfiguration(),
    provenance: [String: String] = [:], progress: @escaping (String) throws -> Void = { _ in }
  ) throws -> PreparationReport {
    try configuration.validate()
    for part in [LogSchema.Part.state, .action] where !log.schema.knows(part) {
      throw PreparationError.noTransitions(
        log: log.path,
        reason: "schema.json says that the log's \(part.rawValue)s are unknown, and a "
          + "transition is a state, an action and what came of it")
    }
    let quantile = SatisfactionReward.playQuantileName
    if configuration.playQuantile != nil, log.schema.behaviors.contains(quantile) {
      throw PreparationError.configuration(
        field: "playQuantile", expected: "null, as the log has its own “\(quantile)”",
        found: "settings")
    }
    try progress("checking the lines")
    let scan = try LineValidation.scan(log, threads: configuration.threads)
    if let finding = scan.findings.first {
      throw PreparationError.invalidLog(
        scan.errorCount == 1
          ? "\(finding)" : "\(finding)\n(and \(scan.errorCount - 1) more: see logs validate)")
    }
    var result: PreparationReport?
    try DurableFiles.writeFolder(at: output) { folder in
      let run = try PreparationRun(
        log: log, folder: folder, configuration: configuration, provenance: provenance,
        progress: progress)
      result = try run.report(finalFolder: output)
    }
    guard let result else { preconditionFailure("the folder was written without its content") }
    return result
  }
}

/// One preparation under way.
private struct PreparationRun {
  let log: SessionLogFolder
  let folder: String
  let configuration: PreparationConfiguration
  let provenance: [String: String]
  let progress: (String) throws -> Void
  let tables: LogTables
  let plan: SessionPlan

  init(
    log: SessionLogFolder, folder: String, configuration: PreparationConfiguration,
    provenance: [String: String], progress: @escaping (String) throws -> Void
  ) throws {
    self.log = log
    self.folder = folder
    self.configuration = configuration
    self.provenance = provenance
    self.progress = progress
    let database = try AnalyticsDatabase(
      AnalyticsOptions(
        threads: configuration.threads, memoryLimitMegabytes: configuration.memoryLimitMegabytes,
        temporaryFolder: folder + "/spill"))
    try progress("joining decisions and feedback")
    tables = try LogTables(
      of: log, in: database,
      window: LogWindow(
        sessionGapMinutes: configuration.sessionGapMinutes,
        feedbackDeadlineMinutes: configuration.feedbackDeadlineMinutes),
      withStates: true)
    plan = SessionPlan(tables: tables, configuration: configuration)
  }

  func report(finalFolder: String) throws -> PreparationReport {
    let irregularities = try tables.irregularities()
    try progress("cutting sessions")
    try plan.run()
    let counts = try counted(irregularities)
    try progress("writing the training set")
    guard let train = try write(part: 0, named: "train", counts) else {
      throw PreparationError.noTransitions(
        log: log.path,
        reason: "\(counts["sessions"] ?? 0) sessions from \(counts["decisions"] ?? 0) decisions, "
          + "\(counts["sessions_without_transition"] ?? 0) without a transition, "
          + "\(counts["sessions_left_out_by_arm"] ?? 0) of other arms")
    }
    try progress("writing the test set")
    let test = try write(part: 1, named: "test", counts)
    let spill = folder + "/spill"
    if DurableFiles.exists(spill) { try DurableFiles.remove(spill) }
    return PreparationReport(
      trainFolder: finalFolder + "/train", testFolder: test == nil ? nil : finalFolder + "/test",
      train: train, test: test, counts: counts, irregularities: irregularities)
  }

  private func counted(_ irregularities: IrregularityCounts) throws -> [String: Int] {
    let row = try tables.database.query(
      """
      SELECT (SELECT count(*) FROM decisions) AS decisions,
        (SELECT count(*) FROM judged_feedback) AS feedback,
        (SELECT count(*) FROM responses) AS requests_with_feedback,
        count(*) AS sessions,
        count(*) FILTER (WHERE truncated) AS truncated_sessions,
        count(*) FILTER (WHERE cut) AS sessions_cut_by_the_window,
        count(*) FILTER (WHERE first_open IS NOT NULL) AS sessions_with_open_feedback,
        count(*) FILTER (WHERE kept = 0) AS sessions_without_transition,
        count(*) FILTER (WHERE kept > 0) - (SELECT count(*) FROM chosen)
          AS sessions_left_out_by_arm,
        count(*) FILTER (WHERE arms > 1) AS sessions_in_several_arms
      FROM sessions
      """)
    var counts: [String: Int] = [:]
    for name in row.names { counts[name] = Int(try row.int64s(name)[0]) }
    for kind in LogIrregularity.allCases { counts[kind.rawValue] = irregularities[kind] }
    return counts
  }

  /// Writes one part; nil when it has no session.
  private func write(
    part: Int, named name: String, _ counts: [String: Int]
  ) throws -> TrajectoryManifest? {
    let schema = log.schema
    let path = folder + "/" + name
    var writer = ShardWriter(
      folder: path, stateSize: schema.stateSize, actionSize: schema.actionSize,
      signalCount: plan.signals.count,
      maximumTransitions: configuration.maximumShardTransitions)
    let split = try tables.database.query(
      "SELECT count(*) AS n, any_value(split_ms) AS split_ms FROM chosen WHERE part = \(part)")
    guard try split.int64s("n")[0] > 0 else { return nil }
    try DurableFiles.makeFolders(path)
    try tables.database.forEachChunk(plan.rowsSQL(part: part)) { chunk in
      try progress("")
      try add(chunk, to: &writer)
    }
    try writer.finish()
    var manifest = TrajectoryManifest()
    manifest.stateNames = schema.stateNames
    manifest.stateDefinition = schema.stateDefinition
    if schema.actionSize == schema.taskCount { manifest.actionNames = schema.tasks.names }
    manifest.signals = plan.signals
    if let settings = configuration.playQuantile {
      manifest.playQuantiles = try PlayQuantiles(tables: tables, settings: settings).stored()
    }
    manifest.shards = writer.shards
    manifest.transitions = writer.shards.reduce(0) { $0 + $1.transitions }
    manifest.sessions = writer.shards.reduce(0) { $0 + $1.sessions }
    let boundary = try split.column("split_ms")
    manifest.split = TrajectoryManifest.Split(
      part: name, trainFraction: configuration.trainFraction,
      timeMilliseconds: boundary.isNull(0) ? nil : try split.int64s("split_ms")[0])
    manifest.preparation = configuration
    manifest.windowEndMilliseconds = tables.windowEndMilliseconds
    manifest.sources = provenance
    manifest.counts = counts
    try manifest.write(toFolder: path)
    return manifest
  }

  private func add(_ chunk: ColumnarResult, to writer: inout ShardWriter) throws {
    let (steps, kept) = (try chunk.int64s("step"), try chunk.int64s("kept"))
    let truncated = try chunk.bools("truncated")
    let startTimes = try chunk.int64s("start_ms")
    let users = try chunk.strings("user_id")
    let itemCounts = try chunk.int64s("item_count")
    let (states, stateOffsets) = try chunk.floatLists("state")
    let (actions, actionOffsets) = try chunk.floatLists("action")
    let propensities = try chunk.floats("log_propensity")
    let signals = try plan.signals.indices.map { try chunk.floats("signal_\($0)") }
    for row in 0..<chunk.rowCount {
      let state = states[stateOffsets[row]..<stateOffsets[row + 1]]
      let isFinal = steps[row] == kept[row]
      if !isFinal {
        writer.add(
          ShardWriter.Step(
            state: state, action: actions[actionOffsets[row]..<actionOffsets[row + 1]],
            logPropensity: propensities[row], itemCount: itemCounts[row],
            signals: signals.map { $0[row] }))
      }
      if isFinal || (!truncated[row] && steps[row] + 1 == kept[row]) {
        try writer.endSession(
          startTimeMilliseconds: startTimes[row], userHash: stableHash(users[row]),
          finalState: isFinal ? state : nil)
      }
    }
  }
}
