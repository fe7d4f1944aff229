import AmalgamCommands
import DurableFiles
import Foundation
import FusionMDP
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

  @Test("KuaiRand's log, by its example, has the counts and rates that its pages tell")
  func kuaiRand() throws {
    let converted = try runHeader("kuairand/mapping.yaml", more: ["--json"])
    let report = try object(converted.output)
    #expect(report["decisions"] as? Int == 132_933 && report["feedback"] as? Int == 133_917)
    #expect(report["dropped"] as? [String: Int] == ["repeated_impression": 3609])
    let sources = try #require(report["sources"] as? [[String: Any]])
    #expect(sources.map { $0["rows"] as? Int } == [137_526])
    let page = try DurableFiles.readText(examples + "/kuairand/README.md")
      .replacing("\n", with: " ")
    for text in ["137,526 rows", "3,609 repeats", "132,933 requests with 133,917 impressions"] {
      #expect(page.contains(text))
    }
    let described = try AmalgamProcess(["logs", "describe", scratch.file("kuairand-log"), "--json"])
    let log = try object(described.output)
    #expect(log["users"] as? Int == 15_202 && log["items"] as? Int == 5962)
    let means = try #require(log["signal_means"] as? [String: Double])
    #expect(abs(try #require(means["click"]) - 0.4481) < 0.00005)
    #expect(log["actions"] == nil)
    // Behaviors of the example's mapping that are not all of 0 and 1.
    #expect(["hate", "profile_enter", "comment_stay"].allSatisfy { (means[$0] ?? 0) > 0 })
  }

  @Test("the commands in the headers of the mappings run as they stand")
  func headers() throws {
    for (name, result) in [
      ("generic-feed/mapping.yaml", "feed-log: 1463 decisions"),
      ("generic-feed/mapping-with-states.yaml", "feed-log: 1463 decisions"),
      ("kuairand/mapping-with-states.yaml", "kuairand-states: 132933 decisions"),
    ] {
      let converted = try runHeader(name, more: ["--replace"])
      #expect(converted.output.contains(result), "\(converted.output)")
    }
  }

  /// Runs the command that the header of an example's mapping shows, with its paths in the
  /// repository and its output in the scratch folder.
  private func runHeader(_ name: String, more: [String]) throws -> AmalgamProcess {
    let lines = try DurableFiles.readText(examples + "/" + name).split(separator: "\n")
      .prefix { $0.hasPrefix("#") }.filter { $0.hasPrefix("#   ") }
    let words = lines.joined(separator: " ").split(whereSeparator: { " #\\".contains($0) })
    try #require(words.first == "amalgam" && words.dropLast().last == "--output")
    let arguments = words.dropFirst().map { word in
      ["Data/", "Examples/"].contains { word.hasPrefix($0) }
        ? "\(RepositoryFolder.path)/\(word)" : String(word)
    }
    let process = try AmalgamProcess(
      arguments.dropLast() + [scratch.file(arguments[arguments.count - 1])] + more)
    #expect(process.status == 0, "\(process.errors)")
    return process
  }

  private func object(_ text: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Any])
  }

  @Test("computed states: paths begin at the mapping, state.yaml comes and goes with the log")
  func states() throws {
    // The mapping and its definition stand in a folder that is not where the command runs.
    for (name, copy) in [("mapping-with-states.yaml", "own.yaml"), ("state.yaml", "state.yaml")] {
      let text = try DurableFiles.readText(examples + "/generic-feed/" + name)
      try DurableFiles.makeFolders(scratch.file("mappings"))
      try DurableFiles.write(text, to: scratch.file("mappings/" + copy))
    }
    let own = scratch.file("mappings/own.yaml")
    let converted = try convert(own)
    #expect(converted.status == 0, "\(converted.errors)")
    let schema = try LogSchema(readingFile: scratch.file("log/schema.json"))
    let definition = try #require(schema.stateDefinition)
    let written = try ConfigurationFile.load(
      StateDefinition(), from: scratch.file("log/state.yaml"))
    #expect(written == definition && written.names.first == "last_5_click")
    let prepared = try AmalgamProcess([
      "prepare", scratch.file("log"), "--output", scratch.file("out"),
    ])
    #expect(prepared.status == 0, "\(prepared.errors)")
    // A definition that is not there leaves the log as it is.
    try FileManager.default.removeItem(atPath: scratch.file("mappings/state.yaml"))
    try convert(own, ["--replace"]).expectError(2, saying: "mappings/state.yaml")
    #expect(DurableFiles.exists(scratch.file("log/state.yaml")))
    // Without states nothing tells of those that were.
    #expect(try convert(examples + "/generic-feed/mapping.yaml", ["--replace"]).status == 0)
    #expect(
      try DurableFiles.names(inFolder: scratch.file("log")).sorted()
        == ["decisions.jsonl", "feedback.jsonl", "schema.json"])
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
