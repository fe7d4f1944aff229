import Foundation
import PolicyArtifacts
import SessionLogs
import Testing

/// What `evaluate` says of logs that are wrong in one way, and of the same log without the fault.
@Suite("evaluate on logs that are wrong")
struct WrongLogTests {
  private let fixture: GateFixture

  init() throws {
    fixture = try GateFixture()
    try fixture.artifact("far", -0.8, meanReward: nil).write(to: fixture.path("far"))
  }

  private struct Found: Decodable {
    struct Finding: Decodable {
      let check: String
      let severity: String
      let summary: String
    }
    struct Propensities: Decodable {
      struct Calibration: Decodable {
        let meanLogDensity: Double
        let uniformLogDensity: Double
      }
      let source: String
      let objections: [String]
      let calibration: Calibration?
    }
    struct Estimate: Decodable {
      struct Weights: Decodable {
        let meanWeight: Double
        let propensitiesAreFitted: Bool
      }
      let estimator: String
      let evidence: String
      let shortcomings: [String]
      let weights: Weights?
    }
    struct Gate: Decodable { let verdict: String }
    let findings: [Finding]
    let propensities: Propensities
    let estimates: [Estimate]
    let failures: [String]?
    let gate: Gate?

    /// The estimate of this estimator.
    func estimate(_ estimator: String) throws -> Estimate {
      try #require(estimates.first { $0.estimator == estimator })
    }
    func errors(_ check: String) -> [String] {
      findings.filter { $0.check == check && $0.severity == "error" }.map(\.summary)
    }
  }

  /// The policy whose first weight is −0.8, where the skewed log has few actions, by one estimator
  /// that weighs and one that does not.
  private func evaluate(
    _ log: GateFixture.Log, _ name: String, _ more: String...
  ) throws -> (found: Found, text: String) {
    try fixture.write(log, to: name)
    func run(_ more: [String]) throws -> AmalgamProcess {
      let process = try AmalgamProcess(
        [
          "evaluate", "--policy", fixture.path("far"), "--data", fixture.path(name),
          "--estimators", "self_normalized_importance_sampling,linear_fitted_q",
        ] + more)
      #expect(process.status == 0, "\(name): \(process.errors)")
      return process
    }
    return (try run(more + ["--json"]).decoded(Found.self), try run(more).output)
  }

  private let weighted = "self-normalized importance sampling"

  @Test("right densities of a skewed log have nothing against them")
  func right() throws {
    let (found, text) = try evaluate(
      GateFixture.Log(sessions: 10 * GateFixture.sessionCount, isSkewed: true), "right")
    #expect(found.findings.allSatisfy { $0.severity == "warning" }, "\(found.findings)")
    #expect(found.propensities.source == "logged" && found.propensities.objections.isEmpty)
    let estimate = try found.estimate(weighted)
    #expect(
      !estimate.shortcomings.contains { $0.contains("propensities are not those of") },
      "\(estimate)")
    #expect(!text.contains("NOT USABLE"))
  }

  @Test("halved, permuted and constant densities forbid what weighs by them, and nothing else")
  func wrong() throws {
    let halved = try evaluate(
      GateFixture.Log(
        isSkewed: true, propensity: { $1[$0] - Float(Foundation.log(2.0)) }), "halved")
    #expect(halved.found.errors("propensities").first?.contains("of the box's volume") == true)
    let permuted = try evaluate(
      GateFixture.Log(
        sessions: 10 * GateFixture.sessionCount, isSkewed: true,
        propensity: { $1[($0 + 399) % $1.count] }), "permuted")
    #expect(permuted.found.errors("propensities").isEmpty)
    let one = try evaluate(GateFixture.Log(isSkewed: true, propensity: { _, _ in 0 }), "one")
    #expect(one.found.errors("propensities").first?.contains("every density 1") == true)
    #expect(one.text.contains("NOT USABLE BY WEIGHTS: all logged log densities are 0"))
    for (name, result) in [("halved", halved), ("permuted", permuted), ("one", one)] {
      let estimate = try result.found.estimate(weighted)
      #expect(estimate.evidence == "not_enough", "\(name)")
      #expect(
        estimate.shortcomings.contains { $0.contains("propensities are not those of") }
          || result.found.propensities.objections.first.map { first in
            estimate.shortcomings.contains { $0.hasPrefix(first) }
          } == true,
        "\(name): \(estimate)")
      let model = try result.found.estimate("linear fitted Q")
      #expect(model.evidence == "enough", "\(name): \(model)")
    }
  }

  @Test("a state that holds the reward of its own request is no evidence for any estimator")
  func leak() throws {
    let (found, text) = try evaluate(GateFixture.Log(leaks: true), "leak")
    #expect(found.errors("leakage").first?.contains("number 0") == true, "\(found.findings)")
    #expect(found.estimates.allSatisfy { $0.evidence == "not_enough" })
    #expect(text.contains("NOT USABLE: state feature number 0 explains"), "\(text)")
  }

  @Test("unknown densities are fitted where asked, and what rests on them is marked")
  func fitted() throws {
    let log = GateFixture.Log(isSkewed: true, propensity: nil)
    let unknown = try evaluate(log, "unknown").found
    #expect(unknown.failures?.count == 1 && unknown.failures?[0].contains("800 of 800") == true)
    #expect(unknown.findings.contains { $0.check == "propensities" && $0.severity == "warning" })
    let (found, text) = try evaluate(
      log, "unknown", "--propensities", "fitted", "--set", "density.componentCounts=[1]", "--set",
      "density.steps=800")
    #expect(found.propensities.source == "fitted" && found.propensities.objections.isEmpty)
    let calibration = try #require(found.propensities.calibration)
    // The entropy of the first weight's density lies 0.13 nats below that of an even one.
    #expect(
      abs(calibration.meanLogDensity - calibration.uniformLogDensity - 0.13) < 0.1,
      "\(calibration)")
    let estimate = try found.estimate(weighted)
    #expect(estimate.weights?.propensitiesAreFitted == true)
    #expect(abs((estimate.weights?.meanWeight ?? 0) - 1) < 0.3, "\(estimate)")
    #expect(text.contains("importance sampling (fitted densities)"))
    #expect(text.contains("densities of the logged actions were FITTED"))
    #expect(!text.contains("linear fitted Q (fitted"))
  }

  @Test("fitted densities release nothing unless the gate is told that they may")
  func gate() throws {
    let log = GateFixture.Log(isSkewed: true, propensity: nil)
    try fixture.write(log, to: "unknown")
    func verdict(_ more: String...) throws -> Found {
      let process = try AmalgamProcess(
        [
          "evaluate", "--policy", fixture.path("better"), "--against", fixture.path("worse"),
          "--data", fixture.path("unknown"), "--propensities", "fitted", "--json", "--set",
          "estimators=[self_normalized_importance_sampling]", "--set",
          "gate.estimators=[self_normalized_importance_sampling]", "--set", "gate.guardrails=[]",
          "--set", "density.componentCounts=[1]", "--set", "density.steps=800", "--set",
          "floors.leastEffectiveSampleSize=5", "--set", "floors.largestWeightShare=0.5", "--set",
          "floors.largestMeanWeightDeviation=1",
        ] + more)
      #expect(process.status == 0, "\(process.errors)")
      return try process.decoded(Found.self)
    }
    let held = try verdict()
    #expect(held.gate?.verdict == "not_enough_evidence")
    let allowed = try verdict("--set", "gate.allowsFittedPropensities=true")
    #expect(allowed.gate?.verdict == "release", "\(allowed.estimates)")
  }

  @Test("intervals rest on users or on sessions, as asked")
  func clusters() throws {
    // 40 users whose 20 sessions each are of the same weights: 40 numbers, not 800.
    struct Widths: Decodable {
      struct Estimate: Decodable {
        let low: Double
        let high: Double
      }
      let estimates: [Estimate]
    }
    try fixture.write(
      GateFixture.Log(user: { UInt64($0 / 20) }, hasOneActionPerUser: true), to: "few")
    func width(_ clusters: String) throws -> Double {
      let process = try fixture.evaluate(
        "worse", on: "few", "--estimators", "importance_sampling", "--set",
        "clusters=\(clusters)", "--set", "bandwidth=0.4", "--set", "interval=student_t", "--json")
      #expect(process.status == 0, "\(process.errors)")
      let estimate = try process.decoded(Widths.self).estimates[0]
      return estimate.high - estimate.low
    }
    #expect(try width("users") > 2 * width("sessions"))
  }

  @Test("densities that cannot be fitted end with status 1 and say why")
  func unfitted() throws {
    try fixture.write(GateFixture.Log(hasOneAction: true), to: "same")
    try fixture.evaluate("better", on: "same", "--propensities", "fitted")
      .expectError(1, saying: "all 800 logged actions are the same")
    try fixture.evaluate("better", "--propensities", "guessed").expectError(2, saying: "guessed")
    try fixture.evaluate("better", "--set", "density.folds=1")
      .expectError(2, saying: "density.folds: expected 2 to 100, found 1")
    try fixture.evaluate("better", "--set", "bandwidth=0")
      .expectError(2, saying: "bandwidth: expected a number above 0")
    try fixture.evaluate("better", "--set", "bandwidth=wide")
      .expectError(2, saying: "expected automatic or a number above 0")
  }

  @Test("the health metric stands beside the estimates, with its label")
  func health() throws {
    let log = try fixture.scratch.writeLikedLog().path
    let process = try fixture.evaluate(
      "better", "--against", fixture.path("worse"), "--health-log", log)
    #expect(process.status == 0, "\(process.errors)")
    #expect(
      process.output.contains("(health metric, not a causal estimate); long_view of 2 users"),
      "\(process.output)")
    struct Health: Decodable {
      struct Metric: Decodable {
        let policy: String
        let label: String
      }
      let healthMetrics: [Metric]
    }
    let found = try fixture.evaluate(
      "better", "--against", fixture.path("worse"), "--health-log", log, "--json"
    ).decoded(Health.self)
    #expect(found.healthMetrics.map(\.policy) == ["better", fixture.path("worse")])
    try fixture.evaluate("better", "--health-log", fixture.path("none"))
      .expectError(2, saying: "none")
    try fixture.evaluate("better", "--health-log", log, "--set", "health.consumption=[buy]")
      .expectError(2, saying: "for valid consumption")
    try fixture.evaluate("better", "--set", "health.feedbackDeadlineMinutes=0")
      .expectError(2, saying: "health.feedbackDeadlineMinutes: expected a number above 0, found 0")
  }
}
