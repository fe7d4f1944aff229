import DurableFiles
import Foundation
import FusionMDP
import SeededRandom
import SessionLogs
import TrajectoryPreparation

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "amalgam-preparation-\(UUID().uuidString)").path
    try DurableFiles.makeFolders(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

let minute: Int64 = 60_000

/// One task, one weight; a state is [the number of the request, its user's number].
func tinySchema(windowEnd: Int64?) throws -> LogSchema {
  try LogSchema(
    tasks: TaskSchema([BehaviorTask(name: "click", domain: .probability, polarity: .positive)]),
    behaviors: ["click", "finished", "skip"], stateNames: ["request", "user"],
    windowEndMilliseconds: windowEnd)
}

/// One request of a tiny log; its number is its place in the list.
struct Request {
  var user: String
  var minutes: Double
  var arm: String?
  /// The play seconds of the answers to its two items "a" and "b".
  var plays: [Float]

  init(_ user: String, _ minutes: Double, arm: String? = nil, plays: [Float] = [1, 2]) {
    self.user = user
    self.minutes = minutes
    self.arm = arm
    self.plays = plays
  }

  var time: Int64 { Int64(minutes * Double(minute)) }
}

/// A log of these requests; feedback happens and arrives with its request.
func tinyLog(
  _ folder: String, windowEndMinutes: Double?, _ requests: [Request],
  extraFeedback: [FeedbackEvent] = []
) throws -> SessionLogFolder {
  let end = windowEndMinutes.map { Int64($0 * Double(minute)) }
  let writer = try SessionLogWriter(folder: folder, schema: tinySchema(windowEnd: end))
  for (number, request) in requests.enumerated() {
    try writer.write(
      DecisionEvent(
        requestID: "r\(number)", userID: request.user, timeMilliseconds: request.time,
        policyVersion: "p", arm: request.arm,
        state: [Float(number), Float(stableHash(request.user) % 1000)],
        action: [Float(number % 3 - 1)], logPropensity: number % 2 == 0 ? -Double(number) : nil,
        shown: ["a", "b"], taskScores: [0.5, 0.25]))
    for (position, play) in request.plays.enumerated() {
      try writer.write(tinyFeedback("r\(number)", request.user, position, request.time, play))
    }
  }
  for event in extraFeedback { try writer.write(event) }
  return try writer.finish()
}

func tinyFeedback(
  _ requestID: String, _ user: String, _ position: Int, _ time: Int64, _ play: Float,
  arrival: Int64? = nil, item: String? = nil, behaviors: [Float] = [1, 0, 1]
) -> FeedbackEvent {
  FeedbackEvent(
    requestID: requestID, userID: user, itemID: item ?? ["a", "b"][position], position: position,
    timeMilliseconds: time, arrivalTimeMilliseconds: arrival ?? time, playTimeSeconds: play,
    durationSeconds: 100, behaviors: behaviors)
}

/// What a session looks like after preparation, in the numbers of its requests.
struct CutSession: Equatable, CustomStringConvertible {
  var requests: [Int]
  var end: SessionEnd
  /// The request whose state follows a truncated session.
  var final: Int?

  init(_ requests: [Int], _ end: SessionEnd, final: Int? = nil) {
    self.requests = requests
    self.end = end
    self.final = final
  }

  var description: String { "\(requests) \(end) \(final.map(String.init) ?? "-")" }
}

/// The sessions of a folder in order.
func sessions(of folder: String?) throws -> [CutSession] {
  guard let folder else { return [] }
  let shards = try TrajectoryShards(folder: folder)
  return (0..<shards.sessionCount).map { m in
    let steps = Array(shards.session(m))
    let batch = shards.batch(at: steps)
    let size = shards.stateSize
    let requests = steps.indices.map { Int(batch.states[$0 * size]) }
    let end = shards.sessionEnd(of: m)
    let last = steps.count - 1
    return CutSession(
      requests, end, final: end == .truncated ? Int(batch.nextStates[last * size]) : nil)
  }
}
