import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import SessionLogs

extension LogsCommand {
  /// `amalgam logs convert`
  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Turn own tables (CSV, JSON lines, Parquet) into a session log.",
      discussion: """
        Exit status 1, with nothing written, when rows cannot be converted; Docs/FileFormats.md has \
        the mapping's keys.
        """)
    @Argument(help: "Files of the source; the mapping tells by their names which table each holds.")
    var inputs: [String]
    @Option(help: "The YAML file that tells which column is which field.") var mapping: String
    @Option(
      name: .shortAndLong, help: "The folder of the log, which appears whole or not at all.")
    var output: String
    @Flag(help: "Replace a log that stands there.") var replace = false
    @Option(help: "How many bad rows to describe; all are counted.") var findings = 20
    @OptionGroup var common: ConfigurationOptions

    /// How the machine is used.
    struct Settings: Codable {
      /// Threads to use.
      var threads = 2
      /// Memory in MB that the engine may take before it spills to the temporary folder.
      var memoryLimitMegabytes = 2048
    }

    func run() throws {
      Interruption.shared.install()
      let settings = try common.configuration(Settings())
      try CountRange.threads.check("threads", settings.threads)
      try CountRange(least: 64, most: 1_000_000)
        .check("memoryLimitMegabytes", settings.memoryLimitMegabytes)
      if findings < 1 { throw CommandFailure.usage("--findings \(findings): at least 1 expected") }
      let definition = try ConfigurationFile.load(LogMapping(), from: mapping)
      let states = try definition.states.map { try filling($0) }
      let spill = LogsCommand.Settings.spillFolder
      let report: ConversionReport
      do {
        report = try LogConversion.run(
          inputs: inputs, mapping: definition, output: output, states: states,
          options: LogConversion.Options(
            threads: settings.threads, memoryLimitMegabytes: settings.memoryLimitMegabytes,
            spillFolder: spill, findingLimit: findings, replacing: replace)
        ) { _ in try Interruption.shared.check("stopped; \(output) was not written") }
      } catch ConversionError.mapping(let key, let expected, let found) {
        throw CommandFailure.usage("\(mapping): \(key): \(expected) expected, found \(found)")
      }
      try common.json
        ? MachineOutput.print(report) : StandardOutput.print(Convert.text(report, output))
      if !report.written {
        throw CommandFailure.failure(
          "\(output) was not written: \(report.badRows) rows cannot be converted "
            + "(bad_rows: drop in the mapping leaves such rows out)")
      }
    }

    /// The files of computed states, whose paths begin at the mapping's folder.
    private func filling(_ states: LogMapping.States) throws -> StateFilling {
      let folder = URL(fileURLWithPath: mapping).deletingLastPathComponent()
      func path(_ name: String) -> String {
        URL(fileURLWithPath: name, relativeTo: folder).path
      }
      return StateFilling(
        definition: try ConfigurationFile.load(
          StateDefinition(), from: path(states.definition)),
        profiles: states.profiles.map(path), items: states.items.map(path),
        userKey: states.userKey ?? "user_id", itemKey: states.itemKey ?? "item_id",
        trainFraction: states.trainFraction ?? 0.9,
        fittedText: { try ConfigurationFile.text(of: $0) })
    }

    private static func text(_ report: ConversionReport, _ output: String) -> [String] {
      var lines = report.findings.map { "\($0)" }
      let hidden = report.badRows - report.findings.count
      if hidden > 0 { lines.append("and \(hidden) more rows that cannot be converted") }
      lines += report.sources.map { "\($0.file): \($0.rows) rows of \($0.table)" }
      if report.truncatedActions > 0 {
        lines.append(
          "weights truncated, log density left out: \(report.truncatedActions) decisions")
      }
      lines += report.dropped.sorted { $0.key < $1.key }.map { "left out, \($0.key): \($0.value)" }
      if report.written {
        lines.append(
          "\(output): \(report.decisions) decisions, \(report.feedback) feedback events")
      }
      return lines
    }
  }
}
