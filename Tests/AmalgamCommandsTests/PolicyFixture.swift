import DenseKernels
import DurableFiles
import Foundation
import FusionMDP
import NeuralNetworks
import PolicyArtifacts
import SeededRandom

/// Small policies on disk: artifacts `fixed` and `cloning` (a state of three features), and
/// ranking requests.
struct PolicyFixture {
  let scratch: ScratchFolder

  init() throws {
    scratch = try ScratchFolder()
    try Self.artifact(Self.fixed(0), seed: 1).write(to: path("fixed"))
    try Self.artifact(Self.cloning, seed: 2).write(to: path("cloning"))
  }

  func path(_ name: String) -> String { scratch.file(name) }

  /// The same action for all tasks but `skip`, which gets −1: weight −2.
  static func fixed(_ action: Float) -> FixedWeightsPolicy {
    let tasks = TaskSchema.standard.names
    return FixedWeightsPolicy(name: "static", action: tasks.map { $0 == "skip" ? -1 : action })
  }

  static var cloning: NetworkPolicy {
    var stream = RandomStream(seed: 3, name: "fixture")
    return NetworkPolicy(
      name: "cloning",
      network: MultilayerPerceptron(
        shape: .init(inputs: 3, hidden: [4], outputs: 12, outputActivation: .tanh),
        initializedBy: &stream),
      normalizer: StateNormalizer(mean: [0, 0, 0], deviation: [1, 1, 1]))
  }

  static func artifact(_ policy: any FusionPolicy, seed: UInt64) throws -> PolicyArtifact {
    try PolicyArtifact(
      policy: policy, algorithm: "hand", seed: seed, revision: "0123abc",
      evaluation: [
        PolicyManifest.EvaluationRecord(estimator: "fitted_q", value: 4.125, low: 4, high: 4.25)
      ])
  }

  /// Scores of one candidate: 0.5 for every probability, 10 s of watch time, and what is given.
  static func scores(_ changed: [String: Any] = [:]) -> [String: Any] {
    var scores: [String: Any] = [:]
    for task in TaskSchema.standard.tasks {
      scores[task.name] = task.domain == .probability ? 0.5 : 10
    }
    return scores.merging(changed) { $1 }
  }

  static func candidate(_ id: String, _ changed: [String: Any] = [:]) -> [String: Any] {
    ["item_id": id, "task_scores": scores(changed)]
  }

  /// Writes a request and returns its path.
  func request(_ content: [String: Any]) throws -> String {
    let data = try JSONSerialization.data(withJSONObject: content)
    try DurableFiles.write(Array(data), to: path("request.json"))
    return path("request.json")
  }

  /// A request with two candidates, of which `liked` is better.
  func goodRequest() throws -> String {
    try request([
      "user_id": "u1", "state": [0.5, -1, 2],
      "candidates": [Self.candidate("plain"), Self.candidate("liked", ["like": 0.75])],
    ])
  }

  func rank(_ request: String, _ arguments: String...) throws -> AmalgamProcess {
    try AmalgamProcess(["rank", "--policy", path("fixed"), request] + arguments)
  }

  func policy(_ arguments: String...) throws -> AmalgamProcess {
    try AmalgamProcess(["policy"] + arguments)
  }
}
