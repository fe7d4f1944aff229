import DurableFiles
import Foundation
import Testing

@Suite("evaluate --validate")
struct ValidationVerbTests {
  private let fixture: PlatformFixture

  init() throws { fixture = try PlatformFixture() }

  private static let tiny = [
    "--set", "validation.users=20", "--set", "validation.days=2", "--set", "validation.policies=4",
    "--set", "validation.searchSessions=60", "--set", "validation.truthUsers=20", "--set",
    "validation.truthDays=1", "--set", "evaluation.rounds=40", "--set", "evaluation.hidden=[8]",
    "--set", "evaluation.fits=2", "--set", "evaluation.batchSize=32",
  ]

  @Test(
    "prints four measures an estimator and the policies with their true values; same bits again")
  func measures() throws {
    let arguments =
      [
        "evaluate", "--validate", "--platform", fixture.platform, "--linear", "--seed", "3",
        "--json",
      ]
      + Self.tiny
    let first = try AmalgamProcess(arguments + ["--output", fixture.path("found.json")])
    #expect(first.status == 0, "\(first.errors)")
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(first.output.utf8)) as? [String: Any])
    let estimators = try #require(found["estimators"] as? [[String: Any]])
    #expect(
      estimators.map { $0["estimator"] as? String } == [
        "fitted Q", "conservative", "linear fitted Q",
      ])
    for estimator in estimators {
      #expect(
        estimator.keys.sorted() == [
          "absolute_error", "coverage", "estimator", "rank_correlation", "regret_at_1",
        ])
      let coverage = try #require(estimator["coverage"] as? Double)
      #expect((0...1).contains(coverage))
      #expect(try #require(estimator["absolute_error"] as? Double) >= 0)
      #expect(try #require(estimator["regret_at_1"] as? Double) >= 0)
    }
    let policies = try #require(found["policies"] as? [[String: Any]])
    #expect(
      policies.map { $0["policy"] as? String } == [
        "static 0.0", "static 1.0", "noisy 0.3", "personal 0.3",
      ])
    #expect(Set(policies.compactMap { $0["truth"] as? Double }).count == 4)
    #expect(try DurableFiles.readText(fixture.path("found.json")) == first.output)
    #expect(try AmalgamProcess(arguments + ["--set", "threads=1"]).output == first.output)
    let table = try AmalgamProcess(
      ["evaluate", "--validate", "--platform", fixture.platform] + Self.tiny)
    #expect(table.output.contains("SIMULATED PLATFORM"))
    #expect(table.output.contains("rank corr."))
  }

  @Test("a policy of the user's own is one more, and one of other weights is refused")
  func ownPolicy() throws {
    let searched = try fixture.run(
      ["search"], "--output", fixture.path("own"), "--name", "own", "--set",
      "search.sessionBudget=60", "--set", "search.usersPerPoint=10")
    #expect(searched.status == 0, "\(searched.errors)")
    let process = try AmalgamProcess(
      [
        "evaluate", "--validate", "--platform", fixture.platform, "--policy", fixture.path("own"),
        "--json", "--estimators", "linear_fitted_q",
      ] + Self.tiny)
    #expect(process.status == 0, "\(process.errors)")
    #expect(process.output.contains("\"policy\" : \"own\""))
  }

  @Test("what is out of range is told by its key")
  func wrong() throws {
    func refused(_ key: String, _ words: String) throws {
      try AmalgamProcess([
        "evaluate", "--validate", "--platform", fixture.platform, "--set", key,
      ]).expectError(2, saying: words)
    }
    try refused("validation.policies=3", "validation.policies: expected at least 4, found 3")
    try refused("validation.days=0", "validation.days: expected at least 1, found 0")
    try refused("validation.noiseDeviation=0", "validation.noiseDeviation: expected more than 0")
    try AmalgamProcess(["evaluate", "--validate", "--platform", fixture.path("none")])
      .expectError(2, saying: "no platform.json")
  }
}
