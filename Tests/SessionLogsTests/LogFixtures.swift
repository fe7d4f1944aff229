import DurableFiles
import Foundation
import FusionMDP
import SessionLogs

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "amalgam-logs-\(UUID().uuidString)").path
    try DurableFiles.makeFolders(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func text(_ name: String) throws -> String { try DurableFiles.readText(path + "/" + name) }
  var names: [String] { (try? DurableFiles.names(inFolder: path).sorted()) ?? [] }
}

/// Two tasks, two state features, three behaviors: small enough to read a line.
func smallSchema() throws -> LogSchema {
  try LogSchema(
    tasks: TaskSchema([
      BehaviorTask(name: "click", domain: .probability, polarity: .positive),
      BehaviorTask(name: "watch_time", domain: .seconds, polarity: .positive),
    ]),
    behaviors: ["click", "finished", "skip"], stateNames: ["age", "requests"])
}

func smallDecision(
  _ requestID: String = "r1", user: String = "u1", at time: Int64 = 1000,
  shown: [String] = ["a", "b"]
) -> DecisionEvent {
  DecisionEvent(
    requestID: requestID, userID: user, timeMilliseconds: time, policyVersion: "p1",
    state: [0.5, 3], action: [-1, 0.25], logPropensity: -0.5, shown: shown,
    taskScores: shown.flatMap { _ in [Float(0.1), 12.5] })
}

func smallFeedback(
  _ requestID: String = "r1", user: String = "u1", item: String = "a", position: Int = 0,
  at time: Int64 = 1500, arrival: Int64? = nil, play: Float = 5, duration: Float = 10,
  behaviors: [Float] = [1, 0, 0]
) -> FeedbackEvent {
  FeedbackEvent(
    requestID: requestID, userID: user, itemID: item, position: position, timeMilliseconds: time,
    arrivalTimeMilliseconds: arrival ?? time + 10, playTimeSeconds: play,
    durationSeconds: duration, behaviors: behaviors)
}

/// Writes a log of these events.
func writeLog(
  _ folder: String, schema: LogSchema? = nil, _ decisions: [DecisionEvent],
  _ feedback: [FeedbackEvent]
) throws -> SessionLogFolder {
  let writer = try SessionLogWriter(folder: folder, schema: try schema ?? smallSchema())
  for event in decisions { try writer.write(event) }
  for event in feedback { try writer.write(event) }
  return try writer.finish()
}
