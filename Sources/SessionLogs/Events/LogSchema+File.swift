import DurableFiles
import Foundation
import FusionMDP

extension LogSchema {
  /// `schema.json` as it stands in the file.
  private struct File: Codable {
    struct Task: Codable {
      var name: String
      var domain: String
      var polarity: String
    }
    var schema: Int
    var tasks: [Task]
    var behaviors: [String]
    var state: [String]
    var actionSize: Int
    var unknown: [String]?
    var windowEndMilliseconds: Int64?
    var stateDefinition: StateDefinition?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case schema, tasks, behaviors, state, unknown
      case actionSize = "action_size"
      case windowEndMilliseconds = "window_end_ms"
      case stateDefinition = "state_definition"
    }
  }

  /// The schema as the text of `schema.json`.
  func fileText() throws -> String {
    let file = File(
      schema: LogSchema.version,
      tasks: tasks.tasks.map {
        File.Task(name: $0.name, domain: $0.domain.rawValue, polarity: $0.polarity.rawValue)
      },
      behaviors: behaviors, state: stateNames, actionSize: actionSize,
      unknown: unknown.isEmpty ? nil : unknown.map(\.rawValue),
      windowEndMilliseconds: windowEndMilliseconds, stateDefinition: stateDefinition)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(file), as: UTF8.self) + "\n"
  }

  /// Reads `schema.json`.
  /// - Throws: `SessionLogError.schema` naming the file and what is wrong; `DurableFileError`
  ///   when it cannot be read.
  public init(readingFile path: String) throws {
    let bytes = try DurableFiles.read(path)
    let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    let known = Set(File.CodingKeys.allCases.map(\.rawValue))
    for key in (object ?? [:]).keys.sorted() where !known.contains(key) {
      throw SessionLogError.schema(path: path, "unknown key “\(key)”")
    }
    if let found = object?["schema"] as? Int, found != LogSchema.version {
      throw SessionLogError.schema(
        path: path, "layout version \(LogSchema.version) expected, found \(found)")
    }
    let file: File
    do {
      file = try JSONFile.decode(File.self, from: bytes, path: path)
    } catch DurableFileError.malformed(let place, let reason) {
      throw SessionLogError.schema(path: place, reason)
    }
    do {
      try self.init(
        tasks: try LogSchema.tasks(of: file), behaviors: file.behaviors, stateNames: file.state,
        actionSize: file.actionSize, unknown: try LogSchema.unknown(of: file),
        windowEndMilliseconds: file.windowEndMilliseconds,
        stateDefinition: file.stateDefinition)
    } catch SessionLogError.schema(_, let reason) {
      throw SessionLogError.schema(path: path, reason)
    }
  }

  private static func unknown(of file: File) throws -> Set<Part> {
    Set(
      try (file.unknown ?? []).map { name in
        guard let part = Part(rawValue: name) else {
          throw SessionLogError.schema(
            path: nil,
            "unknown: \(Part.allCases.map(\.rawValue).joined(separator: ", ")) expected, "
              + "found “\(name)”")
        }
        return part
      })
  }

  private static func tasks(of file: File) throws -> TaskSchema {
    if file.tasks.isEmpty { return .none }
    let tasks = try file.tasks.map { task in
      guard let domain = BehaviorTask.Domain(rawValue: task.domain) else {
        throw SessionLogError.schema(
          path: nil,
          "task “\(task.name)”: domain probability or seconds expected, "
            + "found “\(task.domain)”")
      }
      guard let polarity = BehaviorTask.Polarity(rawValue: task.polarity) else {
        throw SessionLogError.schema(
          path: nil,
          "task “\(task.name)”: polarity positive or negative expected, "
            + "found “\(task.polarity)”")
      }
      return BehaviorTask(name: task.name, domain: domain, polarity: polarity)
    }
    do {
      return try TaskSchema(tasks)
    } catch {
      throw SessionLogError.schema(path: nil, "tasks: \(error)")
    }
  }
}
