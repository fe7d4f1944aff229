import DurableFiles
import Foundation
import PolicyArtifacts
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
          "above_floors", "absolute_error", "coverage", "estimator", "rank_correlation",
          "rank_correlation_above_floors", "regret_at_1",
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
    let truths = policies.compactMap { $0["truth"] as? Double }
    #expect(Set(truths).count == 4)
    try Self.expectDifferences(of: policies, truths: truths)
    #expect(abs(try #require(found["truth_rank_correlation"] as? Double)) <= 1)
    // With so few users every estimate lies below a floor.
    #expect(estimators.allSatisfy { $0["above_floors"] as? Int == 0 })
    #expect(estimators.allSatisfy { $0["rank_correlation_above_floors"] is NSNull })
    #expect(try DurableFiles.readText(fixture.path("found.json")) == first.output)
    #expect(try AmalgamProcess(arguments + ["--set", "threads=1"]).output == first.output)
    let table = try AmalgamProcess(
      ["evaluate", "--validate", "--platform", fixture.platform] + Self.tiny)
    #expect(table.output.contains("SIMULATED PLATFORM"))
    #expect(table.output.contains("rank corr."))
  }

  /// The best policy is no distance from itself, and each other one as far as the true values say.
  private static func expectDifferences(of policies: [[String: Any]], truths: [Double]) throws {
    let best = try #require(truths.max())
    for (policy, truth) in zip(policies, truths) {
      let difference = try #require(policy["truth_difference"] as? Double)
      let low = try #require(policy["truth_difference_low"] as? Double)
      let high = try #require(policy["truth_difference_high"] as? Double)
      #expect(abs(difference - (truth - best)) < 1e-9)
      #expect(truth == best ? low == 0 && high == 0 : low < difference && difference < high)
    }
  }

  @Test("with little reach every policy is nearly the reference")
  func reach() throws {
    func distances(_ reach: String) throws -> [Double] {
      let process = try AmalgamProcess(
        [
          "evaluate", "--validate", "--platform", fixture.platform, "--json", "--estimators",
          "linear_fitted_q", "--set", "validation.reach=\(reach)",
        ] + Self.tiny)
      #expect(process.status == 0, "\(process.errors)")
      let found = try #require(
        try JSONSerialization.jsonObject(with: Data(process.output.utf8)) as? [String: Any])
      let policies = try #require(found["policies"] as? [[String: Any]])
      return policies.compactMap { $0["action_distance"] as? Double }
    }
    func spread(_ values: [Double]) -> Double { (values.max() ?? 0) - (values.min() ?? 0) }
    let near = try distances("0.001")
    let whole = try distances("1")
    #expect(near.count == 4)
    #expect(spread(near) < 0.002)
    #expect(spread(whole) > 0.02)
  }

  @Test("a policy of the user's own is one more, and one for other states is refused")
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
    let other = fixture.path("cloning")
    try PolicyFixture.artifact(PolicyFixture.cloning, seed: 2).write(to: other)
    try AmalgamProcess([
      "evaluate", "--validate", "--platform", fixture.platform, "--policy", other,
    ]).expectError(2, saying: "expected states of 3 numbers, which policy cloning is made for")
  }

  @Test("fitted densities stand in for logged ones where asked, marked in every estimate")
  func fittedDensities() throws {
    let process = try AmalgamProcess(
      [
        "evaluate", "--validate", "--platform", fixture.platform, "--json", "--estimators",
        "self_normalized_importance_sampling", "--propensities", "fitted", "--set",
        "density.componentCounts=[1]", "--set", "density.steps=50",
      ] + Self.tiny)
    #expect(process.status == 0, "\(process.errors)")
    #expect(process.output.contains("\"propensities_are_fitted\" : true"))
    #expect(!process.output.contains("\"propensities_are_fitted\" : false"))
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
    try refused("validation.reach=0", "validation.reach: expected more than 0, at most 1, found 0")
    try refused("validation.reach=1.5", "validation.reach: expected more than 0, at most 1, found")
    try refused("validation.noiseDeviation=0", "validation.noiseDeviation: expected more than 0")
    try AmalgamProcess(["evaluate", "--validate", "--platform", fixture.path("none")])
      .expectError(2, saying: "no platform.json")
  }
}
