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
  /// table opens with a dotted key is looked into, the rest is a leaf.
  static func check(_ verb: String, _ arguments: [String]) throws {
    let process = try AmalgamProcess(
      verb.split(separator: " ").map(String.init) + arguments + ["--json"])
    #expect(process.status == 0, "\(verb): \(process.errors)")
    let printed = try JSONSerialization.jsonObject(
      with: Data(process.output.utf8), options: .fragmentsAllowed)
    let rows = try table(of: verb)
    let told = rows.flatMap(\.keys)
    let found = keys(printed, "") { key in told.contains { $0.hasPrefix(key + ".") } }
    for key in found where !told.contains(key) {
      Issue.record("\(verb) prints \(key), of which Docs/FileFormats.md tells nothing")
    }
    for row in rows where !row.text.contains("left out") {
      for key in row.keys where !found.contains(key) {
        // The head of a list or object that is looked into is printed with what is in it.
        let isOpened = found.contains { $0.hasPrefix(key + ".") }
        #expect(isOpened, "\(verb) does not print \(key)")
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

  /// The paths of the keys of a value, without places in lists.
  private static func keys(
    _ value: Any, _ path: String, opens: (String) -> Bool
  ) -> Set<String> {
    if let list = value as? [Any] {
      let inside = list.reduce(into: Set<String>()) { $0.formUnion(keys($1, path, opens: opens)) }
      return list.isEmpty && !path.isEmpty ? [path] : inside
    }
    guard let object = value as? [String: Any], path.isEmpty || opens(path) else { return [path] }
    return object.reduce(into: Set<String>()) { found, pair in
      found.formUnion(
        keys(pair.value, path.isEmpty ? pair.key : "\(path).\(pair.key)", opens: opens))
    }
  }

  @Test("has the keys of Docs/FileFormats.md")
  func keys() throws {
    let fixture = try PlatformFixture()
    let platform = ["--platform", fixture.platform]
    let (log, data) = (fixture.path("log"), fixture.path("data"))
    try Self.check("simulate check", platform + ["--users", "20", "--days", "1"])
    try Self.check("simulate headroom", platform + ["--users", "6", "--days", "1"])
    try Self.check(
      "simulate run", platform + ["--policy", "mixed", "--days", "2", "--output", log])
    try Self.check("logs validate", [log])
    try Self.check("logs describe", [log])
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
          "batchRLMTF.hidden=[8]", "--set", "behaviorCloning.hidden=[8]",
        ])
    }
    let learned = fixture.path("batch_rl_mtf/policy")
    try Self.check(
      "evaluate",
      [
        "--policy", learned, "--data", data + "/test", "--linear", "--set", "evaluation.rounds=10",
        "--set", "evaluation.hidden=[8]",
      ])
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
