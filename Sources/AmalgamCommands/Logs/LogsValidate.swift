import ArgumentParser
import Foundation
import SessionLogs

extension LogsCommand {
  /// `amalgam logs validate`
  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hold every line of a log against its schema, and events against each other.",
      discussion: "Exit status 1 when the log is not valid.")
    @Argument(help: "The log's folder.") var log: String
    @Flag(help: "Refuse repeated, late and missing feedback, unordered and too late decisions too.")
    var strict = false
    @Flag(help: "Refuse a log that is implausible as a whole: with warnings.")
    var refuseWarnings = false
    @Option(help: "How many bad lines to describe; all are counted.") var findings = 20
    @OptionGroup var common: ConfigurationOptions

    /// The result for machines.
    private struct Result: Encodable {
      struct Irregularity: Encodable {
        let kind: String
        let count: Int
        let file: String
        let firstLine: Int
        let share: Double
        let isError: Bool
        let advice: String
      }
      let valid: Bool
      let badLines: Int
      let decisions: Int
      let feedback: Int
      let findings: [LogFinding]
      let irregularities: [Irregularity]
      let warnings: [LogWarning]
      let uses: [LogUses.Use]
    }

    func run() throws {
      let settings = try common.configuration(Settings())
      try settings.validate()
      if findings < 1 { throw CommandFailure.usage("--findings \(findings): at least 1 expected") }
      let validation = try LogValidation(
        of: SessionLogFolder(path: log),
        latestTimeMilliseconds: Int64(Date.now.timeIntervalSince1970 * 1000),
        sessionGapMinutes: settings.sessionGapMinutes,
        feedbackDeadlineMinutes: settings.feedbackDeadlineMinutes, threads: settings.threads,
        findingLimit: findings, spillFolder: Settings.spillFolder)
      let refused = refuseWarnings && !validation.warnings.isEmpty
      let valid = validation.isValid(strictly: strict) && !refused
      try common.json
        ? printJSON(validation, valid)
        : StandardOutput.print(text(validation) + (valid ? ["\(log) is valid"] : []))
      if !valid {
        let odd = validation.irregularities.entries.reduce(0) { $0 + $1.count }
        throw CommandFailure.failure(
          "\(log) is not valid: \(validation.lines.errorCount) bad lines, \(odd) odd events"
            + (refused ? ", \(validation.warnings.count) warnings" : ""))
      }
    }

    private func text(_ validation: LogValidation) -> [String] {
      var lines = validation.lines.findings.map { "\($0)" }
      let hidden = validation.lines.errorCount - validation.lines.findings.count
      if hidden > 0 { lines.append("and \(hidden) more bad lines") }
      lines += validation.irregularities.entries.map { entry in
        "\(entry.kind.rawValue): \(entry.count) (\(Validate.percent(validation.share(of: entry)))), "
          + "first at \(entry.file):\(entry.firstLine) (\(entry.kind.policy)); "
          + entry.kind.advice
      }
      lines += validation.warnings.map { warning in
        "warning, \(warning.kind.rawValue): \(warning.finding) "
          + "(\(Validate.percent(warning.share)) of \(warning.of)); \(warning.advice)"
      }
      lines += validation.uses.uses.map { use in
        "\(use.name.replacing("_", with: " ")): \(use.possible ? "possible" : "not possible")"
          + (use.reason.isEmpty ? "" : " (\(use.reason))")
      }
      lines.append(
        "\(validation.lines.decisionCount) decisions, \(validation.lines.feedbackCount) feedback "
          + "events, \(validation.lines.byteCount) bytes")
      return lines
    }

    private static func percent(_ share: Double) -> String {
      share > 0 && share < 0.0001 ? "under 0.01 %" : String(format: "%.2f %%", share * 100)
    }

    private func printJSON(_ validation: LogValidation, _ valid: Bool) throws {
      try MachineOutput.print(
        Result(
          valid: valid, badLines: validation.lines.errorCount,
          decisions: validation.lines.decisionCount, feedback: validation.lines.feedbackCount,
          findings: validation.lines.findings,
          irregularities: validation.irregularities.entries.map {
            Result.Irregularity(
              kind: $0.kind.rawValue, count: $0.count, file: $0.file, firstLine: $0.firstLine,
              share: validation.share(of: $0), isError: $0.kind.isError, advice: $0.kind.advice)
          },
          warnings: validation.warnings, uses: validation.uses.uses))
    }
  }
}
