import AmalgamCommands
import DurableFiles
import Foundation
import SessionLogs
import Testing

@Suite("logs convert")
struct LogsConvertTests {
  private let scratch: ScratchFolder
  private let examples = RepositoryFolder.path + "/Examples"

  init() throws { scratch = try ScratchFolder() }

  private func convert(_ mapping: String, _ more: [String] = []) throws -> AmalgamProcess {
    try AmalgamProcess(
      [
        "logs", "convert", examples + "/generic-feed/decisions.csv",
        examples + "/generic-feed/feedback.jsonl.gz", "--mapping", mapping, "--output",
        scratch.file("log"),
      ] + more)
  }

  private func mapping(_ change: (String) -> String) throws -> String {
    let path = scratch.file("mapping.yaml")
    let text = try DurableFiles.readText(examples + "/generic-feed/mapping.yaml")
    let changed = change(text)
    #expect(changed != text)
    try DurableFiles.write(changed, to: path)
    return path
  }

  @Test("the generic feed becomes a log that is valid, strictly, without warnings, and prepared")
  func roundTrip() throws {
    let converted = try convert(examples + "/generic-feed/mapping.yaml", ["--json"])
    #expect(converted.status == 0, "\(converted.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(converted.output.utf8))
    let report = try #require(object as? [String: Any])
    #expect(report["written"] as? Bool == true && report["decisions"] as? Int == 1463)
    let log = scratch.file("log")
    let validated = try AmalgamProcess(
      ["logs", "validate", log, "--strict", "--refuse-warnings", "--json"])
    #expect(validated.status == 0, "\(validated.output)")
    let prepared = try AmalgamProcess(["prepare", log, "--output", scratch.file("out")])
    #expect(prepared.status == 0)
    // A log that stands there is not replaced unless that is asked for.
    try convert(examples + "/generic-feed/mapping.yaml")
      .expectError(2, saying: "already holds a session log")
    #expect(try convert(examples + "/generic-feed/mapping.yaml", ["--replace"]).status == 0)
  }

  @Test("the mapping of KuaiRand holds together")
  func kuaiRandMapping() throws {
    try ConfigurationFile.load(LogMapping(), from: examples + "/kuairand/mapping.yaml").check()
  }

  @Test("an unknown key, a wrong value and a missing column are told with file, line and key")
  func wrongMappings() throws {
    var path = try mapping { $0.replacing("unit: s}", with: "unti: s}") }
    try convert(path).expectError(2, saying: "mapping.yaml:16", "unknown key 'unti'", "unit")
    path = try mapping { $0.replacing("  arm: bucket", with: "  arm: bucket\n  rank: x") }
    try convert(path).expectError(2, saying: "unknown key 'rank' in decisions", "policy_version")
    path = try mapping { $0.replacing("lower: [0, 0, 0]", with: "lower: [0, x, 0]") }
    try convert(path).expectError(2, saying: "mapping.yaml:24", "decisions.action.lower")
    path = try mapping { $0.replacing("unit: iso8601}", with: "unit: hours}") }
    try convert(path).expectError(
      2, saying: "mapping.yaml: feedback.time.unit: one of us, ms, s, min, iso8601 expected")
    path = try mapping { $0.replacing("item_id: doc", with: "item_id: document") }
    try convert(path).expectError(
      2, saying: "feedback.jsonl.gz: column “document” expected for feedback.item_id", "“doc”")
    try convert(scratch.file("none.yaml")).expectError(2, saying: "none.yaml", "cannot be read")
    #expect(!DurableFiles.exists(scratch.file("log/schema.json")))
  }

  @Test("rows that cannot be converted give status 1 and their place, and leave nothing")
  func badRows() throws {
    let path = try mapping { $0.replacing("upper: [2, 2, 2]", with: "upper: [1, 1, 1]") }
    let process = try convert(path, ["--findings", "1"])
    #expect(process.status == 1)
    #expect(
      process.output.contains(
        "decisions.csv, row 1, column “w_click” (action[0]): a weight in [0.0, 1.0] expected, "
          + "found 1.602799"))
    #expect(process.errors.contains("rows cannot be converted"))
    #expect((try? scratch.listing("log")) ?? [] == [])
  }

  @Test("a log without actions is described and not prepared")
  func unknownActions() throws {
    try DurableFiles.write(
      "user,ms,item,play,click\n1,5,a,2,1\n2,9,a,1,0\n", to: scratch.file("i.csv"))
    try DurableFiles.write(
      """
      impressions:
        user_id: user
        time: ms
        policy_version: {constant: p}
        item_id: item
        play_time: play
        behaviors: {click: click}
      """, to: scratch.file("m.yaml"))
    let log = scratch.file("log")
    let converted = try AmalgamProcess(
      ["logs", "convert", scratch.file("i.csv"), "--mapping", scratch.file("m.yaml"), "-o", log])
    #expect(converted.status == 0, "\(converted.errors)")
    #expect(try AmalgamProcess(["logs", "describe", log]).output.contains("actions"))
    let validated = try AmalgamProcess(["logs", "validate", log])
    #expect(validated.status == 0)
    #expect(validated.output.contains("training: not possible (states are unknown, actions are"))
    let prepared = try AmalgamProcess(["prepare", log, "--output", scratch.file("out")])
    #expect(prepared.status == 1 && prepared.errors.contains("states are unknown"))
    #expect(!DurableFiles.exists(scratch.file("out")))
  }
}
