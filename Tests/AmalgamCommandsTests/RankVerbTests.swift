import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import Testing

@Suite("amalgam rank")
struct RankVerbTests {
  private let fixture: PolicyFixture

  init() throws { fixture = try PolicyFixture() }

  private typealias Members = [String: Any]

  @Test("the better candidate stands first, with the weights and each task's part")
  func ranks() throws {
    let ranked = try fixture.rank(fixture.goodRequest())
    #expect(ranked.status == 0 && ranked.errors == "")
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(ranked.output.utf8)) as? Members)
    #expect(answer["policy"] as? String == "static")
    let weights = try #require(answer["weights"] as? [String: Double])
    #expect(weights.count == 12)
    #expect(weights["like"] == 1 && weights["skip"] == -2 && weights["hate"] == -1)
    let items = try #require(answer["items"] as? [Members])
    #expect(items.map { $0["item_id"] as? String } == ["liked", "plain"])
    #expect(items.map { $0["rank"] as? Int } == [1, 2])
    let parts = try #require(items[0]["contributions"] as? [String: Double])
    // Eq. 1: α·log(o + β) with α = 1, o = 0.75, β = 0.018 for like; α = 1, o = 10, β = 1 for time.
    #expect(abs((parts["like"] ?? 0) - log(0.768)) < 1e-5)
    #expect(abs((parts["watch_time"] ?? 0) - log(11)) < 1e-5)
    let score = try #require(items[0]["score"] as? Double)
    #expect(abs(parts.values.reduce(0, +) - score) < 1e-4)
  }

  @Test("--count limits the list; the same request gives the same answer")
  func count() throws {
    let request = try fixture.goodRequest()
    let one = try fixture.rank(request, "--count", "1")
    #expect(one.output.components(separatedBy: "\"item_id\"").count == 2)
    let cloning = ["rank", "--policy", fixture.path("cloning"), request]
    #expect(try AmalgamProcess(cloning).output == AmalgamProcess(cloning).output)
    try fixture.rank(request, "--count", "0").expectError(2, saying: "--count", "found 0")
    try fixture.rank(request, "--count", "six").expectError(2, saying: "six")
  }

  @Test("either --policy or --registry")
  func sources() throws {
    let request = try fixture.goodRequest()
    try AmalgamProcess(["rank", request]).expectError(2, saying: "either --policy or --registry")
    try AmalgamProcess(["rank", "--policy", "a", "--registry", "b", request])
      .expectError(2, saying: "either --policy or --registry")
    let nowhere = fixture.path("nowhere")
    try AmalgamProcess(["rank", "--registry", nowhere, request])
      .expectError(2, saying: "\(nowhere): no policy registry")
    #expect(!DurableFiles.exists(nowhere))
    try AmalgamProcess(["rank", "--policy", nowhere, request])
      .expectError(2, saying: "error: \(nowhere)/manifest.json: the file is missing\n")
  }

  /// One wrong request: its content, and what the message must say behind the file's name.
  struct Wrong: Sendable, CustomTestStringConvertible {
    let text: String
    let message: String
    var testDescription: String { message }

    init(_ message: String, _ text: String) { (self.text, self.message) = (text, message) }

    /// A request with one candidate `a`; `scores` changes its scores, "" removes one.
    init(_ message: String, scores: [String: String] = [:], more: String = "", item: String = "") {
      var parts: [String] = []
      for task in TaskSchema.standard.names + scores.keys.filter({ $0 == "share" }) {
        let score = scores[task, default: "0.5"]
        if score.isEmpty { continue }
        parts.append("\"\(task)\": \(score)")
      }
      self.init(
        message,
        "{\(more) \"candidates\": [{\(item) \"item_id\": \"a\", \"task_scores\": {"
          + parts.joined(separator: ", ") + "}}]}")
    }
  }

  static let wrong = [
    Wrong(
      ": candidates[0]: task_scores: like: expected a probability in [0, 1], found 1.5\n",
      scores: ["like": "1.5"]),
    Wrong(
      ": candidates[0]: task_scores: hate: expected a probability in [0, 1], found -0.1\n",
      scores: ["hate": "-0.1"]),
    Wrong(
      ": candidates[0]: task_scores: watch_time: expected seconds, finite and at least 0, "
        + "found inf\n", scores: ["watch_time": "1e60"]),
    Wrong(
      ": candidates[0]: task_scores: like: expected a probability in [0, 1], "
        + "found the text \"NaN\"\n", scores: ["like": "\"NaN\""]),
    Wrong(
      ": candidates[0]: task_scores: like: expected a probability in [0, 1], found null\n",
      scores: ["like": "null"]),
    Wrong(":1: not valid JSON: ", scores: ["like": "NaN"]),
    Wrong(":3: not valid JSON: ", "{\n \"candidates\":\n nothing}"),
    Wrong(
      ": candidates[0]: task_scores: 11 scores for 12 tasks; 'skip' is missing\n",
      scores: ["skip": ""]),
    Wrong(
      ": candidates[0]: task_scores: unknown key 'share'; expected click, long_view,",
      scores: ["share": "0.5"]),
    Wrong(
      ": unknown key 'states'; expected user_id, seed, state, candidates\n",
      more: "\"states\": [1],"),
    Wrong(
      ": candidates[0]: unknown key 'id'; expected item_id, task_scores\n",
      item: "\"id\": 7,"),
    Wrong(": state[1]: expected a number, found true\n", more: "\"state\": [1, true],"),
    Wrong(": state: expected a list, found 3\n", more: "\"state\": 3,"),
    Wrong(": user_id: expected a text, found 7\n", more: "\"user_id\": 7,"),
    Wrong(": seed: expected a whole number from 0 to ", more: "\"seed\": -1,"),
    Wrong(": candidates: expected at least one, found none\n", "{\"candidates\": []}"),
    Wrong(": key 'candidates' is missing\n", "{\"state\": [1]}"),
    Wrong(": candidates[0]: key 'item_id' is missing\n", "{\"candidates\": [{}]}"),
    Wrong(": candidates[0]: expected an object, found 5\n", "{\"candidates\": [5]}"),
    Wrong(": expected an object, found a list of 0\n", "[]"),
    Wrong(": not valid JSON: ", "{\"candidates\": [{\"item_id\": \"a\", \"task_sc"),
    Wrong(": not valid JSON: ", ""),
  ]

  @Test("a wrong request is refused by file and field", arguments: wrong)
  func wrongRequest(_ wrong: Wrong) throws {
    let path = fixture.path("request.json")
    try DurableFiles.write(wrong.text, to: path)
    let before = try fixture.scratch.listing()
    try fixture.rank(path).expectError(2, saying: "error: \(path)\(wrong.message)")
    #expect(try fixture.scratch.listing() == before)
  }

  @Test("a request that is not there, or no text, is refused by name")
  func unreadable() throws {
    let path = fixture.path("none.json")
    try fixture.rank(path).expectError(2, saying: "error: \(path): cannot open the file", "No such")
    try fixture.rank(fixture.path("fixed")).expectError(2, saying: "is not a regular file")
    try DurableFiles.write([0xFF, 0xFE, 0x00, 0x7B], to: path)
    try fixture.rank(path).expectError(2, saying: path, "not valid JSON")
  }

  @Test("a state of the wrong size or not finite is refused")
  func wrongState() throws {
    for (state, message) in [
      ("[1, 2]", "state: expected 3 features, found 2"),
      ("[1, 2, 1e60]", "state: feature 2: expected a finite number, found inf"),
    ] {
      let path = fixture.path("request.json")
      try DurableFiles.write(
        Wrong("", more: "\"state\": \(state),").text, to: path)
      try AmalgamProcess(["rank", "--policy", fixture.path("cloning"), path])
        .expectError(2, saying: "error: \(path): \(message)\n")
    }
  }

  @Test("weights with one bit changed are refused by their hash")
  func corruptedWeights() throws {
    let request = try fixture.goodRequest()
    let weights = fixture.path("fixed/weights.safetensors")
    var bytes = try DurableFiles.read(weights)
    bytes[bytes.count - 1] ^= 1
    try DurableFiles.write(bytes, to: weights)
    try fixture.rank(request)
      .expectError(1, saying: "error: \(weights): expected the SHA-256 ", ", found ")
    try DurableFiles.write(Array(bytes.dropLast()), to: weights)
    try fixture.rank(request)
      .expectError(1, saying: "\(weights): expected \(bytes.count) bytes, found \(bytes.count - 1)")
    try DurableFiles.remove(weights)
    try fixture.rank(request).expectError(2, saying: "\(weights): the file is missing")
  }

  @Test("11 weights for 12 tasks are refused even under a right hash")
  func elevenWeights() throws {
    let request = try fixture.goodRequest()
    let weights = fixture.path("fixed/weights.safetensors")
    let manifest = fixture.path("fixed/manifest.json")
    let old = try DurableFiles.read(weights).count
    try Safetensors.write([("action", Tensor([Float](repeating: 0, count: 11)))], to: weights)
    let new = try DurableFiles.read(weights).count
    // The size, then the hash that the message names, make the manifest agree with the file.
    var text = try DurableFiles.readText(manifest)
      .replacingOccurrences(of: "\"bytes\" : \(old)", with: "\"bytes\" : \(new)")
    try DurableFiles.write(text, to: manifest)
    let errors = try fixture.rank(request).errors
    let match = try #require(
      try /SHA-256 ([0-9a-f]{64}), found ([0-9a-f]{64})/.firstMatch(in: errors))
    text = text.replacingOccurrences(of: match.1, with: match.2)
    try DurableFiles.write(text, to: manifest)
    try fixture.rank(request)
      .expectError(2, saying: "\(weights): tensor \"action\"", "12", "11")
  }
}
