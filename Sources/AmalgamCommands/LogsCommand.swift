import ArgumentParser
import Foundation

/// `amalgam logs`: from own tables to a session log, what is in it, and whether it is as its schema
/// says.
struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Convert, validate and describe session logs.",
    subcommands: [Convert.self, Validate.self, Describe.self])

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
}
