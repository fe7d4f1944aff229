import ArgumentParser
import Foundation
import FusionMDP
import PolicyArtifacts

/// `amalgam rank`: candidates and a state from a file, ranked by a policy.
struct RankCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rank",
    abstract: "Rank candidates by a policy, with each task's contribution to each score.")

  @OptionGroup var source: PolicySource
  @Option(name: .long, help: "How many items to show.") var count = 6
  @Argument(help: "A ranking request as JSON (see Docs/FileFormats.md).") var request: String

  func validate() throws {
    guard count > 0 else { throw ValidationError("--count: expected at least 1, found \(count)") }
  }

  private struct Answer: Encodable {
    struct Item: Encodable {
      let itemID: String
      let rank: Int
      let score: Float
      let contributions: [String: Float]
    }
    let policy: String
    let weights: [String: Float]
    let items: [Item]
  }

  func run() throws {
    let artifact = try source.load()
    let request = try RankingRequest(file: request, schema: artifact.manifest.fusion.schema)
    let explanation = try request.explain(by: artifact, count: count)
    let tasks = explanation.weights.map(\.task)
    try MachineOutput.print(
      Answer(
        policy: artifact.manifest.policy.name,
        weights: Dictionary(
          uniqueKeysWithValues: explanation.weights.map { ($0.task, $0.weight) }),
        items: explanation.ranking.enumerated().map { rank, candidate in
          Answer.Item(
            itemID: request.itemIDs[candidate.index], rank: rank + 1, score: candidate.score,
            contributions: Dictionary(
              uniqueKeysWithValues: zip(tasks, candidate.contributions)))
        }))
  }
}
