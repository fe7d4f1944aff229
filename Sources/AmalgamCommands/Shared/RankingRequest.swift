import DurableFiles
import FusionMDP
import PolicyArtifacts
import SeededRandom

/// One request to rank, from a JSON file:
///
///     {"user_id": "u7", "seed": 1, "state": [0.1, …],
///      "candidates": [{"item_id": "v3", "task_scores": {"click": 0.4, …}}, …]}
///
/// `user_id` and `seed` may be left out, and `state` where the policy reads none; every task of the
/// policy needs a score; an unknown key is an error.
struct RankingRequest {
  /// The candidates' ids [N].
  let itemIDs: [String]
  private let path: String
  private let state: [Float]
  private let scores: TaskScores
  private let userHash: UInt64
  private let seed: UInt64

  /// Reads and checks a request.
  ///
  /// - Throws: `CommandFailure.usage` naming file, candidate, field, what was expected and found;
  ///   `DurableFileError` for a file that cannot be read.
  init(file path: String, schema: TaskSchema) throws {
    let root = try JSONFile.read(ConfigurationValue.self, from: path)
    let request = try RequestValue(root, place: path).members(
      of: ["user_id", "seed", "state", "candidates"], required: ["candidates"])
    let candidates = try request["candidates", default: .missing].list()
    guard !candidates.isEmpty else {
      throw CommandFailure.usage("\(path): candidates: expected at least one, found none")
    }
    var ids: [String] = []
    var values: [Float] = []
    for candidate in candidates {
      let keys = ["item_id", "task_scores"]
      let members = try candidate.members(of: keys, required: keys)
      ids.append(try members["item_id", default: .missing].text())
      values += try Self.scores(members["task_scores", default: .missing], schema)
    }
    self.path = path
    itemIDs = ids
    scores = try TaskScores(values, schema: schema)
    state = try request["state"]?.list().map { try $0.number() } ?? []
    userHash = stableHash(try request["user_id"]?.text() ?? "")
    seed = try request["seed"]?.count() ?? 0
  }

  private static func scores(_ value: RequestValue, _ schema: TaskSchema) throws -> [Float] {
    let members = try value.members(of: schema.names, required: [])
    guard let absent = schema.names.first(where: { members[$0] == nil }) else {
      return try schema.tasks.map { task in
        let place = members[task.name, default: .missing]
        let score = try place.number(expected: task.domain.summary)
        guard task.domain.contains(score) else {
          throw place.failure(expected: task.domain.summary, found: "\(score)")
        }
        return score
      }
    }
    throw CommandFailure.usage(
      "\(value.place): \(members.count) scores for \(schema.count) tasks; '\(absent)' is missing")
  }

  /// Ranks the candidates by a policy, with each task's part in each score.
  ///
  /// - Throws: `CommandFailure.usage` for a state of another size, `PolicyArtifactError`,
  ///   `FusionError`.
  func explain(by artifact: PolicyArtifact, count: Int?) throws -> PolicyExplanation {
    var stream = RandomStream(seed: seed, name: "rank")
    do {
      return try artifact.explain(
        state: state, scores: scores, count: count, userHash: userHash, using: &stream)
    } catch PolicyArtifactError.invalidState(let reason) {
      throw CommandFailure.usage("\(path): state: \(reason)")
    }
  }
}

/// A value of a request, and where it stands.
private struct RequestValue {
  /// What a required member is before it was looked up; never seen, as `members` checks first.
  static let missing = RequestValue(.null, place: "")

  /// The file and the path of keys, for messages.
  let place: String
  private let value: ConfigurationValue

  init(_ value: ConfigurationValue, place: String) {
    self.value = value
    self.place = place
  }

  func failure(expected: String, found: String? = nil) -> CommandFailure {
    .usage("\(place): expected \(expected), found \(found ?? summary)")
  }

  func members(of known: [String], required: [String]) throws -> [String: RequestValue] {
    guard case .object(let members) = value else { throw failure(expected: "an object") }
    for key in members.keys.sorted() where !known.contains(key) {
      throw CommandFailure.usage(
        "\(place): unknown key '\(key)'; expected \(known.joined(separator: ", "))")
    }
    if let absent = required.first(where: { members[$0] == nil }) {
      throw CommandFailure.usage("\(place): key '\(absent)' is missing")
    }
    return Dictionary(
      uniqueKeysWithValues: members.map { key, value in
        (key, RequestValue(value, place: "\(place): \(key)"))
      })
  }

  func list() throws -> [RequestValue] {
    guard case .list(let values) = value else { throw failure(expected: "a list") }
    return values.enumerated().map { RequestValue($1, place: "\(place)[\($0)]") }
  }

  func text() throws -> String {
    guard case .text(let text) = value else { throw failure(expected: "a text") }
    return text
  }

  /// A text like "NaN" is no number: what a model could not compute must not be ranked by.
  func number(expected: String = "a number") throws -> Float {
    switch value {
    case .integer(let number): return Float(number)
    case .number(let number): return Float(number)
    default: throw failure(expected: expected)
    }
  }

  func count() throws -> UInt64 {
    guard case .integer(let number) = value, let count = UInt64(exactly: number) else {
      throw failure(expected: "a whole number from 0 to \(Int64.max)")
    }
    return count
  }

  private var summary: String {
    switch value {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "the text \"\(value)\""
    case .list(let values): "a list of \(values.count)"
    case .object: "an object"
    }
  }
}
