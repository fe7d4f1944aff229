import AmalgamCommands
import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Testing

@Suite("logs and prepare")
struct LogCommandTests {
  private let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-log-commands-\(UUID().uuidString)").path

  private func writeLog() throws {
    let writer = try SessionLogWriter(
      folder: path + "/log",
      schema: LogSchema(
        tasks: TaskSchema([BehaviorTask(name: "click", domain: .probability, polarity: .positive)]),
        stateNames: ["s"], windowEndMilliseconds: 100_000_000))
    for request in 0..<20 {
      let time = Int64(request / 2 * 7_200_000 + request * 1000)
      try writer.write(
        DecisionEvent(
          requestID: "r\(request)", userID: "u\(request % 2)", timeMilliseconds: time,
          policyVersion: "p", state: [1], action: [0], logPropensity: nil, shown: ["a"],
          taskScores: [0.5]))
      try writer.write(
        FeedbackEvent(
          requestID: "r\(request)", userID: "u\(request % 2)", itemID: "a", position: 0,
          timeMilliseconds: time, arrivalTimeMilliseconds: time,
          feedback: UserFeedback(playSeconds: 30, durationSeconds: 60, click: true)))
    }
    try writer.finish()
  }

  @Test("a good log is valid, described and prepared; the manifest holds the log's hash")
  func goodLog() async throws {
    defer { try? DurableFiles.remove(path) }
    try writeLog()
    #expect(await Amalgam.run(arguments: ["logs", "validate", path + "/log", "--strict"]) == 0)
    #expect(await Amalgam.run(arguments: ["logs", "describe", path + "/log", "--json"]) == 0)
    #expect(
      await Amalgam.run(
        arguments: [
          "prepare", path + "/log", "--output", path + "/out", "--set", "trainFraction=0.5",
          "--set", "memoryLimitMegabytes=300",
        ]) == 0)
    let manifest = try DurableFiles.readText(path + "/out/train/manifest.json")
    let bytes = try DurableFiles.read(path + "/log/decisions.jsonl")
    #expect(bytes.count > 1000 && manifest.contains("\"decisions.jsonl\" : \"sha256:"))
    #expect(manifest.contains("\"sessions\" : 10"))
    #expect(DurableFiles.exists(path + "/out/test/shard-00000.safetensors"))
  }

  @Test("a bad line, a missing log and an unknown key have their exit status")
  func badInput() async throws {
    defer { try? DurableFiles.remove(path) }
    try writeLog()
    let log = path + "/log"
    #expect(
      await Amalgam.run(
        arguments: ["prepare", log, "--output", path + "/out", "--set", "arm=x"]) == 2)
    #expect(
      await Amalgam.run(
        arguments: ["prepare", log, "--output", path + "/out", "--set", "trainFraction=2"]) == 2)
    let text = try DurableFiles.readText(log + "/decisions.jsonl")
    try DurableFiles.write(String(text.dropLast(10)), to: log + "/decisions.jsonl")
    #expect(await Amalgam.run(arguments: ["logs", "validate", log]) == 1)
    #expect(await Amalgam.run(arguments: ["logs", "describe", log]) == 1)
    #expect(await Amalgam.run(arguments: ["prepare", log, "--output", path + "/out"]) == 1)
    #expect(!DurableFiles.exists(path + "/out"))
    #expect(await Amalgam.run(arguments: ["logs", "validate", path + "/none"]) == 2)
    #expect(await Amalgam.run(arguments: ["logs", "validate"]) == 2)
  }
}
