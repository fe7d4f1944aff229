import DurableFiles
import EmbeddedAnalytics
import Foundation
import FusionMDP
import SeededRandom
import SessionLogs
import Testing

@Suite("The session log writer")
struct SessionLogWriterTests {
  @Test("lines are exactly the documented JSON")
  func goldenLines() throws {
    let folder = try TemporaryFolder()
    var decision = smallDecision("r\"1\\\n", user: "ü")
    decision.experiment = "e1"
    decision.arm = "random"
    decision.state = [-0.0, 1.1754944e-38]
    var unknown = smallDecision("r2", at: Int64.max, shown: ["c"])
    unknown.logPropensity = nil
    let log = try writeLog(
      folder.path + "/log", [decision, unknown], [smallFeedback(play: 0.1, duration: 1e10)])
    #expect(
      try DurableFiles.readText(log.decisionsPaths[0]) == #"""
        {"request_id":"r\"1\\\u000a","user_id":"ü","time_ms":1000,"policy_version":"p1",\#
        "experiment":"e1","arm":"random","state":[-0.0,1.1754944e-38],"action":[-1,0.25],\#
        "log_propensity":-0.5,"shown":["a","b"],"task_scores":[[0.1,12.5],[0.1,12.5]]}
        {"request_id":"r2","user_id":"u1","time_ms":9223372036854775807,"policy_version":"p1",\#
        "experiment":null,"arm":null,"state":[0.5,3],"action":[-1,0.25],\#
        "log_propensity":null,"shown":["c"],"task_scores":[[0.1,12.5]]}

        """#)
    #expect(
      try DurableFiles.readText(log.feedbackPaths[0]) == #"""
        {"request_id":"r1","user_id":"u1","item_id":"a","position":0,"time_ms":1500,\#
        "arrival_time_ms":1510,"play_time_seconds":0.1,"duration_seconds":1e+10,"click":1,\#
        "finished":0,"skip":0}

        """#)
    let document = try JSONSerialization.jsonObject(
      with: Data(try folder.text("log/decisions.jsonl").split(separator: "\n")[0].utf8))
    #expect((document as? [String: Any])?["request_id"] as? String == "r\"1\\\n")
  }

  @Test("every finite float comes back from the file with its bits")
  func floatsBitExact() throws {
    let folder = try TemporaryFolder()
    let schema = try LogSchema(stateNames: (0..<500).map { "s\($0)" }, actionSize: 1)
    var pattern: UInt64 = 0x9E37_79B9_7F4A_7C15
    var written: [Float] = []
    var decisions: [DecisionEvent] = []
    for row in 0..<200 {
      var state: [Float] = []
      while state.count < 500 {
        pattern = pattern &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: pattern >> 32))
        if value.isFinite { state.append(value) }
      }
      if row == 0 {
        state.replaceSubrange(
          0..<10,
          with: [
            0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
            16_777_216, 16_777_218, -16_777_215, 2_147_483_648, -2_147_483_648,
          ])
      }
      written += state
      decisions.append(
        DecisionEvent(
          requestID: "r\(row)", userID: "u", timeMilliseconds: 1, policyVersion: "p",
          state: state, action: [0.1], logPropensity: Double(state[0]) / 3, shown: ["i"],
          taskScores: [Float](repeating: 0.5, count: 12)))
    }
    let log = try writeLog(folder.path + "/log", schema: schema, decisions, [])
    let database = try AnalyticsDatabase()
    let read = try database.query(
      """
      SELECT state, log_propensity FROM read_json(\(SQLText.fileLiteral(log.decisionsPaths[0])),
        format = 'newline_delimited', columns = {state: 'FLOAT[]', log_propensity: 'DOUBLE'})
      """)
    #expect(try read.floatLists("state").values.map(\.bitPattern) == written.map(\.bitPattern))
    #expect(try read.doubles("log_propensity") == decisions.map { $0.logPropensity ?? .nan })
  }

  @Test("schema.json comes back equal, standard tasks and window included")
  func schemaRoundTrip() throws {
    let folder = try TemporaryFolder()
    let schema = try LogSchema(stateNames: ["a", "b"], windowEndMilliseconds: 77)
    let writer = try SessionLogWriter(folder: folder.path + "/log", schema: schema)
    let log = try writer.finish()
    #expect(log.schema == schema)
    #expect(log.schema.behaviors.count == 11)
    let dated = try SessionLogWriter(
      folder: folder.path + "/log", schema: schema, replacing: true)
    #expect(try dated.finish(windowEndMilliseconds: 99).schema.windowEndMilliseconds == 99)
  }

  @Test("a broken schema.json is refused with the file and the reason")
  func brokenSchemas() throws {
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [], [])
    let path = log.path + "/schema.json"
    let good = try DurableFiles.readText(path)
    for (from, to, reason) in [
      ("\"schema\" : 1", "\"schema\" : 2", "layout version 1 expected, found 2"),
      ("\"state\"", "\"stat\"", "unknown key “stat”"),
      ("probability", "chance", "domain probability or seconds expected, found “chance”"),
      ("\"age\"", "\"requests\"", "“requests” stands twice"),
      ("\"skip\"", "\"time_ms\"", "“time_ms” stands twice or is reserved"),
      ("\"skip\"", "\"CLICK\"", "“CLICK” stands twice"),
      ("\"skip\"", "\"rowid\"", "“rowid” stands twice or is reserved"),
      ("\"action_size\" : 2,", "", "action_size"),
      (
        "\"action_size\" : 2", "\"action_size\" : \"x\"",
        "action_size: expected a whole number, found a string"
      ),
      ("}\n", "", "not valid JSON"),
      ("\"schema\" : 1", "\"schema\" : 1, \"window_end_ms\" : -1", "window_end_ms: 0 to "),
    ] {
      try DurableFiles.write(good.replacingOccurrences(of: from, with: to), to: path)
      let error = #expect(throws: SessionLogError.self) { try SessionLogFolder(path: log.path) }
      #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
      #expect(error?.description.contains(path) == true)
    }
  }

  @Test("any damage to schema.json gives a schema or an error that names the file")
  func damagedSchema() throws {
    let folder = try TemporaryFolder()
    let log = try writeLog(folder.path + "/log", [], [])
    let path = log.path + "/schema.json"
    let good = try DurableFiles.read(path)
    var stream = RandomStream(seed: 4, name: "schema")
    var refused = 0
    for _ in 0..<200 {
      var bytes = good
      for _ in 0..<1 + stream.index(below: 2) {
        let place = stream.index(below: bytes.count)
        if stream.uniform() < 0.5 {
          bytes[place] = UInt8(stream.index(below: 256))
        } else {
          bytes.remove(at: place)
        }
      }
      try DurableFiles.write(bytes, to: path)
      do {
        _ = try SessionLogFolder(path: log.path)
      } catch let error as SessionLogError {
        refused += 1
        #expect(error.description.contains(path))
      }
    }
    #expect(refused > 100)
  }

  @Test("an event that does not fit the schema is refused with field, expected and found")
  func refusedEvents() throws {
    let folder = try TemporaryFolder()
    let writer = try SessionLogWriter(folder: folder.path + "/log", schema: smallSchema())
    func refused(_ field: String, _ found: String, _ change: (inout DecisionEvent) -> Void) {
      var event = smallDecision()
      change(&event)
      #expect(throws: SessionLogError.self) {
        do { try writer.write(event) } catch let error as SessionLogError {
          #expect(error.description.contains("field \(field)"), "\(error)")
          #expect(error.description.hasSuffix("found \(found)"), "\(error)")
          throw error
        }
      }
    }
    refused("request_id", "an empty text") { $0.requestID = "" }
    refused("state", "1") { $0.state = [1] }
    refused("state[1] (requests)", "nan") { $0.state[1] = .nan }
    refused("action", "3") { $0.action = [0, 0, 0] }
    refused("action[0]", "1.0000001") { $0.action[0] = Float(1).nextUp }
    refused("log_propensity", "inf") { $0.logPropensity = .infinity }
    refused("shown", "none") { $0.shown = [] }
    refused("task_scores", "3 scores") { $0.taskScores.removeLast() }
    refused("task_scores[1][0] (click)", "1.5") { $0.taskScores[2] = 1.5 }
    refused("task_scores[0][1] (watch_time)", "-1.0") { $0.taskScores[1] = -1 }
    var feedback = smallFeedback()
    feedback.arrivalTimeMilliseconds = 1
    #expect(throws: SessionLogError.self) { try writer.write(feedback) }
    #expect(throws: SessionLogError.self) { try writer.write(smallFeedback(behaviors: [1, 0])) }
    #expect(throws: SessionLogError.self) { try writer.write(smallFeedback(play: .nan)) }
    #expect(writer.decisionCount == 0 && writer.feedbackCount == 0)
  }

  @Test("nothing stands under a final name before the log is finished, nor after it is dropped")
  func atomic() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try SessionLogWriter(folder: folder.path, schema: smallSchema())
      try writer.write(smallDecision())
      #expect(!folder.names.contains("decisions.jsonl"))
      #expect(throws: SessionLogError.self) { try SessionLogFolder(path: folder.path) }
    }
    #expect(folder.names.isEmpty)
    let log = try writeLog(folder.path, [smallDecision()], [])
    #expect(folder.names == ["decisions.jsonl", "feedback.jsonl", "schema.json"])
    #expect(throws: SessionLogError.alreadyThere(folder: folder.path)) {
      try SessionLogWriter(folder: folder.path, schema: smallSchema())
    }
    #expect(try SessionLogFolder(path: folder.path) == log)
  }

  @Test("a full disk is a clear error and leaves nothing behind", arguments: [0, 5000, 200_000])
  func fullDisk(bytes: Int) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: bytes) {
        let writer = try SessionLogWriter(folder: folder.path, schema: smallSchema())
        for index in 0..<4000 {
          try writer.write(smallDecision("r\(index)"))
          try writer.write(smallFeedback("r\(index)"))
        }
        try writer.finish()
      }
    }
    #expect(error?.isOutOfSpace == true)
    #expect(folder.names.isEmpty)
  }
}
