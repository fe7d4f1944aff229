import ArgumentParser
import SessionLogs

extension LogsCommand {
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
