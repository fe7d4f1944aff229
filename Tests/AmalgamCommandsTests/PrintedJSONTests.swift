import DurableFiles
import Foundation
import PolicyArtifacts
import Testing

/// What verbs print with `--json`, held to the tables of Docs/FileFormats.md.
@Suite("verbs' JSON")
struct PrintedJSONTests {
  /// Runs a verb with `--json` and compares the keys that it prints with those of its table.
  ///
  /// Each printed key is told, and each told one printed unless its row says "left out". What the
  /// table opens with a dotted key is looked into, the rest is a leaf. The keys of objects in a leaf
  /// stand somewhere in the table, unless its row says "by name": then the data names them.
  static func check(_ verb: String, _ arguments: [String], status: Int32 = 0) throws {
    let process = try AmalgamProcess(
      verb.split(separator: " ").map(String.init) + arguments + ["--json"])
    #expect(process.status == status, "\(verb): \(process.errors)")
    let printed = try JSONSerialization.jsonObject(
      with: Data(process.output.utf8), options: .fragmentsAllowed)
    let rows = try table(of: verb)
    let told = rows.flatMap(\.keys)
    var leaves: [String: Set<String>] = [:]
    let found = keys(printed, "", &leaves) { key in told.contains { $0.hasPrefix(key + ".") } }
    for key in found where !told.contains(key) {
      Issue.record("\(verb) prints \(key), of which Docs/FileFormats.md tells nothing")
    }
    for row in rows where !row.text.contains("left out") {
      for key in row.keys where !found.contains(key) {
        // The head of a list or object that is looked into is printed with what is in it.
        let isOpened = found.contains { $0.hasPrefix(key + ".") }
        // An empty list prints nothing of what it could hold.
        let isInEmpty = found.contains { key.hasPrefix($0 + ".") }
        #expect(isOpened || isInEmpty, "\(verb) does not print \(key)")
      }
    }
    for row in rows where !row.text.contains("by name") {
      for inner in row.keys.flatMap({ leaves[$0] ?? [] }) {
        #expect(
          rows.contains { $0.text.contains("`\(inner)`") },
          "\(verb) prints \(inner) in \(row.keys), of which the table tells nothing")
      }
    }
  }

  /// The rows of a verb's table.
  private static func table(of verb: String) throws -> [(keys: [String], text: String)] {
    let page = try DocumentationPage("FileFormats.md").text
    let start = try #require(page.range(of: "| `\(verb) --json` |"), "no table of \(verb)")
    let lines = page[start.lowerBound...].split(separator: "\n", omittingEmptySubsequences: false)
    return lines.prefix { $0.hasPrefix("|") }.dropFirst(2).map { line in
      let first = line.dropFirst().prefix { $0 != "|" }
      return (first.matches(of: /`([^`]+)`/).map { String($0.1) }, String(line))
    }
  }

  /// The paths of the keys of a value, without places in lists; into `leaves` goes what is in the
  /// objects that are not opened.
  private static func keys(
    _ value: Any, _ path: String, _ leaves: inout [String: Set<String>], opens: (String) -> Bool
  ) -> Set<String> {
    var found = Set<String>()
    if let list = value as? [Any] {
      for element in list { found.formUnion(keys(element, path, &leaves, opens: opens)) }
      return list.isEmpty && !path.isEmpty ? [path] : found
    }
    guard let object = value as? [String: Any] else { return [path] }
    guard path.isEmpty || opens(path) else {
      leaves[path, default: []].formUnion(object.keys)
      return [path]
    }
    for (key, inside) in object {
      let inner = path.isEmpty ? key : "\(path).\(key)"
      found.formUnion(keys(inside, inner, &leaves, opens: opens))
    }
    return found
  }

  @Test("has a table for every verb with the flag, and for no other")
  func tables() throws {
    let verbs = VerbDescription.all.filter { $0.flags.contains("--json") }.map(\.name)
    #expect(verbs.count >= 14)
    let page = try DocumentationPage("FileFormats.md").text
    let told = page.matches(of: /\n\| `([a-z ]+) --json` \|/).map { String($0.1) }
    // What `reproduce` prints is results.json, which has a section of its own.
    #expect((told + ["reproduce"]).sorted() == verbs.sorted())
  }

  @Test("of logs convert has its keys, with and without bad rows")
  func convertKeys() throws {
    let scratch = try ScratchFolder()
    let example = RepositoryFolder.path + "/Examples/generic-feed"
    let inputs = [example + "/decisions.csv", example + "/feedback.jsonl.gz"]
    try Self.check(
      "logs convert",
      inputs + ["--mapping", example + "/mapping.yaml", "--output", scratch.file("log")])
    try DurableFiles.write(
      DurableFiles.readText(example + "/mapping.yaml").replacing("[2, 2, 2]", with: "[1, 1, 1]"),
      to: scratch.file("narrow.yaml"))
    try Self.check(
      "logs convert",
      inputs + ["--mapping", scratch.file("narrow.yaml"), "--output", scratch.file("none")],
      status: 1)
  }

  @Test("has the keys of Docs/FileFormats.md")
  func keys() throws {
    let fixture = try PlatformFixture()
    let platform = ["--platform", fixture.platform]
    let (log, data) = (fixture.path("log"), fixture.path("data"))
    try Self.check("simulate check", platform + ["--users", "20", "--days", "1"])
    try Self.check("simulate headroom", platform + ["--users", "6", "--days", "1"])
    try Self.check(
      "simulate fit", platform + ["--users", "5", "--output", fixture.path("fitted")])
    try Self.check(
      "simulate run", platform + ["--policy", "mixed", "--days", "2", "--output", log])
    try Self.check("logs validate", [log])
    try Self.check("logs describe", [log])
    try Self.check("reward fit", [log, "--set", "signals=[play_minutes,click]"])
    let bad = fixture.path("bad")
    try FileManager.default.copyItem(atPath: log, toPath: bad)
    try DurableFiles.write(
      DurableFiles.readText(bad + "/decisions.jsonl") + "no JSON\n{}\n",
      to: bad + "/decisions.jsonl")
    try Self.check("logs validate", [bad], status: 1)
    try Self.check("prepare", [log, "--output", data])
    try Self.check(
      "search",
      platform + [
        "--output", fixture.path("static"), "--set", "search.sessionBudget=200", "--set",
        "search.usersPerPoint=10",
      ])
    for algorithm in ["batch_rl_mtf", "behavior_cloning"] {
      try Self.check(
        "train",
        [
          "--data", data + "/train", "--algorithm", algorithm, "--output", fixture.path(algorithm),
          "--set", "training.stepCount=4", "--set", "training.reportInterval=2", "--set",
          "learners.batchRLMTF.hidden=[8]", "--set", "learners.behaviorCloning.hidden=[8]",
        ])
    }
    let learned = fixture.path("batch_rl_mtf/policy")
    let evaluated = [
      "--policy", learned, "--data", data + "/test", "--linear", "--set", "evaluation.rounds=10",
      "--set", "evaluation.hidden=[8]",
    ]
    try Self.check("evaluate", evaluated)
    try Self.check("evaluate", evaluated + ["--against", fixture.path("static")])
    try Self.check(
      "experiment",
      platform + [
        "--arm", "static=\(fixture.path("static"))", "--arm", "learned=\(learned)", "--days", "1",
        "--baseline-days", "1",
      ])
    let registry = fixture.path("registry")
    let added = try AmalgamProcess(
      ["policy", "add", "--registry", registry, "--as", "v1", learned])
    #expect(added.status == 0, "\(added.errors)")
    try Self.check("policy list", ["--registry", registry])
  }
}
