import AmalgamCommands
import Foundation
import FusionMDP
import PolicyArtifacts
import SessionLogs
import Testing

@Suite("MTF-GAUC of a policy on a log")
struct FusionGAUCTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// A policy that weighs `like` by 2 and everything else by 0.
  private func likes() throws -> PolicyArtifact {
    let schema = TaskSchema.standard
    let bounds = try FusionWeightBounds(
      lower: schema.names.map { _ in 0 }, upper: schema.names.map { _ in 2 }, schema: schema)
    let fusion = try FusionDefinition(schema: schema, formula: .weightedSum, bounds: bounds)
    return try PolicyArtifact(
      policy: FixedWeightsPolicy(
        name: "likes", action: schema.names.map { $0 == "like" ? 1 : -1 }),
      algorithm: "hand", fusion: fusion, seed: 1, revision: "0123abc")
  }

  /// Two users; `like` predictions 0.9, 0.5, 0.1 of each list. The first user watches what is
  /// predicted best, the second what is predicted least; one item has no feedback.
  private func log(behaviors: [String] = LogSchema.standardBehaviors) throws -> SessionLogFolder {
    let schema = try LogSchema(behaviors: behaviors, stateNames: ["age"])
    let writer = try SessionLogWriter(
      folder: scratch.file("log-\(behaviors.count)"), schema: schema)
    let watched: [(user: String, item: Int?)] = [("u1", 0), ("u1", 0), ("u2", 2), ("u3", nil)]
    for (number, (user, item)) in watched.enumerated() {
      let time = Int64(1_000_000 * (number + 1))
      let scores = [0.9, 0.5, 0.1].flatMap { like in
        TaskSchema.standard.tasks.map { $0.name == "like" ? Float(like) : 0.5 }
      }
      try writer.write(
        DecisionEvent(
          requestID: "r\(number)", userID: user, timeMilliseconds: time, policyVersion: "p",
          state: [1], action: TaskSchema.standard.names.map { _ in 0 }, logPropensity: nil,
          shown: ["a", "b", "c"], taskScores: scores))
      // The last to be shown comes first: places, not lines, decide whose scores are whose.
      for place in [2, 1, 0] where !(number == 0 && place == 1) {
        let isWatched = place == item
        let feedback = UserFeedback(
          playSeconds: isWatched ? 60 : 1, durationSeconds: 60, click: true, longView: isWatched)
        let values = zip(LogSchema.standardBehaviors, feedback.signals.dropFirst(2))
          .filter { behaviors.contains($0.0) }.map(\.1)
        try writer.write(
          FeedbackEvent(
            requestID: "r\(number)", userID: user, itemID: ["a", "b", "c"][place], position: place,
            timeMilliseconds: time + 100, arrivalTimeMilliseconds: time + 200,
            playTimeSeconds: feedback.playSeconds, durationSeconds: 60, behaviors: values))
      }
    }
    return try writer.finish()
  }

  @Test("users by their items: one ranked right, one ranked wrong, one without both labels")
  func value() throws {
    let found = try FusionGAUC.compute(log: log(), policy: likes())
    // u1: 5 items, AUC 1; u2: 3 items, AUC 0.
    #expect(found.value == 5.0 / 8)
    #expect(found.users == 2 && found.usersLeftOut == 1)
    #expect(found.items == 8 && found.consumedItems == 3 && found.itemsWithoutFeedback == 1)
    #expect(found.consumption == "long_view" && found.policy == "likes")
    #expect(found.label == "health metric, not a causal estimate")
  }

  @Test("without long_view a click counts; without either, or with other tasks, it is refused")
  func signals() throws {
    let clicked = try FusionGAUC.compute(log: log(behaviors: ["click"]), policy: likes())
    #expect(clicked.consumption == "click" && clicked.value == nil && clicked.usersLeftOut == 3)
    let error = #expect(throws: CommandFailure.self) {
      try FusionGAUC.compute(log: log(behaviors: ["like", "skip"]), policy: likes())
    }
    #expect(error?.kind == .usage && error?.description.contains("long_view") == true)

    let schema = try TaskSchema([
      BehaviorTask(name: "click", domain: .probability, polarity: .positive)
    ])
    let other = try PolicyArtifact(
      policy: FixedWeightsPolicy(name: "other", action: [0]), algorithm: "hand",
      fusion: FusionDefinition(
        schema: schema, formula: .weightedSum,
        bounds: FusionWeightBounds(lower: [0], upper: [1], schema: schema)), seed: 1,
      revision: "0123abc")
    let tasks = #expect(throws: CommandFailure.self) {
      try FusionGAUC.compute(log: log(), policy: other)
    }
    #expect(tasks?.description.contains("expected scores of the policy's tasks") == true)
  }
}
