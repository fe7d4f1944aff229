import ArgumentParser
import DurableFiles
import FusionMDP
import SessionLogs
import TrajectoryPreparation

/// `amalgam prepare`: a session log becomes trajectory shards.
struct PrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Turn a session log into trajectory shards, a training and a test set.",
    discussion: """
      Configuration keys, for --config and --set: sessionGapMinutes, feedbackDeadlineMinutes, \
      trainFraction, arms, balancesArms, maximumShardTransitions, threads, memoryLimitMegabytes.
      """)

  @Argument(help: "The log's folder: schema.json with plain files or segments.")
  var log: String

  @Option(
    name: .shortAndLong, help: "The folder to write, with train/ and test/ in it; replaced whole.")
  var output: String

  @OptionGroup var common: ConfigurationOptions

  /// The result for machines.
  private struct Result: Encodable {
    let train: String
    let test: String?
    let trainTransitions: Int
    let trainSessions: Int
    let testTransitions: Int
    let testSessions: Int
    let counts: [String: Int]
  }

  func run() throws {
    Interruption.shared.install()
    let settings = try common.configuration(PreparationConfiguration())
    let folder = try SessionLogFolder(path: log)
    let progress = ProgressLine("prepare", total: 6)
    progress.update(0, note: "hashing the log")
    var sources: [String: String] = [:]
    for path in folder.decisionsPaths + folder.feedbackPaths {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      sources[name] = "sha256:" + (try SourceHashes.sha256(ofFile: path))
    }
    var stage = 0
    let report = try TrajectoryPreparation.run(
      log: folder, output: output, configuration: settings, provenance: sources
    ) { name in
      try Interruption.shared.check("stopped; \(output) was not written")
      if name.isEmpty { return }
      stage += 1
      progress.update(stage, note: name)
    }
    progress.finish()
    let result = Result(
      train: report.trainFolder, test: report.testFolder,
      trainTransitions: report.train.transitions ?? 0, trainSessions: report.train.sessions ?? 0,
      testTransitions: report.test?.transitions ?? 0, testSessions: report.test?.sessions ?? 0,
      counts: report.counts)
    if common.json { return try MachineOutput.print(result) }
    var lines = [
      "\(result.train): \(result.trainSessions) sessions, \(result.trainTransitions) steps"
    ]
    if let test = result.test {
      lines.append("\(test): \(result.testSessions) sessions, \(result.testTransitions) steps")
    }
    try StandardOutput.print(lines + LogText.lines(of: report.irregularities))
  }
}
