import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import SeededRandom

/// One request to rank, from a JSON file:
///
///     {"user_id": "u7", "seed": 1, "state": [0.1, …],
///      "candidates": [{"item_id": "v3", "task_scores": {"click": 0.4, …}}, …]}
///
/// `user_id` and `seed` may be left out; every task of the policy needs a score.
struct RankingRequest {
  private struct File: Decodable {
    struct Candidate: Decodable {
      let item_id: String
      let task_scores: [String: Float]
    }
    let user_id: String?
    let seed: UInt64?
    let state: [Float]?
    let candidates: [Candidate]
  }

  /// The candidates' ids [N].
  let itemIDs: [String]
  private let state: [Float]
  private let scores: TaskScores
  private let userHash: UInt64
  private let seed: UInt64

  /// Reads and checks a request.
  ///
  /// - Throws: `CommandFailure.usage` naming file, candidate, field, what was expected and found.
  init(file path: String, schema: TaskSchema) throws {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(DurableFiles.read(path)))
    } catch let error as DecodingError {
      throw CommandFailure.usage("\(path): \(Self.explain(error))")
    }
    guard !file.candidates.isEmpty else {
      throw CommandFailure.usage("\(path): candidates: expected at least one, found none")
    }
    var values: [Float] = []
    for (index, candidate) in file.candidates.enumerated() {
      let place = "\(path): candidates[\(index)] (\(candidate.item_id)): task_scores"
      if let unknown = candidate.task_scores.keys.sorted().first(where: {
        schema.index(of: $0) == nil
      }) {
        throw CommandFailure.usage("\(place): unknown task '\(unknown)'")
      }
      for task in schema.tasks {
        guard let score = candidate.task_scores[task.name] else {
          throw CommandFailure.usage(
            "\(place): \(candidate.task_scores.count) scores for \(schema.count) tasks; "
              + "'\(task.name)' is missing")
        }
        guard task.domain.contains(score) else {
          throw CommandFailure.usage(
            "\(place): \(task.name): expected \(task.domain.summary), found \(score)")
        }
        values.append(score)
      }
    }
    itemIDs = file.candidates.map(\.item_id)
    scores = try TaskScores(values, schema: schema)
    state = file.state ?? []
    userHash = stableHash(file.user_id ?? "")
    seed = file.seed ?? 0
  }

  /// Ranks the candidates by a policy, with each task's part in each score.
  ///
  /// - Throws: `PolicyArtifactError` for a state of another size, `FusionError`.
  func explain(by artifact: PolicyArtifact, count: Int?) throws -> PolicyExplanation {
    var stream = RandomStream(seed: seed, name: "rank")
    return try artifact.explain(
      state: state, scores: scores, count: count, userHash: userHash, using: &stream)
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context):
      return "\(path(context)): key '\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      return "\(path(context)): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }

  private static func path(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
    return keys.isEmpty ? "the request" : String(keys.joined().drop { $0 == "." })
  }
}
