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

  private func log(behaviors: [String] = LogSchema.standardBehaviors) throws -> SessionLogFolder {
    try scratch.writeLikedLog(behaviors: behaviors)
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
