import AmalgamCommands
import DurableFiles
import Foundation
import SessionLogs
import Testing
import UserSimulator

@Suite("simulate") struct SimulateCommandTests {
  private let fixture: PlatformFixture
  private var root: String { fixture.scratch.path }
  private var platform: String { fixture.platform }

  init() throws { fixture = try PlatformFixture() }

  private func simulate(_ arguments: [String]) async -> Int32 {
    await Amalgam.run(arguments: ["simulate"] + arguments)
  }

  private func serve(_ log: String, _ more: [String]) async -> Int32 {
    await simulate(
      ["run", "--platform", platform, "--days", "1", "--output", root + "/" + log, "--json"] + more)
  }

  @Test("serves sessions as a log that validates; the same seed gives the same bytes")
  func serves() async throws {
    #expect(await serve("a", ["--policy", "mixed", "--threads", "1"]) == 0)
    #expect(await serve("b", ["--policy", "mixed", "--threads", "2"]) == 0)
    #expect(await serve("c", ["--policy", "mixed", "--seed", "2"]) == 0)
    let decisions = try DurableFiles.read(root + "/a/decisions.jsonl")
    #expect(!decisions.isEmpty)
    #expect(try DurableFiles.read(root + "/b/decisions.jsonl") == decisions)
    #expect(try DurableFiles.read(root + "/c/decisions.jsonl") != decisions)
    #expect(await Amalgam.run(arguments: ["logs", "validate", root + "/a"]) == 0)
  }

  @Test("on a full disk neither a log nor a platform is left half-written", arguments: [4, 40])
  func fullDisk(blocks: Int) throws {
    let before = try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
    for call in [
      ["run", "--platform", platform, "--days", "1", "--output", root + "/full"],
      [
        "fit", "--platform", platform, "--users", "5", "--output", root + "/full",
      ],
    ] {
      let run = try AmalgamProcess(["simulate"] + call, fileSizeLimit: blocks)
      #expect(run.status == 1, "\(call[0]): \(run.errors)")
      #expect(run.errors.contains("error: "), "\(call[0]): \(run.errors)")
      #expect(
        try FileManager.default.subpathsOfDirectory(atPath: root).sorted() == before, "\(call[0])")
    }
  }

  @Test("fits the tables again with another assumption, and compares with the log")
  func fits() async throws {
    let output = root + "/fitted"
    let status = await simulate([
      "fit", "--platform", platform, "--output", output, "--users", "20", "--set",
      "stayingSlope=0.25", "--json",
    ])
    #expect(status == 0)
    #expect(try DurableFiles.readText(output + "/platform.json").contains("\"stayingSlope\":0.25"))
    #expect(
      await simulate(["check", "--platform", output, "--users", "20", "--days", "1", "--json"]) == 0
    )
  }

  @Test("headroom compares each user's own weights with a policy; refuses what is not there")
  func headroom() throws {
    let call = ["simulate", "headroom"]
    let found = try fixture.run(call, "--users", "6", "--days", "1", "--json")
    #expect(found.status == 0, "\(found.errors)")
    let rows = try #require(
      JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [[String: Any]])
    #expect(
      rows.map { $0["policy"] as? String }
        == ["reference", "best static", "each user's own", "another user's"])
    for (index, row) in rows.enumerated() {
      let returns = try #require(row["session_return"] as? [String: Any])
      #expect((returns["value"] as? Double ?? 0) > 0)
      #expect((returns["lift"] is Double) == (index > 0))
    }
    let table = try fixture.run(call, "--users", "6", "--days", "1")
    #expect(table.output.contains("SIMULATED PLATFORM"))
    try fixture.run(call, "--users", "21").expectError(2, saying: "--users 21", "at most 20")
    try fixture.run(call, "--days", "0").expectError(2, saying: "--days 0")
    try fixture.run(call, "--users", "6", "--policy", "nowhere").expectError(2, saying: "nowhere")
  }

  @Test("a check in which some behaviors never happen writes null for what is undefined")
  func undefinedChecks() throws {
    let run = try fixture.run(
      ["simulate", "check"], "--users", "1", "--days", "1", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("null"))
    let check = try run.decoded(PlatformCheck.self)
    let undefined = check.rows.filter { $0.simulated.isNaN }
    #expect(!undefined.isEmpty && undefined.allSatisfy { !$0.passes })
    #expect(check.rows.contains { $0.simulated.isFinite && $0.anchor.isFinite })
    let table = try fixture.run(["simulate", "check"], "--users", "1", "--days", "1")
    #expect(table.status == 0 && table.output.contains("within tolerance"))
  }

  @Test("wrong requests are told before anything is written")
  func wrongRequests() async throws {
    #expect(await serve("a", ["--users", "21"]) == 2)
    #expect(await serve("a", ["--threads", "0"]) == 2)
    for flag in ["--users", "--days", "--threads"] {
      #expect(await simulate(["check", "--platform", platform, flag, "0"]) == 2)
      if flag == "--days" { continue }
      let output = root + "/a"
      #expect(await simulate(["fit", "--platform", platform, "--output", output, flag, "0"]) == 2)
    }
    #expect(await serve("a", ["--noise-deviation", "-1"]) == 2)
    #expect(await serve("a", ["--policy", root + "/nothing"]) != 0)
    #expect(await simulate(["run", "--platform", root, "--output", root + "/a"]) == 2)
    #expect(
      await simulate([
        "fit", "--platform", platform, "--output", root + "/a", "--set", "slope=1",
      ]) == 2)
    #expect(!DurableFiles.exists(root + "/a"))
  }
}
