import DurableFiles
import FusionMDP
import SessionLogs
import Testing

/// A log may say that it does not know states, weights or predictions.
@Suite("Unknown parts of a log")
struct UnknownPartsTests {
  private func decision(
    state: [Float] = [], action: [Float] = [], scores: [Float] = []
  ) -> DecisionEvent {
    DecisionEvent(
      requestID: "r", userID: "u", timeMilliseconds: 1, policyVersion: "p", state: state,
      action: action, logPropensity: nil, shown: ["a"], taskScores: scores)
  }

  @Test("the schema and its file agree, and sizes go with what is known")
  func schema() throws {
    let folder = try TemporaryFolder()
    let schema = try LogSchema(
      tasks: .none, behaviors: ["click"], stateNames: [],
      unknown: [.action, .taskScores, .state])
    #expect(schema.actionSize == 0 && !schema.knows(.state))
    let log = try writeLog(folder.path + "/log", schema: schema, [decision()], [])
    #expect(log.schema == schema)
    #expect(throws: SessionLogError.self) {
      try LogSchema(tasks: .none, behaviors: ["click"], stateNames: ["s"], unknown: [.action])
    }
    #expect(throws: SessionLogError.self) {
      try LogSchema(behaviors: ["click"], stateNames: ["s"], unknown: [.state])
    }
    #expect(throws: SessionLogError.self) {
      try LogSchema(
        behaviors: ["click"], stateNames: [], actionSize: 3, unknown: [.action, .state])
    }
    let path = folder.path + "/log/schema.json"
    let text = try DurableFiles.readText(path)
    // What is unknown must be said: an empty list alone is a mistake.
    for (old, new) in [("\"state\",\n", ""), ("\"task_scores\"", "\"scores\"")] {
      #expect(text.contains(old))
      try DurableFiles.write(text.replacing(old, with: new), to: path)
      #expect(throws: SessionLogError.self) { try LogSchema(readingFile: path) }
    }
  }

  @Test("neither the writer nor the check of lines takes what the schema calls unknown")
  func lines() throws {
    let folder = try TemporaryFolder()
    let schema = try LogSchema(
      tasks: .none, behaviors: ["click"], stateNames: [],
      unknown: [.action, .taskScores, .state])
    let writer = try SessionLogWriter(folder: folder.path + "/w", schema: schema)
    for event in [decision(state: [1]), decision(action: [0]), decision(scores: [0.5])] {
      #expect(throws: SessionLogError.self) { try writer.write(event) }
    }
    writer.abandon()
    let log = try writeLog(folder.path + "/log", schema: schema, [decision()], [])
    #expect(try LineValidation.scan(log).errorCount == 0)
    let line = try DurableFiles.readText(log.decisionsPaths[0])
    for (old, new, field) in [
      ("\"state\":[]", "\"state\":[1]", "state"), ("\"action\":[]", "\"action\":[0]", "action"),
      ("\"task_scores\":[]", "\"task_scores\":[[0.5]]", "task_scores"),
    ] {
      try DurableFiles.write(line.replacing(old, with: new), to: log.decisionsPaths[0])
      let findings = try LineValidation.scan(log).findings
      #expect(findings.count == 1 && findings[0].field == field, "\(findings)")
    }
  }
}
