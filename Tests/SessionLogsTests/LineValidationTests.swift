import DurableFiles
import FusionMDP
import SeededRandom
import SessionLogs
import Testing

@Suite("Line validation")
struct LineValidationTests {
  private static let decision =
    #"{"request_id":"r1","user_id":"u1","time_ms":1000,"policy_version":"p1","experiment":null,"#
    + #""arm":null,"state":[0.5,3],"action":[-1,0.25],"log_propensity":-0.5,"shown":["a","b"],"#
    + #""task_scores":[[0.1,12.5],[0.1,12.5]]}"#
  private static let feedback =
    #"{"request_id":"r1","user_id":"u1","item_id":"a","position":0,"time_ms":1500,"#
    + #""arrival_time_ms":1510,"play_time_seconds":5,"duration_seconds":10,"click":1,"#
    + #""finished":0,"skip":0}"#

  /// Scans a log with these texts as its files.
  private func scan(
    decisions: String = decision + "\n", feedback: String = feedback + "\n",
    latestTime: Int64? = nil, threads: Int = 2, limit: Int = 20
  ) throws -> LineValidation.Scan {
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [], [])
    try DurableFiles.write(decisions, to: log.decisionsPaths[0])
    try DurableFiles.write(feedback, to: log.feedbackPaths[0])
    return try LineValidation.scan(
      log, threads: threads, findingLimit: limit, latestTimeMilliseconds: latestTime)
  }

  @Test("what the writer writes is valid, and so are other spellings of the same JSON")
  func valid() throws {
    let spaced = Self.decision.replacing(":", with: " :\t").replacing(",", with: " , ")
    let reordered =
      #"{"task_scores":[[1e-1,125e-1]],"shown":[7],"log_propensity":null,"action":[1,-1.0],"#
      + #""state":[-0.0,3e38],"arm":"\u00e9\ud83d\ude00\n","experiment":"","policy_version":"","#
      + #""time_ms":0,"user_id":-3,"request_id":"ü"}"#
    let result = try scan(
      decisions: [Self.decision, spaced, reordered].joined(separator: "\r\n") + "\r\n")
    #expect(result.findings == [])
    #expect(result.errorCount == 0 && result.decisionCount == 3 && result.feedbackCount == 1)
    // A complete last line without a line end is a complete event.
    #expect(try scan(feedback: Self.feedback).errorCount == 0)
    #expect(try scan(feedback: "").errorCount == 0)
  }

  struct Case: CustomTestStringConvertible {
    var from: String
    var to: String
    var field: String?
    var expected: String
    var found: String
    var testDescription: String { "\(from) → \(to)" }

    init(_ from: String, _ to: String, _ field: String?, _ expected: String, _ found: String) {
      (self.from, self.to, self.field) = (from, to, field)
      (self.expected, self.found) = (expected, found)
    }
  }

  private static let score = "task_scores[0][0] (click)"
  private static let probability = "a probability in [0, 1]"

  static let decisionCases = [
    Case("[[0.1", "[[NaN", "task_scores[0][0]", "a number", "NaN"),
    Case("[[0.1", "[[null", "task_scores[0][0]", "a number", "null"),
    Case("[[0.1", "[[", "task_scores[0][0]", "a number", ",12.5"),
    Case("[[0.1", "[[1.0000001", score, probability, "1.0000001"),
    Case("[[0.1", "[[-0.1", score, probability, "-0.1"),
    Case("[[0.1", "[[1e999", score, probability, "inf"),
    Case("[[0.1", "[[01", "task_scores[0][0]", "a number", "01"),
    Case(
      "12.5]]", "-1]]", "task_scores[1][1] (watch_time)", "seconds, finite and at least 0",
      "-1.0"),
    Case("[[0.1,12.5]", "[[0.1]", "task_scores[0]", "2 scores for as many tasks", "1"),
    Case("[[0.1,12.5],", "[", "task_scores", "scores of the 2 items shown", "of 1"),
    Case("[0.5,3]", "[0.5]", "state", "2 numbers", "1"),
    Case("[0.5,3]", "[0.5,3,1]", "state", "2 numbers", "3"),
    Case("[0.5,3]", "[0.5,1e39]", "state[1] (requests)", "a finite number", "1e+39"),
    Case("[0.5,3]", "\"x\"", "state", "a list of numbers", "\"x\""),
    Case("[-1,0.25]", "[0.25]", "action", "2 weights for 2 tasks", "1"),
    Case("[-1,", "[-1.5,", "action[0]", "a number in [−1, 1]", "-1.5"),
    Case("-0.5", "\"\"", "log_propensity", "a finite number or null", "\"\""),
    Case("[\"a\",\"b\"]", "[]", "shown", "at least one item", "none"),
    Case("[\"a\",\"b\"]", "[\"a\",\"a\"]", "shown[1]", "different items", "the item of shown[0]"),
    Case("\"b\"", "\"\"", "shown[1]", "an id", "an empty text"),
    Case("\"b\"", "1.5", "shown[1]", "an id (a text or an integer)", "1.5"),
    Case(":1000", ":-1", "time_ms", "milliseconds since 1970, 0 to 1000000000000000", "-1"),
    Case(":1000", ":1e3", "time_ms", "milliseconds since 1970, an integer", "1e3"),
    Case(":1000", ":true", "time_ms", "milliseconds since 1970, an integer", "true"),
    Case("\"r1\"", "\"\"", "request_id", "an id", "an empty text"),
    Case("\"r1\"", "\"a\\q\"", "request_id", "an id (a text or an integer)", "\"a\\q\""),
    Case("\"p1\"", "null", "policy_version", "a text", "null"),
    Case("\"p1\"", "\"\\ud800\"", "policy_version", "a text", "\"\\ud800\""),
    Case("\"arm\":null", "\"arm\":3", "arm", "a text or null", "3"),
    Case("\"arm\":null,", "", "arm", "a value", "no such key"),
    Case("\"arm\":null", "\"arm\":null,\"arm\":null", "arm", "one value", "the key twice"),
    Case("}", "} x", nil, "the end of the line after “}”", "x"),
    Case("}", "", "task_scores", "“,” or “}” after the value", "the end of the line"),
    Case("{", "[", nil, "an object “{…}”", "a list"),
    Case("\"user_id\":", "user_id:", nil, "a key in quotes", "user_id:\"u1\""),
    Case("\"user_id\":", "\"user_id\"", "user_id", "“:” after the key", "\"u1\""),
  ]

  @Test("a bad decision is found with line, field, expected and found", arguments: decisionCases)
  func badDecision(_ example: Case) throws {
    let bad = Self.decision.replacing(example.from, with: example.to, maxReplacements: 1)
    #expect(bad != Self.decision)
    let result = try scan(decisions: "\(Self.decision)\n\(bad)\n\(Self.decision)\n")
    let finding = try #require(result.findings.first)
    #expect(result.errorCount == 1 && result.decisionCount == 3)
    #expect(finding.file.hasSuffix("/decisions.jsonl") && finding.line == 2)
    #expect(finding.field == example.field)
    #expect(finding.expected == example.expected)
    #expect(finding.found == example.found)
  }

  static let feedbackCases = [
    Case("\"click\":1,", "", "click", "a value", "no such key"),
    Case("\"click\":1", "\"click\":-1", "click", "a finite number, at least 0", "-1.0"),
    Case("\"click\":1", "\"click\":Infinity", "click", "a finite number, at least 0", "Infinity"),
    Case("\"position\":0", "\"position\":-1", "position", "a rank from 0, 0 to 1000000", "-1"),
    Case("1510", "1499", "arrival_time_ms", "time_ms (1500) or later", "1499"),
    Case(
      "seconds\":5", "seconds\":\"5\"", "play_time_seconds", "seconds, finite and at least 0",
      "\"5\""),
  ]

  @Test("a bad feedback is found with line, field, expected and found", arguments: feedbackCases)
  func badFeedback(_ example: Case) throws {
    let bad = Self.feedback.replacing(example.from, with: example.to, maxReplacements: 1)
    let finding = try #require(try scan(feedback: bad).findings.first)
    #expect(finding.file.hasSuffix("/feedback.jsonl") && finding.line == 1)
    #expect(finding.field == example.field && finding.expected == example.expected)
    #expect(finding.found.hasPrefix(example.found))
  }

  @Test("an unknown key is named beside the known ones")
  func unknownKey() throws {
    let bad = Self.feedback.replacing("skip", with: "share")
    let finding = try #require(try scan(feedback: bad + "\n").findings.first)
    #expect(finding.field == "share" && finding.found == "an unknown key")
    #expect(finding.expected.hasPrefix("one of request_id, ") && finding.expected.contains("skip"))
  }

  @Test("a log cut in the middle of its last line says so", arguments: [1, 30, 200, 300])
  func truncatedLine(dropped: Int) throws {
    let text = Self.decision + "\n" + Self.decision
    let finding = try #require(
      try scan(decisions: String(text.dropLast(min(dropped, Self.decision.count - 1)))).findings
        .first)
    #expect(finding.line == 2)
    #expect(finding.found.hasSuffix("(the last line has no line end: it is cut off)"))
  }

  @Test("an empty log and an empty line are errors")
  func empty() throws {
    let none = try #require(try scan(decisions: "").findings.first)
    #expect(none.line == 1 && none.found == "an empty file")
    #expect(none.expected == "at least one decision")
    let blank = try #require(try scan(decisions: Self.decision + "\n\n").findings.first)
    #expect(blank.line == 2 && blank.found == "an empty line")
  }

  @Test("events from after the given time are errors")
  func future() throws {
    #expect(try scan(latestTime: 1510).errorCount == 0)
    let late = try #require(try scan(latestTime: 1505).findings.first)
    #expect(late.field == "arrival_time_ms" && late.found == "1510")
    #expect(try scan(latestTime: 999).errorCount == 2)
  }

  @Test("invalid UTF-8 in a text is an error")
  func invalidText() throws {
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [smallDecision("r\u{e9}")], [])
    var bytes = try DurableFiles.read(log.decisionsPaths[0])
    let place = try #require(bytes.firstIndex(of: 0xC3))
    bytes[place] = 0xFF
    try DurableFiles.write(bytes, to: log.decisionsPaths[0])
    #expect(try LineValidation.scan(log).findings.first?.field == "request_id")
  }

  @Test("lines that cross the blocks of several threads keep their numbers", arguments: [1, 3])
  func blocks(threads: Int) throws {
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [], [])
    let bad = Self.decision.replacing("\"p1\"", with: "7")
    let long = Self.decision.replacing(
      "\"p1\"", with: "\"\(String(repeating: "p", count: 5_000_000))\"")
    var lines = [String](repeating: Self.decision, count: 60_000)
    for line in [0, 13_579, 59_999] { lines[line] = bad }
    lines[20_000] = long
    try DurableFiles.write(lines.joined(separator: "\n") + "\n", to: log.decisionsPaths[0])
    let result = try LineValidation.scan(log, threads: threads)
    #expect(result.decisionCount == 60_000 && result.errorCount == 3)
    #expect(result.findings.map(\.line) == [1, 13_580, 60_000])
    let limited = try LineValidation.scan(log, threads: threads, findingLimit: 2)
    #expect(limited.findings.map(\.line) == [1, 13_580] && limited.errorCount == 3)
  }

  @Test("any damage to a line is either valid JSON of the schema or a located finding")
  func damaged() throws {
    var stream = RandomStream(seed: 11, name: "damage")
    let alphabet = Array("\"\\{}[]:,.-+eE0123456789NaInfulltrues \u{00}\u{1F}\t\u{7F}é".utf8)
    var decisions: [UInt8] = []
    var lines = 0
    var changed = 0
    for _ in 0..<20_000 {
      var line = Array(Self.decision.utf8)
      for _ in 0..<1 + stream.index(below: 3) {
        let place = stream.index(below: line.count)
        switch stream.index(below: 4) {
        case 0: line[place] = alphabet[stream.index(below: alphabet.count)]
        case 1: line.remove(at: place)
        case 2: line.insert(alphabet[stream.index(below: alphabet.count)], at: place)
        default:
          let end = min(line.count, place + 1 + stream.index(below: 30))
          line.removeSubrange(place..<end)
        }
        if line.isEmpty { line = [UInt8(ascii: "x")] }
      }
      line.removeAll { $0 == UInt8(ascii: "\n") }
      decisions += line + [UInt8(ascii: "\n")]
      lines += 1
      if line != Array(Self.decision.utf8) { changed += 1 }
    }
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [], [])
    try DurableFiles.write(decisions, to: log.decisionsPaths[0])
    let result = try LineValidation.scan(log, findingLimit: lines)
    #expect(result.decisionCount == lines)
    #expect(result.findings.count == result.errorCount)
    #expect(Double(result.errorCount) > 0.8 * Double(changed) && result.errorCount <= changed)
    #expect(zip(result.findings, result.findings.dropFirst()).allSatisfy { $0.line < $1.line })
    // What passes, the engine reads: the two agree on what JSON is.
    let bad = Set(result.findings.map(\.line))
    let text = decisions.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .dropLast().enumerated().filter { !bad.contains($0.offset + 1) }.map(\.element)
    try DurableFiles.write(Array(text.joined(separator: [10])) + [10], to: log.decisionsPaths[0])
    let validation = try LogValidation(of: log)
    #expect(validation.lines.decisionCount == lines - result.errorCount)
    #expect(validation.irregularities[.duplicateDecision] > 0)
  }
}
