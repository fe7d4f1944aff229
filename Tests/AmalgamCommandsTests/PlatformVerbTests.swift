import DurableFiles
import Foundation
import PolicyArtifacts
import Testing

/// `search` and `experiment` on a small made-up platform, through the binary.
@Suite("search and experiment on a platform")
struct PlatformVerbTests {
  private let fixture: PlatformFixture

  init() throws { fixture = try PlatformFixture() }

  private func search(_ output: String, _ more: [String] = []) throws -> AmalgamProcess {
    try AmalgamProcess(
      [
        "search", "--platform", fixture.platform, "--output", fixture.path(output), "--seed", "5",
        "--set", "search.sessionBudget=300", "--set", "search.usersPerPoint=10",
      ] + more)
  }

  private struct Found: Decodable {
    let action: [Double]
    let mean: Double
    let deviation: Double
    let sessions: Int
    let points: Int
  }

  @Test("search spends its budget and stores the best weights; the same seed, the same bytes")
  func searches() throws {
    let first = try search("best", ["--json", "--name", "found"])
    #expect(first.status == 0, "\(first.errors)")
    let found = try first.decoded(Found.self)
    #expect(found.action.count == 12 && found.action.allSatisfy { abs($0) <= 1 })
    #expect(found.sessions >= 300 && found.points > 5)
    #expect(found.mean > 0 && found.deviation > 0)
    let artifact = try PolicyArtifact.load(fixture.path("best"))
    #expect(artifact.manifest.policy.name == "found")
    #expect(artifact.manifest.algorithm == "bayesian_optimization" && artifact.manifest.seed == 5)

    let text = try search("again")
    #expect(text.status == 0 && text.output.contains("best of \(found.points) points"))
    #expect(text.output.contains("watch_time: "))
    let weights = "weights.safetensors"
    let bytes = try DurableFiles.read(fixture.path("best/\(weights)"))
    #expect(try DurableFiles.read(fixture.path("again/\(weights)")) == bytes)
    try search("best").expectError(2, saying: "written once")

    // The users' days before the search are part of the answer.
    let cold = try search("cold", ["--set", "warmupDays=0", "--json"])
    #expect(cold.status == 0 && cold.output != first.output, "\(cold.errors)")
    try search("none", ["--set", "warmupDays=-1"])
      .expectError(2, saying: "warmupDays: expected at least 0, found -1")
  }

  @Test("experiment compares two policies after a warm-up; the same seed, the same result")
  func experiments() throws {
    for (name, action) in [("one", Float(0)), ("two", 0.5)] {
      try PolicyFixture.artifact(PolicyFixture.fixed(action), seed: 1)
        .write(to: fixture.path(name))
    }
    func experiment(_ more: String...) throws -> AmalgamProcess {
      try AmalgamProcess(
        [
          "experiment", "--platform", fixture.platform, "--arm", "one=\(fixture.path("one"))",
          "--arm", "two=\(fixture.path("two"))", "--days", "1", "--baseline-days", "1",
        ] + more)
    }
    let first = try experiment("--json")
    #expect(first.status == 0, "\(first.errors)")
    let result = try #require(
      try JSONSerialization.jsonObject(with: Data(first.output.utf8)) as? [String: Any])
    let arms = try #require(result["arms"] as? [[String: Any]])
    #expect(arms.compactMap { $0["name"] as? String } == ["one", "two"])
    #expect(arms.compactMap { $0["users"] as? Int }.reduce(0, +) == PlatformFixture.userCount)
    #expect(try experiment("--json", "--threads", "1").output == first.output)
    let cold = try experiment("--json", "--warmup-days", "0")
    #expect(cold.status == 0 && cold.output != first.output)
    let table = try experiment("--output", fixture.path("result.json"))
    #expect(table.status == 0 && table.output.contains("lifts over one"))
    #expect(try DurableFiles.readText(fixture.path("result.json")) == first.output)
    try experiment("--warmup-days=-1").expectError(2, saying: "--warmup-days -1")
  }
}
