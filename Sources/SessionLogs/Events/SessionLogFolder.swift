import DurableFiles

/// A finished session log: a folder with `decisions.jsonl`, `feedback.jsonl` and `schema.json`.
public struct SessionLogFolder: Sendable, Equatable {
  /// The folder.
  public let path: String
  /// What the events hold.
  public let schema: LogSchema

  /// The file of decision events.
  public var decisionsPath: String { SessionLogFolder.decisionsPath(in: path) }
  /// The file of feedback events.
  public var feedbackPath: String { SessionLogFolder.feedbackPath(in: path) }

  /// Opens a log.
  /// - Throws: `SessionLogError` when a file is missing or the schema cannot be read.
  public init(path: String) throws {
    self.path = path
    let schemaPath = SessionLogFolder.schemaPath(in: path)
    guard DurableFiles.exists(schemaPath) else {
      throw SessionLogError.notALog(
        folder: path, reason: "there is no schema.json (it is written when a log is complete)")
    }
    schema = try LogSchema(readingFile: schemaPath)
    for file in [decisionsPath, feedbackPath] where !DurableFiles.exists(file) {
      throw SessionLogError.notALog(folder: path, reason: "there is no \(file)")
    }
  }

  static func decisionsPath(in folder: String) -> String { folder + "/decisions.jsonl" }
  static func feedbackPath(in folder: String) -> String { folder + "/feedback.jsonl" }
  static func schemaPath(in folder: String) -> String { folder + "/schema.json" }
  static func statePath(in folder: String) -> String { folder + "/state.yaml" }
}
