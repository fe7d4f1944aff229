import ArgumentParser
import Foundation
import SessionLogs

/// `amalgam logs`: what is in a session log, and whether it is as its schema says.
struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Validate and describe session logs.",
    subcommands: [Validate.self, Describe.self])

  /// How events are held against each other.
  struct Settings: Codable {
    /// A longer pause ends a session.
    var sessionGapMinutes = 30.0
    /// Feedback that arrives later after its request is late.
    var feedbackDeadlineMinutes = 60.0
    /// Threads to use.
    var threads = 2

    /// Where the engine puts what does not fit into memory; it removes it.
    static var spillFolder: String {
      FileManager.default.temporaryDirectory
        .appending(path: "amalgam-spill-\(ProcessInfo.processInfo.processIdentifier)").path
    }

    func validate() throws {
      for (name, value) in [
        ("sessionGapMinutes", sessionGapMinutes),
        ("feedbackDeadlineMinutes", feedbackDeadlineMinutes),
      ] where !(value > 0 && value.isFinite) {
        throw CommandFailure.usage("\(name): more than 0 expected, found \(value)")
      }
      try CountRange.threads.check("threads", threads)
    }
  }

  /// `amalgam logs validate`
  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hold every line of a log against its schema, and events against each other.",
      discussion: "Exit status 1 when the log is not valid.")
    @Argument(help: "The log's folder.") var log: String
    @Flag(help: "Refuse repeated, late and missing feedback, unordered and too late decisions too.")
    var strict = false
    @Option(help: "How many bad lines to describe; all are counted.") var findings = 20
    @OptionGroup var common: ConfigurationOptions

    /// The result for machines.
    private struct Result: Encodable {
      struct Finding: Encodable {
        let file: String
        let line: Int
        let field: String?
        let expected: String
        let found: String
      }
      struct Irregularity: Encodable {
        let kind: String
        let count: Int
        let file: String
        let firstLine: Int
      }
      let valid: Bool
      let badLines: Int
      let decisions: Int
      let feedback: Int
      let findings: [Finding]
      let irregularities: [Irregularity]
    }

    func run() throws {
      let settings = try common.configuration(Settings())
      try settings.validate()
      if findings < 1 { throw CommandFailure.usage("--findings \(findings): at least 1 expected") }
      let validation = try LogValidation(
        of: SessionLogFolder(path: log),
        latestTimeMilliseconds: Int64(Date.now.timeIntervalSince1970 * 1000),
        feedbackDeadlineMinutes: settings.feedbackDeadlineMinutes, threads: settings.threads,
        findingLimit: findings, spillFolder: Settings.spillFolder)
      let valid = validation.isValid(strictly: strict)
      try common.json
        ? printJSON(validation, valid)
        : StandardOutput.print(text(validation) + (valid ? ["\(log) is valid"] : []))
      if !valid {
        let odd = validation.irregularities.entries.reduce(0) { $0 + $1.count }
        throw CommandFailure.failure(
          "\(log) is not valid: \(validation.lines.errorCount) bad lines, \(odd) odd events")
      }
    }

    private func text(_ validation: LogValidation) -> [String] {
      var lines = validation.lines.findings.map { "\($0)" }
      let hidden = validation.lines.errorCount - validation.lines.findings.count
      if hidden > 0 { lines.append("and \(hidden) more bad lines") }
      lines += LogText.lines(of: validation.irregularities)
      lines.append(
        "\(validation.lines.decisionCount) decisions, \(validation.lines.feedbackCount) feedback "
          + "events, \(validation.lines.byteCount) bytes")
      return lines
    }

    private func printJSON(_ validation: LogValidation, _ valid: Bool) throws {
      try MachineOutput.print(
        Result(
          valid: valid, badLines: validation.lines.errorCount,
          decisions: validation.lines.decisionCount, feedback: validation.lines.feedbackCount,
          findings: validation.lines.findings.map {
            Result.Finding(
              file: $0.file, line: $0.line, field: $0.field, expected: $0.expected,
              found: $0.found)
          },
          irregularities: validation.irregularities.entries.map {
            Result.Irregularity(
              kind: $0.kind.rawValue, count: $0.count, file: $0.file, firstLine: $0.firstLine)
          }))
    }
  }

  /// `amalgam logs describe`
  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Count events, users and sessions, and what is odd about them.")
    @Argument(help: "The log's folder.") var log: String
    @OptionGroup var common: ConfigurationOptions

    func run() throws {
      let settings = try common.configuration(Settings())
      try settings.validate()
      let folder = try SessionLogFolder(path: log)
      let lines = try LineValidation.scan(folder, threads: settings.threads, findingLimit: 1)
      if let finding = lines.findings.first {
        throw CommandFailure.failure("\(finding) (\(lines.errorCount) bad lines)")
      }
      let description = try LogDescription(
        of: folder, sessionGapMinutes: settings.sessionGapMinutes,
        feedbackDeadlineMinutes: settings.feedbackDeadlineMinutes, threads: settings.threads,
        spillFolder: Settings.spillFolder)
      if common.json { return try MachineOutput.print(description) }
      try StandardOutput.print(LogText.text(of: description))
    }
  }
}

/// Logs in words for a terminal.
enum LogText {
  /// One line an irregularity, with what preparation does about it.
  static func lines(of irregularities: IrregularityCounts) -> [String] {
    irregularities.entries.map { entry in
      "\(entry.kind.rawValue): \(entry.count), first at \(entry.file):\(entry.firstLine) "
        + "(\(entry.kind.policy))"
    }
  }

  /// A description as lines of “name  value”.
  static func text(of log: LogDescription) -> String {
    var lines: [String] = []
    func row(_ name: String, _ value: String) {
      lines.append(
        name.padding(toLength: max(24, name.count + 1), withPad: " ", startingAt: 0) + value)
    }
    func spread(_ name: String, _ value: LogDescription.Spread) {
      row(
        name,
        String(
          format: "mean %.2f, median %.1f, nine in ten up to %.1f, at most %.1f", value.mean,
          value.median, value.ninetieth, value.maximum))
    }
    row("decisions", "\(log.decisions)")
    row("feedback events", "\(log.feedback)")
    row("users", "\(log.users)")
    row("items shown", "\(log.items)")
    row("sessions", "\(log.sessions), \(log.truncatedSessions) of them truncated")
    row("from", time(log.firstTimeMilliseconds))
    row("to", time(log.lastTimeMilliseconds))
    row("collected until", time(log.windowEndMilliseconds))
    spread("requests per session", log.requestsPerSession)
    spread("minutes per session", log.sessionMinutes)
    spread("sessions per user", log.sessionsPerUser)
    spread("items per request", log.itemsPerRequest)
    row("log density known", String(format: "%.2f %% of decisions", log.propensityCoverage * 100))
    for share in log.policyVersions { row("policy \(share.name)", "\(share.decisions) decisions") }
    for share in log.arms { row("arm \(share.name)", "\(share.decisions) decisions") }
    lines.append("mean per feedback event:")
    for (name, mean) in log.signalMeans.sorted(by: { $0.key < $1.key }) {
      row("  \(name)", String(format: "%.5f", mean))
    }
    lines.append(log.irregularities.isEmpty ? "nothing odd" : "odd events:")
    for oddity in log.irregularities {
      row(
        "  \(oddity.kind)",
        "\(oddity.count), first at \(oddity.file):\(oddity.firstLine) (\(oddity.policy))")
    }
    return lines.joined(separator: "\n")
  }

  private static func time(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
  }
}
