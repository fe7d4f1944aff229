import DurableFiles
import EmbeddedAnalytics
import FusionMDP
import SessionLogs
import Testing

@Suite("Conversion of two tables")
struct TableConversionTests {
  private let fixture: ConversionFixture

  init() throws { fixture = try ConversionFixture() }

  private func convert(
    _ mapping: LogMapping = tableMapping(), decisions: [String] = decisionRows,
    feedback: [String] = feedbackRows
  ) throws -> ConversionReport {
    try fixture.convert(
      [
        fixture.file("decisions.csv", csv(decisionHeader, decisions)),
        fixture.file("feedback.csv", csv(feedbackHeader, feedback)),
      ], mapping)
  }

  @Test("units, bounds, densities, thresholds and lists become exactly these lines, by time")
  func goldenLines() throws {
    let report = try convert()
    #expect(report.written && report.decisions == 2 && report.feedback == 3)
    #expect(report.dropped.isEmpty && report.sources.map(\.rows) == [2, 3])
    // Weights: 2·1/4 − 1 = −0.5, and 0 stays; 0.5 · |box of raw weights| / |box| = 0.5 · 2 · 1 = 1.
    #expect(
      try fixture.lines("decisions.jsonl") == [
        #"{"request_id":"r1","user_id":"u1","time_ms":1700000000000,"policy_version":"m","#
          + #""experiment":null,"arm":"new","state":[1,-2],"action":[-0.5,0],"#
          + #""log_propensity":0.0,"shown":["a","b"],"task_scores":[[0.5,10],[0.125,20]]}"#,
        #"{"request_id":"r2","user_id":"u1","time_ms":1700000060500,"policy_version":"m","#
          + #""experiment":null,"arm":null,"state":[1.5,2],"action":[1,0.5],"#
          + #""log_propensity":null,"shown":["b"],"task_scores":[[0.25,8]]}"#,
      ])
    #expect(
      try fixture.lines("feedback.jsonl") == [
        #"{"request_id":"r1","user_id":"u1","item_id":"a","position":0,"time_ms":1700000010000,"#
          + #""arrival_time_ms":1700000010000,"play_time_seconds":1,"duration_seconds":60,"#
          + #""click":0,"like":0}"#,
        #"{"request_id":"r1","user_id":"u1","item_id":"b","position":1,"time_ms":1700000030000,"#
          + #""arrival_time_ms":1700000030000,"play_time_seconds":2.5,"duration_seconds":30,"#
          + #""click":1,"like":1}"#,
        #"{"request_id":"r2","user_id":"u1","item_id":"b","position":0,"time_ms":1700000070000,"#
          + #""arrival_time_ms":1700000070000,"play_time_seconds":0,"duration_seconds":0,"#
          + #""click":0,"like":0}"#,
      ])
    let log = try SessionLogFolder(path: fixture.output)
    #expect(log.schema.stateNames == ["s_0", "s_1"] && log.schema.unknown.isEmpty)
    #expect(try LogValidation(of: log).isValid(strictly: true))
  }

  @Test("a log density stays, one of weights gets the volume of the box, one of actions does not")
  func densities() throws {
    let decisions = [decisionRows[1].replacing(",0.5,", with: ",-1,")]
    for (of, expected) in [("weights", -1 + 0.6931471805599453), ("action", -1.0)] {
      var mapping = tableMapping()
      mapping.decisions?.logPropensity?.form = "log_density"
      mapping.decisions?.logPropensity?.of = of
      _ = try convert(mapping, decisions: decisions, feedback: [feedbackRows[0]])
      let line = try fixture.lines("decisions.jsonl")[0]
      #expect(line.contains("\"log_propensity\":\(expected),"), "\(line)")
    }
  }

  @Test(
    "the same data as CSV, JSON lines and Parquet give the same bytes, on any number of threads")
  func formats() throws {
    _ = try convert()
    let expected = try ["decisions", "feedback"].map { try fixture.lines("\($0).jsonl") }
    let database = try AnalyticsDatabase()
    func copy(_ name: String, _ select: String, _ format: String) throws -> String {
      let path = fixture.folder.path + "/" + name
      try database.execute("COPY (\(select)) TO \(SQLText.literal(path)) (\(format))")
      return path
    }
    let decisions = """
      SELECT rid, uid, ts::DOUBLE AS ts, model, arm, s_0::FLOAT AS s_0, s_1::INTEGER AS s_1,
        w::DOUBLE[] AS w, density::DOUBLE AS density, items::VARCHAR[] AS items,
        scores::DOUBLE[][] AS scores
      FROM read_csv('\(fixture.folder.path)/decisions.csv', all_varchar = true)
      """
    let feedback = """
      SELECT rid, item, "at"::BIGINT AS "at", play::INTEGER AS play, length::DOUBLE AS length,
        clicked::BOOLEAN AS clicked, stars::DOUBLE AS stars
      FROM read_csv('\(fixture.folder.path)/feedback.csv', all_varchar = true)
      """
    for (ending, format) in [
      ("jsonl", "FORMAT json"), ("jsonl.gz", "FORMAT json, COMPRESSION gzip"),
      ("parquet", "FORMAT parquet"),
    ] {
      for threads in [1, 3] {
        let report = try fixture.convert(
          [
            copy("feedback.\(ending)", feedback, format),
            copy("decisions.\(ending)", decisions, format),
          ], tableMapping(), threads: threads)
        #expect(report.written, "\(ending): \(report.findings)")
        #expect(
          try ["decisions", "feedback"].map { try fixture.lines("\($0).jsonl") } == expected,
          "\(ending)")
      }
    }
  }

  @Test("repeated rows are dropped and counted, refused, or kept, as the mapping says")
  func repeats() throws {
    let decisions = decisionRows + [decisionRows[0]]
    let feedback = feedbackRows + [feedbackRows[2], feedbackRows[2]]
    var report = try convert(decisions: decisions, feedback: feedback)
    #expect(report.dropped == ["repeated_decision": 1, "repeated_feedback": 2])
    #expect(report.decisions == 2 && report.feedback == 3)
    var mapping = tableMapping()
    mapping.repeats = .refuse
    report = try convert(mapping, decisions: decisions, feedback: feedback)
    #expect(!report.written && report.badRows == 3)
    #expect(
      report.findings.first?.description.hasSuffix(
        "decisions.csv, row 3, column “rid” (request_id): one row (repeats: refuse) expected, "
          + "found “r2” again") == true)
    mapping.repeats = .keep
    report = try convert(mapping, decisions: decisions, feedback: feedback)
    #expect(report.decisions == 3 && report.feedback == 5)
    let log = try SessionLogFolder(path: fixture.output)
    #expect(try LogValidation(of: log).irregularities[.duplicateDecision] == 1)
  }

  @Test("feedback that needs its decision and has none, or an item not shown, is counted")
  func feedbackWithoutDecision() throws {
    let report = try convert(
      feedback: feedbackRows + ["r9,a,1700000070000,0,0,0,0", "r2,zz,1700000070000,0,0,0,0"])
    #expect(
      report.dropped == ["feedback_without_decision": 1, "feedback_for_item_not_shown": 1])
    #expect(report.feedback == 3)
    var mapping = tableMapping()
    mapping.feedback?.userID = FieldSource("rid")
    mapping.feedback?.position = FieldSource("stars")
    let kept = try convert(mapping, feedback: ["r9,a,1700000070000,0,0,0,0"])
    #expect(kept.feedback == 1 && kept.dropped.isEmpty)
  }

  @Test("bad rows name file, row, column, field, expected and found, and nothing is written")
  func badRows() throws {
    let cases: [(String, String, String)] = [
      (",1700000000,", ",soon,", "column “ts” (time): seconds since 1970 expected, found “soon”"),
      (",1700000000,", ",-1,", "column “ts” (time): seconds since 1970 expected, found “-1”"),
      ("r1,u1,", "r1,,", "column “uid” (user_id): an id expected, found nothing"),
      ("\"[1,0]\"", "\"[5,0]\"", "(action[0]): a weight in [0.0, 4.0] expected, found 5.0"),
      ("\"[1,0]\"", "\"[1]\"", "column “w” (action): 2 weights expected, found 1"),
      ("\"[1,0]\"", "\"[1,x]\"", "column “w” (action[1]): a finite number expected, found x"),
      ("\"[1,0]\"", "1 0", "column “w” (action): a list as JSON, “[…]” expected, found 1 0"),
      (",0.5,", ",0,", "(log_propensity): a density above 0, or nothing expected, found “0”"),
      (",1,-2,", ",1,inf,", "column “s_1” (state[1]): a finite number expected, found “inf”"),
      ("[0.5,10]", "[1.5,10]", "task_scores[0][0] (click): a probability in [0, 1] expected"),
      ("[0.5,10],", "", "task_scores: 2 items of 2 scores expected, found 2 scores"),
      ("[0.5,10]", "[0.5]", "(task_scores[0]): 2 scores for as many tasks expected, found 1"),
      ("\"\"b\"\"]", "\"\"a\"\"]", "column “items” (shown[1]): different items expected"),
    ]
    for (old, new, message) in cases {
      let row = decisionRows[1].replacing(old, with: new)
      #expect(row != decisionRows[1])
      let report = try convert(decisions: [decisionRows[0], row], feedback: [feedbackRows[2]])
      #expect(!report.written && report.badRows == 1, "\(message)")
      let text = report.findings.first?.description ?? ""
      #expect(text.contains("/decisions.csv, row 2, ") && text.contains(message), "\(text)")
      #expect(!DurableFiles.exists(fixture.output + "/schema.json"))
      #expect((try? DurableFiles.names(inFolder: fixture.output)) ?? [] == [])
    }
  }

  @Test("bad feedback is named too; with bad_rows: drop it is left out and counted")
  func badFeedback() throws {
    let rows = [
      "r1,a,1700000010000,-5,1,0,0", "r1,b,1700000010000,5,1,maybe,0",
      "r2,b,1700000010000,5,1,0,0",
    ]
    var report = try convert(feedback: rows)
    #expect(
      report.findings.map { $0.description.split(separator: "/").last.map(String.init) } == [
        "feedback.csv, row 1, column “play” (play_time): milliseconds, at least 0 expected, "
          + "found “-5”",
        "feedback.csv, row 2, column “clicked” (behaviors.click): a finite number expected, "
          + "found “maybe”",
      ])
    var mapping = tableMapping()
    mapping.badRows = .drop
    report = try convert(mapping, feedback: rows)
    #expect(report.written && report.dropped == ["bad_row": 2] && report.badRows == 2)
    #expect(try fixture.lines("feedback.jsonl").count == 1)
  }

  @Test("all bad rows are counted, as many described as asked for")
  func findingLimit() throws {
    let rows = (0..<50).map { "r\($0),a,soon,1,1,0,0" }
    let report = try fixture.convert(
      [
        fixture.file("decisions.csv", csv(decisionHeader, decisionRows)),
        fixture.file("feedback.csv", csv(feedbackHeader, feedbackRows + rows)),
      ], allFields(), findingLimit: 3)
    #expect(report.badRows == 50 && report.findings.count == 3)
  }

  /// A mapping under which feedback rows stand alone.
  private func allFields() -> LogMapping {
    var mapping = tableMapping()
    mapping.feedback?.userID = FieldSource("rid")
    mapping.feedback?.position = FieldSource("length")
    return mapping
  }

  @Test("more than memory holds is sorted on disk, and the log is the same")
  func spilling() throws {
    let count = 20_000
    var decisions: [String] = []
    var feedback: [String] = []
    for index in 0..<count {
      let place = (index * 7919) % count
      decisions.append(
        decisionRows[1].replacing("r1,u1,1700000000", with: "r\(place),u1,\(1_700_000_000 + place)")
          + "")
      feedback.append("r\(place),a,\(1_700_000_001_000 + place * 1000),1,1,0,0")
    }
    let files = [
      try fixture.file("decisions.csv", csv(decisionHeader, decisions)),
      try fixture.file("feedback.csv", csv(feedbackHeader, feedback)),
    ]
    let report = try fixture.convert(files, tableMapping())
    let expected = try fixture.lines("feedback.jsonl")
    #expect(report.feedback == count && expected[0].contains("\"r0\""))
    #expect(expected[count - 1].contains("\"r\(count - 1)\""))
    _ = try fixture.convert(files, tableMapping(), memoryLimitMegabytes: 80)
    #expect(try fixture.lines("feedback.jsonl") == expected)
  }
}
