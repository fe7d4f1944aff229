import DurableFiles
import Foundation
import Testing

@Suite("amalgam policy")
struct PolicyVerbTests {
  private let fixture: PolicyFixture
  private let registry: String

  init() throws {
    fixture = try PolicyFixture()
    registry = fixture.path("registry")
  }

  private func add(_ artifact: String, _ more: String...) throws -> AmalgamProcess {
    try AmalgamProcess(
      ["policy", "add", "--registry", registry, fixture.path(artifact)] + more)
  }

  @Test("add, release, rollback and list tell which version is current")
  func lifeOfAVersion() throws {
    let first = try add("fixed")
    #expect(first.status == 0 && first.output == "v1\n" && first.errors == "")
    #expect(try add("cloning").output == "v2\n")
    #expect(try add("fixed", "--as", "spring").output == "spring\n")
    let before = try fixture.policy("list", "--registry", registry)
    #expect(
      before.output == """
          v1  static  (hand, seed 1)  fitted_q 4.125 [4.000, 4.250]
          v2  cloning  (hand, seed 2)  fitted_q 4.125 [4.000, 4.250]
          spring  static  (hand, seed 1)  fitted_q 4.125 [4.000, 4.250]

        """)
    #expect(try fixture.policy("release", "--registry", registry, "v1").status == 0)
    let release = try fixture.policy("release", "--registry", registry, "v2")
    #expect(release.status == 0 && release.output == "v2 is current\n")
    let marked = try fixture.policy("list", "--registry", registry).output
    #expect(marked.split(separator: "\n").map { $0.prefix(4) } == ["  v1", "* v2", "  sp"])
    let rollback = try fixture.policy("rollback", "--registry", registry)
    #expect(rollback.status == 0 && rollback.output == "v1 is current\n")
  }

  @Test("list --json gives machines the versions in order")
  func listForMachines() throws {
    _ = try add("fixed")
    _ = try fixture.policy("release", "--registry", registry, "v1")
    let list = try fixture.policy("list", "--registry", registry, "--json")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]])
    #expect(rows.count == 1)
    #expect(rows[0]["version"] as? String == "v1")
    #expect(rows[0]["current"] as? Bool == true)
    #expect(rows[0]["seed"] as? Int == 1)
    #expect((rows[0]["evaluation"] as? [[String: Any]])?.first?["high"] as? Double == 4.25)
  }

  @Test("explain gives weights and parts that add up to the score")
  func explains() throws {
    let explained = try fixture.policy(
      "explain", "--policy", fixture.path("fixed"), fixture.goodRequest())
    #expect(explained.status == 0)
    let lines = explained.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "policy static (hand)")
    // The action 0 is the middle of [0, 2]; −1 is the lower end of [−2, 0].
    #expect(lines.contains { $0.hasPrefix("like") && $0.hasSuffix("0.000    1.0000") })
    #expect(lines.contains { $0.hasPrefix("skip") && $0.hasSuffix("-1.000   -2.0000") })
    let first = try #require(lines.firstIndex { $0.hasPrefix("1. liked  score ") })
    let score = try #require(Double(lines[first].split(separator: " ").last ?? ""))
    let parts = lines[(first + 1)...(first + 12)].compactMap {
      Double($0.split(separator: " ")[0])
    }
    #expect(parts.count == 12)
    #expect(abs(parts.reduce(0, +) - score) < 1e-3)
    #expect(lines[first + 13].hasPrefix("2. plain"))
  }

  @Test("what the registry does not hold or its history forbids is told, and changes nothing")
  func refusals() throws {
    try fixture.policy("list", "--registry", registry)
      .expectError(2, saying: "\(registry): no policy registry")
    #expect(!DurableFiles.exists(registry))
    _ = try add("fixed")
    let before = try fixture.scratch.listing()
    try fixture.policy("rollback", "--registry", registry)
      .expectError(1, saying: "error: \(registry): no policy was released\n")
    try fixture.policy("release", "--registry", registry, "v9")
      .expectError(2, saying: "there is no version \"v9\"; there are v1\n")
    try fixture.policy("release", "--registry", registry, "../v1")
      .expectError(2, saying: "\"../v1\" is no version name")
    try add("fixed", "--as", "v1")
      .expectError(1, saying: "the version \"v1\" exists; versions are never overwritten\n")
    try add("fixed", "--as", "a/b").expectError(2, saying: "\"a/b\" is no version name")
    try fixture.policy("explain", "--registry", registry, fixture.goodRequest())
      .expectError(1, saying: "no policy was released")
    try DurableFiles.remove(fixture.path("request.json"))
    #expect(try fixture.scratch.listing() == before)
    _ = try fixture.policy("release", "--registry", registry, "v1")
    try fixture.policy("rollback", "--registry", registry)
      .expectError(1, saying: "\"v1\" is the earliest release, there is nothing to roll back to")
  }

  @Test("an artifact that is missing or damaged is named and not stored")
  func badArtifacts() throws {
    let before = try fixture.scratch.listing()
    try add("nowhere")
      .expectError(
        2, saying: "error: \(fixture.path("nowhere"))/manifest.json: the file is missing")
    #expect(try fixture.scratch.listing() == before)
    let manifest = fixture.path("fixed/manifest.json")
    let text = try DurableFiles.readText(manifest)
    try DurableFiles.write(String(text.dropLast(20)), to: manifest)
    try add("fixed").expectError(2, saying: "error: \(manifest): ", "JSON")
    try DurableFiles.write(
      text.replacingOccurrences(of: "log_sum", with: "log_som"), to: manifest)
    try add("fixed").expectError(2, saying: "\(manifest), field fusion.formula: ", "log_som")
    #expect(!DurableFiles.exists(registry))
  }

  @Test("a pointer that was edited by hand stops every use of it")
  func badPointer() throws {
    _ = try add("fixed")
    _ = try fixture.policy("release", "--registry", registry, "v1")
    let pointer = "\(registry)/current.json"
    let text = try DurableFiles.readText(pointer)
    try DurableFiles.write(
      text.replacingOccurrences(of: "\"current\" : \"v1\"", with: "\"current\" : \"v2\""),
      to: pointer)
    for arguments in [["list"], ["rollback"]] {
      try AmalgamProcess(["policy"] + arguments + ["--registry", registry])
        .expectError(1, saying: "\(pointer): field current: contradicts the events")
    }
    try DurableFiles.write("{", to: pointer)
    try fixture.policy("list", "--registry", registry).expectError(1, saying: pointer)
  }

  @Test("a full disk leaves the registry as it was", arguments: [1, 3])
  func fullDisk(blocks: Int) throws {
    _ = try add("fixed")
    let before = try fixture.scratch.listing()
    try AmalgamProcess(
      ["policy", "add", "--registry", registry, fixture.path("cloning")], fileSizeLimit: blocks
    ).expectError(1, saying: "cannot write: ", "(EFBIG)")
    #expect(try fixture.scratch.listing() == before)
    #expect(try add("cloning").output == "v2\n")
  }

  @Test("a disk so full that not even the message can be stored still fails in order")
  func fullDiskForMessages() throws {
    let before = try fixture.scratch.listing()
    let request = try fixture.goodRequest()
    for arguments in [
      ["policy", "release", "--registry", fixture.path("none"), "v1"],
      ["rank", "--policy", fixture.path("fixed"), request],
      ["policy", "list", "--json", "--registry", fixture.path("none")],
    ] {
      let run = try AmalgamProcess(arguments, fileSizeLimit: 0)
      #expect(run.status == (arguments[0] == "rank" ? 1 : 2))
      #expect(run.output == "" && run.errors == "")
    }
    try DurableFiles.remove(request)
    #expect(try fixture.scratch.listing() == before)
  }
}
