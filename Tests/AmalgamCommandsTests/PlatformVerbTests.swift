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
    let method: String
    let action: [Double]?
    let mean: Double
    let deviation: Double
    let sessionBudget: Int
    let sessions: Int
    let points: Int
  }

  @Test("search spends its budget and stores the best weights; the same seed, the same bytes")
  func searches() throws {
    let first = try search("best", ["--json", "--name", "found"])
    #expect(first.status == 0, "\(first.errors)")
    let found = try first.decoded(Found.self)
    let action = try #require(found.action)
    #expect(action.count == 12 && action.allSatisfy { abs($0) <= 1 })
    #expect(found.method == "bayesian_optimization" && found.sessionBudget == 300)
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

  @Test(
    "every method spends the budget and stores a policy that can be served; same seed, same bytes",
    arguments: ["evolution_strategy", "cross_entropy", "grid"])
  func methods(method: String) throws {
    let more = [
      "--method", method, "--json", "--set", "search.evolutionStrategy.hidden=[4]", "--set",
      "search.evolutionStrategy.usersPerPoint=3", "--set", "search.evolutionStrategy.pairs=2",
      "--set", "search.crossEntropy.population=4", "--set", "search.crossEntropy.elite=2", "--set",
      "search.grid.tasks=[like, skip]", "--set", "search.grid.levels=2",
    ]
    let first = try search("first", more)
    #expect(first.status == 0, "\(first.errors)")
    let found = try first.decoded(Found.self)
    #expect(found.method == method && found.sessionBudget == 300)
    // The last point begins before the budget is spent: ten users have no more than 200 sessions a day.
    #expect(found.sessions >= 300 && found.sessions < 500 && found.points >= 4)
    #expect(found.mean > 0 && found.deviation > 0)
    let artifact = try PolicyArtifact.load(fixture.path("first"))
    #expect(artifact.manifest.algorithm == method && artifact.manifest.policy.name == method)
    #expect((found.action == nil) == (method == "evolution_strategy"))
    if method == "grid", let action = found.action {
      #expect(action.filter { abs($0) == 1 }.count >= 2)
    }
    let again = try search("second", more + ["--set", "threads=1"])
    #expect(again.output == first.output, "\(again.errors)")
    let weights = "weights.safetensors"
    #expect(
      try DurableFiles.read(fixture.path("second/\(weights)"))
        == DurableFiles.read(fixture.path("first/\(weights)")))
    // Weights and states go through the whole path of a served policy.
    let served = try fixture.run(
      ["simulate", "run"], "--policy", fixture.path("first"), "--days", "1", "--output",
      fixture.path("log"))
    #expect(served.status == 0, "\(served.errors)")
  }

  @Test("an evolution strategy that has not moved serves the reference weights")
  func unmovedEvolution() throws {
    let found = try search(
      "still",
      ["--method", "evolution_strategy", "--set", "search.sessionBudget=1"])
    #expect(
      found.status == 0 && found.output.contains("weights differ by state"), "\(found.errors)")
    func served(_ policy: String, _ log: String) throws -> [[Double]] {
      let run = try fixture.run(
        ["simulate", "run"], "--policy", policy, "--days", "1", "--output", fixture.path(log))
      #expect(run.status == 0, "\(run.errors)")
      return try DurableFiles.readText(fixture.path("\(log)/decisions.jsonl")).split(
        separator: "\n"
      )
      .prefix(50).map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["action"] as? [Double])
      }
    }
    let reference = try served("reference", "reference-log")
    let still = try served(fixture.path("still"), "still-log")
    for (one, other) in zip(try #require(reference.first), try #require(still.first)) {
      // The bias at a bound is that of ±0.99.
      #expect(abs(one - other) < 0.0101)
    }
    #expect(Set(still) == Set(still.prefix(1)))
  }

  @Test("searches that cannot be are usage errors that name the key")
  func wrongSearches() throws {
    try search("none", ["--method", "annealing"]).expectError(2, saying: "annealing", "grid")
    for (assignment, words) in [
      ("search.grid.tasks=[like, likes]", "search.grid.tasks: expected different ones of click"),
      ("search.grid.tasks=[]", "search.grid.tasks: expected at least one"),
      ("search.grid.levels=1", "search.grid.levels: expected at least 2, found 1"),
      ("search.crossEntropy.elite=13", "search.crossEntropy.population: expected elite (13)"),
      ("search.crossEntropy.deviation=0", "search.crossEntropy.deviation: expected more than 0"),
      ("search.evolutionStrategy.pairs=0", "search.evolutionStrategy.pairs: expected 1"),
      (
        "search.evolutionStrategy.hidden=[0]",
        "search.evolutionStrategy.hidden: expected at least 1"
      ),
      ("search.evolutionStrategy.deviation=.nan", "search.evolutionStrategy.deviation"),
      ("search.evolutionStrategy.usersPerPoint=0", "search.evolutionStrategy.usersPerPoint"),
      ("method=grids", "grids"),
    ] {
      try search("none", ["--set", assignment]).expectError(2, saying: words)
    }
    #expect(!DurableFiles.exists(fixture.path("none")))
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
