import DurableFiles
import Foundation
import Testing

@Suite("evaluate and search")
struct EvaluateVerbTests {
  private let fixture: PolicyFixture
  private var data: String { fixture.path("data") }

  /// Shards as another program would write them: 30 sessions of 2 steps, every reward 1.
  init() throws {
    fixture = try PolicyFixture()
    try DurableFiles.makeFolders(data)
    func wave(_ size: Int, _ frequency: Float) -> [Float] {
      (0..<60 * size).map { sin(frequency * Float($0)) }
    }
    try Safetensors.write(
      [
        ("states", Tensor(wave(3, 0.7), shape: [60, 3])),
        ("actions", Tensor(wave(12, 1.3), shape: [60, 12])),
        ("rewards", Tensor([Float](repeating: 1, count: 60))),
        ("session_offsets", Tensor((0...30).map { Int64($0) * 2 })),
        ("session_end", Tensor([UInt8](repeating: 0, count: 30))),
        ("user_hash", Tensor((0..<30).map { UInt64($0 / 2) })),
      ], to: data + "/0.safetensors")
    try DurableFiles.write(
      #"{"format": "amalgam trajectories", "version": 1}"#, to: data + "/manifest.json")
  }

  private func evaluate(_ arguments: String...) throws -> AmalgamProcess {
    try AmalgamProcess(
      ["evaluate", "--data", data] + arguments
        + [
          "--set", "evaluation.rounds=300", "--set", "evaluation.hidden=[16]",
          "--set", "evaluation.batchSize=64", "--set", "evaluation.learningRate=0.003",
          "--set", "evaluation.fits=2",
        ])
  }

  private struct Found: Decodable {
    struct Estimate: Decodable {
      let method: String
      let estimator: String
      let value: Double
      let low: Double
      let high: Double
      let initialStates: Int
      let bellmanResidual: Double?
      let hasConverged: Bool?
    }
    let sessions: Int
    let transitions: Int
    let loggedReturn: Double
    let estimates: [Estimate]
  }

  @Test("two policies under three estimators, as JSON and as a table; the same bits again")
  func estimates() throws {
    let first = try evaluate(
      "--policy", fixture.path("fixed"), "--policy", fixture.path("cloning"), "--linear",
      "--json", "--seed", "3", "--output", fixture.path("found.json"))
    #expect(first.status == 0, "\(first.errors)")
    let found = try first.decoded(Found.self)
    #expect(found.sessions == 30 && found.transitions == 60)
    #expect(abs(found.loggedReturn - 1.95) < 1e-6)  // 1 + 0.95
    #expect(
      found.estimates.map { "\($0.method) \($0.estimator)" } == [
        "static fitted Q", "static conservative", "static linear fitted Q",
        "cloning fitted Q", "cloning conservative", "cloning linear fitted Q",
      ])
    for estimate in found.estimates {
      #expect(estimate.low <= estimate.value && estimate.value <= estimate.high)
      #expect(estimate.initialStates == 30)
    }
    #expect(try DurableFiles.readText(fixture.path("found.json")) == first.output)
    let again = try evaluate(
      "--policy", fixture.path("fixed"), "--policy", fixture.path("cloning"), "--linear",
      "--json", "--seed", "3")
    #expect(again.output == first.output)

    let table = try evaluate("--policy", fixture.path("fixed"))
    #expect(table.status == 0)
    #expect(table.output.contains("30 logged sessions"))
    #expect(table.output.contains("as they were logged: 1.950"))
  }

  @Test("a fit that is cut short is told to machines and people, with what to do about it")
  func cutShort() throws {
    // Of cut sessions the log shows 1.95, but in all states 1/(1 − 0.95) is to come.
    try DurableFiles.remove(data + "/0.safetensors")
    try Safetensors.write(
      [
        ("states", Tensor([Float](repeating: 0.5, count: 60 * 3), shape: [60, 3])),
        ("actions", Tensor([Float](repeating: 0, count: 60 * 12), shape: [60, 12])),
        ("rewards", Tensor([Float](repeating: 1, count: 60))),
        ("session_offsets", Tensor((0...30).map { Int64($0) * 2 })),
        ("session_end", Tensor([UInt8](repeating: 1, count: 30))),
        ("final_states", Tensor([Float](repeating: 0.5, count: 30 * 3), shape: [30, 3])),
        ("user_hash", Tensor((0..<30).map { UInt64($0 / 2) })),
      ], to: data + "/0.safetensors")
    let arguments = [
      "evaluate", "--data", data, "--policy", fixture.path("fixed"), "--linear", "--set",
      "evaluation.rounds=20", "--set", "evaluation.hidden=[16]", "--set", "evaluation.fits=2",
    ]
    let table = try AmalgamProcess(arguments)
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("fitted Q of static has not converged"), "\(table.output)")
    #expect(table.output.contains("raise evaluation.rounds"))
    let json = try AmalgamProcess(arguments + ["--json"])
    let found = try json.decoded(Found.self)
    #expect(found.estimates.map(\.hasConverged) == [false, false, nil])
    #expect(try #require(found.estimates[0].bellmanResidual) > 0.5)
  }

  @Test("all versions of a registry are evaluated under their names")
  func registry() throws {
    for name in ["one", "two"] {
      let added = try AmalgamProcess([
        "policy", "add", "--registry", fixture.path("registry"), "--as", name,
        fixture.path("fixed"),
      ])
      #expect(added.status == 0, "\(added.errors)")
    }
    let shown = try evaluate("--registry", fixture.path("registry"), "--json")
    let found = try shown.decoded(Found.self)
    #expect(Set(found.estimates.map(\.method)) == ["one", "two"])
  }

  @Test("what is missing, of no sense or diverging has its words and its exit status")
  func wrong() throws {
    let fixed = fixture.path("fixed")
    try evaluate("--policy", fixture.path("none")).expectError(2, saying: "none")
    try evaluate("--registry", fixture.path("none")).expectError(2, saying: "no policy registry")
    try evaluate().expectError(2, saying: "--policy or --registry")
    try evaluate("--policy", fixed, "--set", "threads=0").expectError(2, saying: "threads")
    try AmalgamProcess([
      "evaluate", "--data", data, "--policy", fixed, "--set", "evaluation.fits=1",
    ]).expectError(2, saying: "evaluation.fits: expected at least 2, found 1")
    try AmalgamProcess(["evaluate", "--data", fixture.path("none"), "--policy", fixed])
      .expectError(2, saying: "none")
    let narrow = fixture.path("narrow")
    try DurableFiles.makeFolders(narrow)
    try DurableFiles.write(
      DurableFiles.readText(data + "/manifest.json"), to: narrow + "/manifest.json")
    try Safetensors.write(
      [
        ("states", Tensor([Float](repeating: 0, count: 4), shape: [2, 2])),
        ("actions", Tensor([Float](repeating: 0, count: 24), shape: [2, 12])),
        ("rewards", Tensor([1, 2] as [Float])), ("session_offsets", Tensor([0, 1, 2] as [Int64])),
        ("session_end", Tensor([0, 0] as [UInt8])),
      ], to: narrow + "/0.safetensors")
    try AmalgamProcess(["evaluate", "--data", narrow, "--policy", fixture.path("cloning")])
      .expectError(
        2, saying: "expected states of 3 numbers, which policy cloning is made for, found 2")
    let diverged = try AmalgamProcess([
      "evaluate", "--data", data, "--policy", fixed, "--set", "evaluation.learningRate=1e15",
      "--set", "evaluation.rounds=50", "--set", "evaluation.hidden=[8]",
    ])
    #expect(diverged.status == 1 && diverged.errors.contains("diverged"), "\(diverged.errors)")
  }

  @Test("search needs a platform, a budget and a place for its artifact")
  func search() throws {
    let output = fixture.path("best")
    try AmalgamProcess(["search", "--platform", fixture.path("none"), "--output", output])
      .expectError(2, saying: "no platform.json")
    try AmalgamProcess([
      "search", "--platform", fixture.path("none"), "--output", output, "--set",
      "search.sessionBudget=0",
    ]).expectError(2, saying: "search.sessionBudget: expected at least 1, found 0")
    try AmalgamProcess([
      "search", "--platform", fixture.path("none"), "--output", fixture.path("fixed"),
    ]).expectError(2, saying: "written once")
    #expect(!DurableFiles.exists(output))
  }
}
