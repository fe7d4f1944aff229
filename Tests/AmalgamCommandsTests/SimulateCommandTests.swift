import AmalgamCommands
import DurableFiles
import Foundation
import SessionLogs
import Testing
import UserSimulator

@Suite("simulate") struct SimulateCommandTests {
  private let root = FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-simulate-\(UUID().uuidString)").path
  private var platform: String { root + "/platform" }

  /// What `platform.json` holds, in the names of the file.
  private struct Description: Encodable {
    var schema = 1
    var seed: UInt64 = 3
    var userIDs: [String]
    var videoIDs: [String]
    var userHashes: [UInt64]
    var profileNames: [String]
    var activity: [Double]
    var durationSeconds: [Float]
    var topics: [Int]
    var exposures: [Double]
    var candidateCount = 40
    var assumptions = Assumptions()
    var fit = PlatformFit.start(types: 5)
  }

  /// A made-up platform of 20 users and 90 videos, as `reproduce` would leave it.
  init() throws {
    try DurableFiles.makeFolders(platform)
    let data = try PlatformData.synthetic(users: 20, videos: 90, seed: 1)
    let rows = (0..<20).map { data.impressions.row(user: $0) }
    try Safetensors.write(
      [
        (
          "profiles",
          Tensor(data.users.profiles, shape: [20, data.users.profileNames.count])
        ),
        ("scores", Tensor(rows.flatMap(\.scores), shape: [20, 90, 12])),
        ("responses", Tensor(rows.flatMap(\.responses), shape: [20, 90, 12])),
      ], to: platform + "/tables.safetensors")
    let description = Description(
      userIDs: (0..<20).map { "u\($0)" }, videoIDs: (0..<90).map { "v\($0)" },
      userHashes: data.users.hashes, profileNames: data.users.profileNames,
      activity: data.users.activity, durationSeconds: data.videos.durationSeconds,
      topics: data.videos.topics, exposures: data.videos.exposures)
    try DurableFiles.write(
      Array(JSONEncoder().encode(description)), to: platform + "/platform.json")
  }

  private func simulate(_ arguments: [String]) async -> Int32 {
    await Amalgam.run(arguments: ["simulate"] + arguments)
  }

  private func serve(_ log: String, _ more: [String]) async -> Int32 {
    await simulate(
      ["run", "--platform", platform, "--days", "1", "--output", root + "/" + log, "--json"] + more)
  }

  @Test("serves sessions as a log that validates; the same seed gives the same bytes")
  func serves() async throws {
    defer { try? DurableFiles.remove(root) }
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
    defer { try? DurableFiles.remove(root) }
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
    defer { try? DurableFiles.remove(root) }
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

  @Test("wrong requests are told before anything is written")
  func wrongRequests() async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await serve("a", ["--users", "21"]) == 2)
    #expect(await serve("a", ["--threads", "0"]) == 2)
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
