import DurableFiles
import Foundation
import Testing

@Suite("evaluate --against")
struct GateVerbTests {
  private let fixture: GateFixture

  init() throws { fixture = try GateFixture() }

  private struct Found: Decodable {
    struct Finding: Decodable {
      let check: String
      let severity: String
    }
    struct Estimate: Decodable {
      let evidence: String
    }
    struct Gate: Decodable {
      struct Reason: Decodable {
        let callsFor: String
        let rule: String
        let text: String
      }
      struct Difference: Decodable {
        let estimator: String
        let value: Double
        let low: Double
        let high: Double
        let relative: Double?
      }
      let verdict: String
      let policy: String
      let against: String
      let reasons: [Reason]
      let differences: [Difference]
      let unchecked: [String]
    }
    let loggedReturn: Double
    let truncatedShare: Double
    let findings: [Finding]
    let estimates: [Estimate]
    let gate: Gate?
  }

  private func gate(_ process: AmalgamProcess) throws -> Found.Gate {
    #expect(process.status == 0, "\(process.errors)")
    return try #require(try process.decoded(Found.self).gate, "\(process.output)")
  }

  @Test("a better policy is released, the worse one held, by differences near the truth")
  func verdicts() throws {
    let better = try gate(
      fixture.evaluate("better", "--against", fixture.path("worse"), "--json"))
    #expect(better.verdict == "release", "\(better.reasons)")
    #expect(better.policy == "better" && better.against == fixture.path("worse"))
    for estimator in ["conservative", "linear fitted Q"] {
      let difference = try #require(better.differences.first { $0.estimator == estimator })
      #expect(abs(difference.value - 0.6) < 0.15, "\(difference)")
      #expect(difference.low <= difference.value && difference.value <= difference.high)
      #expect(abs((difference.relative ?? 0) - 0.6 / 0.7) < 0.25)
    }
    #expect(better.unchecked.count == 1 && better.unchecked[0].contains("play_minutes"))
    let worse = try fixture.evaluate("worse", "--against", fixture.path("better"))
    #expect(
      worse.output.contains("worse against \(fixture.path("better")): HOLD"), "\(worse.output)")
    #expect(worse.output.contains("nowhere above the asked +0.000"))
  }

  @Test("a policy against itself is held, by differences of exactly 0")
  func itself() throws {
    let found = try gate(fixture.evaluate("better", "--against", fixture.path("better"), "--json"))
    #expect(found.verdict == "hold")
    #expect(found.differences.allSatisfy { $0.value == 0 && $0.low == 0 && $0.high == 0 })
  }

  @Test("--fail-unless-release ends with 1 after the verdict is printed, and with 0 on a release")
  func exitStatus() throws {
    let held = try fixture.evaluate(
      "worse", "--against", "logged", "--fail-unless-release", "--json")
    #expect(held.status == 1)
    #expect(held.errors.contains("error: worse against logged: hold"), "\(held.errors)")
    let found = try held.decoded(Found.self)
    #expect(found.gate?.verdict == "hold")
    #expect(abs(found.loggedReturn - 1) < 0.1)
    let released = try fixture.evaluate("better", "--against", "logged", "--fail-unless-release")
    #expect(released.status == 0, "\(released.output)")
    #expect(released.output.contains("better against logged: RELEASE"))
  }

  @Test("thresholds come from YAML: a lift that is asked for and not there holds")
  func thresholds() throws {
    let configuration = fixture.path("gate.yaml")
    try DurableFiles.write(
      "gate:\n  leastRelativeLift: 2\n  guardrails: []\n", to: configuration)
    let found = try gate(
      fixture.evaluate(
        "better", "--against", fixture.path("worse"), "--json", "--config", configuration))
    #expect(found.verdict == "hold" && found.unchecked.isEmpty)
    let far = try gate(
      fixture.evaluate(
        "better", "--against", fixture.path("worse"), "--json", "--set",
        "floors.largestActionDistance=0.1"))
    #expect(far.verdict == "not_enough_evidence")
    #expect(far.reasons[0].rule == "floors" && far.reasons[0].text.contains("0.1"))
  }

  @Test("the current version of a registry is what a policy is held against")
  func current() throws {
    let registry = fixture.path("registry")
    func policy(_ arguments: String...) throws -> AmalgamProcess {
      try AmalgamProcess(["policy"] + arguments + ["--registry", registry])
    }
    try fixture.evaluate("better", "--against", "current").expectError(2, saying: "--registry")
    _ = try policy("add", "--as", "v1", fixture.path("worse"))
    try fixture.evaluate("better", "--against", "current", "--registry", registry)
      .expectError(1, saying: "no policy was released")
    _ = try policy("add", "--as", "v2", fixture.path("better"))
    #expect(try policy("release", "v1").status == 0)
    let output = fixture.path("found.json")
    let found = try gate(
      fixture.evaluate(
        "better", "--against", "current", "--registry", registry, "--json", "--output", output))
    #expect(found.against == "current v1" && found.verdict == "release")
    #expect(try policy("release", "v2", "--gated", "--prediction", output).status == 0)
    let ledger = try policy("ledger").output
    #expect(ledger.contains("v2, gate: release against current v1"), "\(ledger)")
    // A verdict against what is no longer current releases nothing.
    _ = try policy("add", "--as", "v3", fixture.path("slight"))
    #expect(try policy("release", "v3").status == 0)
    try policy("release", "v2", "--gated", "--prediction", output)
      .expectError(1, saying: "expected a verdict against v3 or against logged, found one against")
  }

  @Test("cut sessions are counted, and too many of them are no reference")
  func cut() throws {
    try fixture.write(GateFixture.Log(isCut: true), to: "cut")
    let process = try fixture.evaluate("better", on: "cut", "--against", "logged", "--json")
    let found = try process.decoded(Found.self)
    #expect(found.truncatedShare == 1)
    #expect(abs(found.loggedReturn - 20) < 1)  // 1 / (1 − 0.95)
    #expect(found.gate?.verdict == "not_enough_evidence")
    #expect(found.gate?.reasons.contains { $0.rule == "largestTruncatedShare" } == true)
  }

  @Test("a reward in another unit is told, and no estimate of it counts")
  func rewardUnit() throws {
    try fixture.write(GateFixture.Log(rewardFactor: 60), to: "seconds")
    let process = try fixture.evaluate(
      "better", on: "seconds", "--against", fixture.path("worse"), "--json")
    let found = try process.decoded(Found.self)
    #expect(found.findings.contains { $0.check == "units" && $0.severity == "error" })
    #expect(found.estimates.allSatisfy { $0.evidence == "not_enough" })
    #expect(found.gate?.verdict == "not_enough_evidence")
    let text = try fixture.evaluate("better", on: "seconds").output
    #expect(text.contains("NOT USABLE: the reward is"), "\(text)")
    #expect(text.contains("NOT ENOUGH"))
  }

  @Test("a log of one user, and one without variation in the weights, release nothing")
  func emptyOfEvidence() throws {
    try fixture.write(GateFixture.Log(user: { _ in 7 }), to: "one")
    try fixture.write(GateFixture.Log(hasOneAction: true), to: "same")
    for (data, check) in [("one", "users"), ("same", "action_variation")] {
      let process = try fixture.evaluate(
        "better", on: data, "--against", fixture.path("worse"), "--json")
      #expect(process.status == 0, "\(process.errors)")
      let found = try process.decoded(Found.self)
      #expect(found.findings.contains { $0.check == check && $0.severity == "error" }, "\(data)")
      #expect(found.gate?.verdict == "not_enough_evidence", "\(data)")
      #expect(found.gate?.reasons.first?.rule == "data", "\(data)")
    }
  }

  @Test("of one session there is no estimate with an interval, and that is told in JSON too")
  func oneSession() throws {
    try fixture.write(GateFixture.Log(sessions: 1), to: "single")
    for reference in [fixture.path("worse"), "logged"] {
      let process = try fixture.evaluate(
        "better", on: "single", "--against", reference, "--json", "--set",
        "estimators=[conservative, linear_fitted_q, importance_sampling]")
      #expect(process.status == 0, "\(process.errors)")
      let found = try process.decoded(Found.self)
      #expect(found.estimates.isEmpty)
      #expect(found.gate?.verdict == "not_enough_evidence")
      #expect(found.gate?.reasons.contains { $0.rule == "estimators" } == true)
    }
    let text = try fixture.evaluate("better", on: "single").output
    #expect(
      text.contains("no estimate: better: conservative: value and interval are no finite numbers "),
      "\(text)")
  }

  @Test("wrong requests are told")
  func wrong() throws {
    try fixture.evaluate("better", "--against", fixture.path("none")).expectError(2, saying: "none")
    try fixture.evaluate("better", "--fail-unless-release").expectError(2, saying: "--against")
    try fixture.evaluate("better", "--estimators", "fitted_q,oracle")
      .expectError(2, saying: "found 'oracle'")
    try fixture.evaluate("better", "--set", "clusters=lists")
      .expectError(2, saying: "clusters: found 'lists'")
    try fixture.evaluate("better", "--set", "cap=0")
      .expectError(2, saying: "cap: expected a number above 0, found 0")
    try fixture.evaluate("better", "--set", "folds=1")
      .expectError(2, saying: "folds: expected at least 2, found 1")
    try fixture.evaluate("better", "--set", "gate.confidence=1")
      .expectError(2, saying: "gate.confidence: expected a number in (0, 1)")
    try fixture.evaluate("better", "--set", "gate.guardrails=[{signal: x, largestLoss: 1}]")
      .expectError(2, saying: "gate.guardrails: expected a signal of play_minutes")
    try AmalgamProcess(["evaluate", "--policy", fixture.path("better")])
      .expectError(2, saying: "give --data")
    try AmalgamProcess(["evaluate", "--validate"]).expectError(2, saying: "--platform")
    try AmalgamProcess(["evaluate", "--validate", "--data", fixture.path("data")])
      .expectError(2, saying: "--data: does not go with --validate")
    func validate(_ more: String...) throws -> AmalgamProcess {
      try AmalgamProcess(["evaluate", "--validate", "--platform", fixture.path("none")] + more)
    }
    try validate("--set", "rewardWeights.play_quantile=0.05")
      .expectError(2, saying: "rewardWeights.play_quantile: expected signals of play_minutes")
    try validate("--estimators", "one_step_direct_method")
      .expectError(2, saying: "found one_step_direct_method")
  }
}
