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

  /// The request, user and place of each feedback line.
  private func feedbackKeys() throws -> [String] {
    try fixture.lines("feedback.jsonl").map { line in
      let texts = line.split(separator: "\"")
      return "\(texts[3]) \(texts[7]) \(texts[11])"
    }
  }

  @Test("feedback of a decision that is dropped is dropped with it", arguments: [true, false])
  func feedbackOfBadDecision(joins: Bool) throws {
    var mapping = tableMapping()
    if !joins {
      mapping.feedback?.userID = FieldSource("u")
      mapping.feedback?.userID?.column = nil
      mapping.feedback?.userID?.constant = "u1"
      mapping.feedback?.position = FieldSource("stars")
    }
    mapping.badRows = .drop
    let bad = decisionRows[1].replacing("\"[1,0]\"", with: "\"[5,0]\"")
    let feedback = [
      "r1,b,1700000030000,2500,0.5,1,1", "r1,a,1700000010000,1000,1,0,0",
      "r2,b,1700000070000,0,0,0,0",
    ]
    let report = try convert(mapping, decisions: [decisionRows[0], bad], feedback: feedback)
    #expect(report.dropped == ["bad_row": 1, "feedback_without_decision": 2])
    #expect(report.decisions == 1 && report.feedback == 1 && report.badRows == 1)
    #expect(try LogValidation(of: SessionLogFolder(path: fixture.output)).isValid())
    // Where a bad row refuses the log, only that row is told.
    mapping.badRows = .refuse
    let refused = try convert(mapping, decisions: [decisionRows[0], bad], feedback: feedback)
    #expect(!refused.written && refused.badRows == 1 && refused.dropped.isEmpty)
  }

  @Test("a good copy of a bad row is no repeat, and its feedback is judged by it")
  func goodCopies() throws {
    var mapping = tableMapping()
    mapping.badRows = .drop
    // The first r1 is bad and shows b first; then a good one, then another good and a bad one.
    let bad = decisionRows[1].replacing("\"[1,0]\"", with: "\"[5,0]\"")
      .replacing(#"[""a"",""b""]"#, with: #"[""b"",""a""]"#).replacing("u1", with: "u9")
    let decisions = [bad, decisionRows[1], decisionRows[1], bad, decisionRows[0]]
    let feedback = [
      "r1,a,1700000010000,never,1,0,0", "r1,a,1700000010000,1000,1,0,0",
      "r1,a,1700000010000,2000,1,0,0", "r1,b,1700000010000,1000,1,0,0",
    ]
    var report = try convert(mapping, decisions: decisions, feedback: feedback)
    #expect(
      report.dropped == ["bad_row": 2, "repeated_decision": 2, "repeated_feedback": 1])
    #expect(report.decisions == 2)
    #expect(try feedbackKeys() == ["r1 u1 a", "r1 u1 b"])
    #expect(try fixture.lines("feedback.jsonl")[0].contains(#""play_time_seconds":1,"#))
    #expect(try LogValidation(of: SessionLogFolder(path: fixture.output)).isValid(strictly: false))
    // Kept, the good copies all stay, and the last bad one takes nothing away.
    mapping.repeats = .keep
    report = try convert(mapping, decisions: decisions, feedback: [feedback[1]])
    #expect(report.dropped == ["bad_row": 2] && report.decisions == 3 && report.feedback == 1)
  }

  @Test("feedback without a request id is a bad row each, not a repeat")
  func missingRequestIDs() throws {
    var mapping = tableMapping()
    mapping.badRows = .drop
    let report = try convert(
      mapping, feedback: feedbackRows + [",b,1700000010000,1,1,0,0", ",b,1700000010000,1,1,0,0"])
    #expect(report.dropped == ["bad_row": 2] && report.badRows == 2 && report.feedback == 3)
  }

  @Test("a weight beyond its bounds becomes the bound, and then the density is unknown")
  func truncation() throws {
    var mapping = tableMapping()
    mapping.decisions?.action?.outside = "truncate"
    let beyond = decisionRows[1].replacing("\"[1,0]\"", with: "\"[5,0]\"")
    let inside = decisionRows[0].replacing("\"[4,0.5]\",,", with: "\"[4,0.5]\",0.25,")
    let report = try convert(mapping, decisions: [beyond, inside])
    #expect(report.truncatedActions == 1 && report.dropped.isEmpty && report.badRows == 0)
    let lines = try fixture.lines("decisions.jsonl")
    #expect(lines[0].contains(#""action":[1,0],"log_propensity":null,"#))
    // 0.25 · 2 on the box [−1, 1]².
    #expect(lines[1].contains(#""action":[1,0.5],"log_propensity":-0.693147"#))
  }

  @Test("a hole in a list is told, and nothing moves into it; the end of a list may be empty")
  func holes() throws {
    var mapping = tableMapping()
    mapping.decisions?.shown = ListSource("slot_0")
    mapping.decisions?.shown?.column = nil
    mapping.decisions?.shown?.numbered = .init(prefix: "slot_", from: 0, to: 2)
    mapping.decisions?.taskScores = nil
    let header = "rid,uid,ts,model,arm,s_0,s_1,w,density,slot_0,slot_1,slot_2\n"
    func shown(_ mapping: LogMapping, _ header: String, _ items: String) throws -> String {
      let row = "r1,u1,1700000000,m,new,1,-2,\"[1,0]\",0.5,\(items)"
      let report = try fixture.convert(
        [
          fixture.file("decisions.csv", csv(header, [row])),
          fixture.file("feedback.csv", csv(feedbackHeader, ["r1,b,1700000030000,2500,0.5,true,4"])),
        ], mapping)
      if let finding = report.findings.first { return "\(finding)" }
      let line = try fixture.lines("decisions.jsonl")[0]
      return String(try #require(line.split(separator: #""shown":"#).last).prefix { $0 != "]" })
    }
    #expect(try shown(mapping, header, "a,b,") == #"["a","b""#)
    #expect(
      try shown(mapping, header, "a,,b").hasSuffix(
        "decisions.csv, row 1, column “slot_1” (shown[1]): an id expected, found nothing"))
    mapping.decisions?.shown = ListSource("items")
    mapping.decisions?.shown?.separator = "|"
    let one = header.replacing("slot_0,slot_1,slot_2", with: "items")
    #expect(try shown(mapping, one, "a|b||") == #"["a","b""#)
    #expect(
      try shown(mapping, one, "a||b").hasSuffix(
        "column “items” (shown[1]): an id expected, found nothing"))
    mapping.decisions?.action?.separator = "|"
    let action = one.replacing("w,", with: "w,")
    let row = "r1,u1,1700000000,m,new,1,-2,1||0,0.5,a"
    let report = try fixture.convert(
      [
        fixture.file("decisions.csv", csv(action, [row])), fixture.folder.path + "/feedback.csv",
      ], mapping)
    #expect(
      report.findings.first?.description.hasSuffix(
        "column “w” (action[1]): a finite number expected, found nothing") == true)
  }

  @Test("scores by task have one number a shown item")
  func scoresByTask() throws {
    var mapping = tableMapping()
    mapping.decisions?.taskScores = ListSource("p")
    mapping.decisions?.taskScores?.column = nil
    mapping.decisions?.taskScores?.columns = ["p", "w2"]
    let header = decisionHeader.replacing("scores", with: "p,w2")
    func convert(_ scores: String) throws -> ConversionReport {
      let row = decisionRows[1].replacing("\"[[0.5,10],[0.125,20]]\"", with: scores)
      return try fixture.convert(
        [
          fixture.file("decisions.csv", csv(header, [row])),
          fixture.file("feedback.csv", csv(feedbackHeader, [feedbackRows[0]])),
        ], mapping)
    }
    #expect(try convert("\"[0.5,0.125]\",\"[10,20]\"").written)
    #expect(
      try fixture.lines("decisions.jsonl")[0].hasSuffix(#""task_scores":[[0.5,10],[0.125,20]]}"#))
    #expect(
      try convert("\"[0.5,0.125,0.5]\",\"[10,20,30]\"").findings.first?.description.hasSuffix(
        "column “p” (task_scores): 2 scores for as many shown items expected, found 3") == true)
  }

  @Test(
    "delimiters, tabs and Zstandard are read, ids may begin with #, the window's end is written")
  func layouts() throws {
    func lines(_ decisions: String, _ feedback: String, _ mapping: LogMapping) throws -> [String] {
      let report = try fixture.convert([decisions, feedback], mapping)
      #expect(report.written, "\(report.findings)")
      return try fixture.lines("decisions.jsonl") + fixture.lines("feedback.jsonl")
    }
    // Of such a file an engine that looks for comments makes one of fewer rows.
    let rows = feedbackRows.map { $0.replacing("r1,b", with: "#1,b") }
    let decisions = decisionRows.map { $0.replacing("r1,u1", with: "#1,u1") }
    let plain = [
      try fixture.file("decisions.csv", csv(decisionHeader, decisions)),
      try fixture.file("feedback.csv", csv(feedbackHeader, rows)),
    ]
    var mapping = tableMapping()
    mapping.windowEndMilliseconds = 1_700_000_100_000
    let expected = try lines(plain[0], plain[1], mapping)
    #expect(expected.count == 4 && expected[2].contains("\"#1\""))
    #expect(
      try SessionLogFolder(path: fixture.output).schema.windowEndMilliseconds == 1_700_000_100_000)
    let database = try AnalyticsDatabase()
    func copy(_ name: String, _ source: String, _ options: String) throws -> String {
      let path = fixture.folder.path + "/" + name
      try database.execute(
        """
        COPY (SELECT * FROM read_csv(\(SQLText.literal(source)), all_varchar = true, comment = ''))
        TO \(SQLText.literal(path)) (FORMAT csv, HEADER, \(options))
        """)
      return path
    }
    for (ending, options) in [
      ("tsv", "DELIMITER '\t'"), ("csv.zst", "COMPRESSION zstd"), ("csv.gz", "COMPRESSION gzip"),
      ("txt.csv", "DELIMITER ';'"),
    ] {
      mapping.csv.delimiter = ending == "txt.csv" ? ";" : nil
      let files = try [
        copy("decisions.\(ending)", plain[0], options),
        copy("feedback.\(ending)", plain[1], options),
      ]
      #expect(try lines(files[0], files[1], mapping) == expected, "\(ending)")
    }
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
