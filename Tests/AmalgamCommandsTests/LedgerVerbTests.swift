import DurableFiles
import Foundation
import PolicyArtifacts
import Testing

@Suite("policy ledger and observe")
struct LedgerVerbTests {
  private let fixture: PlatformFixture
  private var registry: String { fixture.path("registry") }

  /// A platform, and a registry with the version `best` of static weights found on it.
  init() throws {
    fixture = try PlatformFixture()
    let found = try fixture.run(
      ["search"], "--output", fixture.path("best"), "--set", "search.sessionBudget=100", "--set",
      "search.usersPerPoint=10")
    #expect(found.status == 0, "\(found.errors)")
    let added = try AmalgamProcess([
      "policy", "add", "--registry", registry, "--as", "best", fixture.path("best"),
    ])
    #expect(added.status == 0, "\(added.errors)")
  }

  private func policy(_ arguments: String...) throws -> AmalgamProcess {
    try AmalgamProcess(["policy"] + arguments + ["--registry", registry])
  }

  /// What the policy's sessions look like, as a log.
  private func serve(_ policy: String, to name: String) throws -> String {
    let log = fixture.path(name)
    let served = try fixture.run(
      ["simulate", "run"], "--policy", policy, "--days", "2", "--output", log)
    #expect(served.status == 0, "\(served.errors)")
    return log
  }

  private struct Report: Decodable {
    struct Version: Decodable {
      struct Prediction: Decodable {
        let estimator: String
        let value: Double
        let error: Double?
        let held: Bool?
      }
      struct Observed: Decodable {
        let metric: String
        let value: Double
        let count: Int
      }
      let version: String
      let isReleased: Bool
      let predictions: [Prediction]
      let observations: [Observed]
    }
    struct Estimator: Decodable {
      let estimator: String
      let versions: Int
      let absoluteError: Double?
      let coverage: Double?
    }
    let versions: [Version]
    let estimators: [Estimator]
  }

  @Test("a prediction and the log of its sessions stand beside each other, with error and coverage")
  func predictedBesideObserved() throws {
    let empty = try policy("ledger")
    #expect(empty.status == 0 && empty.output.contains("the ledger is empty"))
    try policy("observe", "best", "--log", fixture.path("none")).expectError(2, saying: "none")

    let prediction = fixture.path("prediction.json")
    func write(_ hash: String, _ gate: String = "null") throws {
      try DurableFiles.write(
        """
        {"policies": [{"method": "best", "manifest_sha256": "\(hash)"},
                      {"method": "old", "manifest_sha256": "0123"}],
         "gate": \(gate), "estimates": [
           {"method": "best", "estimator": "conservative", "value": 100, "low": 0, "high": 200}]}
        """, to: prediction)
    }
    // Another policy of the same name is another policy.
    try write("89ab")
    try policy("release", "best", "--prediction", prediction)
      .expectError(
        2, saying: "expected estimates of best", "found those of best (89ab), old (0123)")
    let hash = try #require(
      try PolicyRegistry(folder: registry).load("best").manifestSHA256)
    try write(hash)
    try policy("release", "best", "--gated").expectError(2, saying: "--prediction")
    try policy("release", "best", "--gated", "--prediction", prediction)
      .expectError(1, saying: "expected the verdict release, found none")
    try policy("release", "best", "--prediction", fixture.path("none")).expectError(
      2, saying: "none")
    #expect(try policy("release", "best", "--prediction", prediction).status == 0)

    let log = try serve(fixture.path("best"), to: "log")
    let observed = try policy("observe", "best", "--log", log)
    #expect(observed.status == 0, "\(observed.errors)")
    #expect(observed.output.hasPrefix("best: observed session return "))
    let report = try policy("ledger", "--json").decoded(Report.self)
    let version = try #require(report.versions.first)
    let seen = try #require(version.observations.first)
    #expect(seen.metric == "session_return" && seen.count > 20)
    let predicted = try #require(version.predictions.first)
    #expect(abs((predicted.error ?? 0) - (100 - seen.value)) < 1e-9)
    #expect(predicted.held == true && version.isReleased)
    #expect(report.estimators.first?.coverage == 1)
    let text = try policy("ledger").output
    #expect(text.contains("predicted conservative 100.000 [0.000, 200.000], error +"))
    #expect(text.contains("interval held"))
    try PrintedJSONTests.check("policy ledger", ["--registry", registry])
  }

  @Test("a log that another policy served too is refused")
  func otherPolicy() throws {
    #expect(try policy("release", "best").status == 0)
    let log = try serve("reference", to: "log")
    try policy("observe", "best", "--log", log)
      .expectError(2, saying: "expected decisions of best", "reference weights")
    #expect(try policy("ledger").output.contains("not observed yet"))
  }

  @Test("an A/B readout gives the lifts of the version's arm")
  func experiment() throws {
    #expect(try policy("release", "best").status == 0)
    let readout = fixture.path("readout.json")
    let ran = try fixture.run(
      ["experiment"], "--arm", "old=\(fixture.path("best"))", "--arm",
      "best=\(fixture.path("best"))", "--days", "2", "--baseline-days", "1", "--output", readout)
    #expect(ran.status == 0, "\(ran.errors)")
    try policy("observe", "best", "--experiment", readout, "--arm", "new")
      .expectError(2, saying: "expected an arm new, found old, best")
    try policy("observe", "best", "--experiment", readout, "--arm", "old")
      .expectError(2, saying: "no lift")
    // What a readout does not need is not passed over.
    for flag in ["--discount", "--threads"] {
      try policy("observe", "best", "--experiment", readout, flag, "1")
        .expectError(2, saying: "\(flag): goes with --log")
    }
    let observed = try policy("observe", "best", "--experiment", readout)
    #expect(observed.status == 0, "\(observed.errors)")
    #expect(observed.output.contains("lift of app time"))
  }

  @Test("a version that was predicted and not released is told")
  func failedRelease() throws {
    #expect(try policy("release", "best").status == 0)
    // As a full disk between the ledger's line and the new current version leaves it.
    let ledger = "\(registry)/ledger.jsonl"
    let line = try DurableFiles.readText(ledger)
    try DurableFiles.write(
      line + line.replacing("\"version\":\"best\"", with: "\"version\":\"next\""), to: ledger)
    let report = try policy("ledger", "--json").decoded(Report.self)
    #expect(report.versions.map(\.version) == ["best", "next"])
    #expect(report.versions.map(\.isReleased) == [true, false])
    let text = try policy("ledger").output
    #expect(text.contains("next\n") && text.contains("  not released: the release failed"))
  }

  @Test("a damaged ledger is told by file and line")
  func damaged() throws {
    #expect(try policy("release", "best").status == 0)
    let ledger = "\(registry)/ledger.jsonl"
    try DurableFiles.write(DurableFiles.readText(ledger) + "{}\n", to: ledger)
    try policy("ledger").expectError(1, saying: "\(ledger):2: ", "key 'schema' is missing")
  }
}
