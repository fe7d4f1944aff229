import DurableFiles
import FusionMDP
import SessionLogs
import Testing

@Suite("Conversion of one table of impressions")
struct ImpressionConversionTests {
  private let fixture: ConversionFixture

  init() throws { fixture = try ConversionFixture() }

  private func convert(
    _ rows: String..., mapping: LogMapping = impressionMapping(),
    header: String = "user,ms,item,play,click\n"
  ) throws -> ConversionReport {
    try fixture.convert([fixture.file("log.csv", csv(header, rows))], mapping)
  }

  @Test("rows of one user and time are one request, in the order of the file")
  func requests() throws {
    let report = try convert(
      "7,2000,b,1.5,1", "3,1000,x,0,0", "7,2000,a,2,0", "7,2000,b,9,0", "8,2000,a,1,1")
    #expect(report.decisions == 3 && report.feedback == 4)
    #expect(report.dropped == ["repeated_impression": 1])
    #expect(
      try fixture.lines("decisions.jsonl")[1]
        == #"{"request_id":"7-2000","user_id":"7","time_ms":2000,"policy_version":"p1","#
        + #""experiment":null,"arm":null,"state":[],"action":[],"log_propensity":null,"#
        + #""shown":["b","a"],"task_scores":[]}"#)
    // Nobody noted when it happened: the request's time and 1.5 s of play.
    #expect(
      try fixture.lines("feedback.jsonl")[1]
        == #"{"request_id":"7-2000","user_id":"7","item_id":"b","position":0,"time_ms":3500,"#
        + #""arrival_time_ms":3500,"play_time_seconds":1.5,"duration_seconds":0,"click":1}"#)
    let log = try SessionLogFolder(path: fixture.output)
    #expect(log.schema.unknown == [.state, .action, .taskScores])
    #expect(log.schema.tasks == .none && log.schema.actionSize == 0)
    #expect(try LogValidation(of: log).isValid(strictly: true))
  }

  @Test("with a request id, rows belong together by it, ordered by position; scores are columns")
  func requestIDs() throws {
    var mapping = impressionMapping()
    mapping.tasks = [
      .init(name: "click", domain: "probability"), .init(name: "watch", domain: "seconds"),
    ]
    mapping.impressions?.requestID = FieldSource("rid")
    mapping.impressions?.position = FieldSource("rank")
    mapping.impressions?.taskScores = ListSource("x")
    mapping.impressions?.taskScores?.column = nil
    mapping.impressions?.taskScores?.columns = ["p", "w"]
    mapping.impressions?.action = ListSource("weights")
    mapping.impressions?.action?.separator = "|"
    let header = "rid,user,ms,rank,item,play,click,p,w,weights\n"
    let report = try convert(
      "q,u,1010,2,a,1,0,0.5,4,0.5|-1", "q,u,1000,1,b,1,0,0.25,8,0.5|-1",
      mapping: mapping, header: header)
    #expect(report.written, "\(report.findings)")
    #expect(
      try fixture.lines("decisions.jsonl") == [
        #"{"request_id":"q","user_id":"u","time_ms":1000,"policy_version":"p1","#
          + #""experiment":null,"arm":null,"state":[],"action":[0.5,-1],"log_propensity":null,"#
          + #""shown":["b","a"],"task_scores":[[0.25,8],[0.5,4]]}"#
      ])
    let other = try convert(
      "q,u,1000,1,b,1,0,0.25,8,0.5|-1", "q,u,1000,2,a,1,0,0.5,4,0.5|1", mapping: mapping,
      header: header)
    #expect(
      other.findings.first?.description.hasSuffix(
        "log.csv, row 2, column “weights” (action): “0.5|-1” as in the request's first row "
          + "expected, found “0.5|1”") == true)
  }

  @Test("a request with a bad row is dropped whole, as its list is not known")
  func badRows() throws {
    var mapping = impressionMapping()
    mapping.badRows = .drop
    let report = try convert(
      "7,2000,b,1.5,1", "7,2000,a,never,0", "7,,c,1,0", "8,1000,a,1,1", mapping: mapping)
    #expect(report.decisions == 1 && report.feedback == 1 && report.badRows == 2)
    #expect(report.dropped == ["bad_row": 2, "impression_of_bad_request": 1])
  }

  @Test("times of any unit give the same milliseconds; ISO 8601 needs a zone")
  func times() throws {
    func time(_ text: String, _ unit: String, zone: String? = nil) throws -> String {
      var mapping = impressionMapping()
      mapping.impressions?.time?.unit = unit
      mapping.impressions?.time?.zone = zone
      let report = try convert("u,\(text),a,0,0", mapping: mapping)
      if let finding = report.findings.first { return finding.found }
      let line = try fixture.lines("decisions.jsonl")[0]
      return String(line.split(separator: ":")[3].prefix { $0 != "," })
    }
    // 25 April 2022, 10:00:00.123 in Beijing: 19,107 days of 86,400 s after 1970, and 2 h.
    let expected = "1650852000123"
    #expect(try time("1650852000123", "ms") == expected)
    #expect(try time("1650852000123456", "us") == expected)
    #expect(try time("1650852000.123", "s") == expected)
    #expect(try time("27514200.00205", "min") == expected)
    #expect(try time("2022-04-25T10:00:00.123+08:00", "iso8601") == expected)
    #expect(try time("2022-04-25 02:00:00.123Z", "iso8601") == expected)
    #expect(try time("2022-04-24T18:00:00.1234-0800", "iso8601") == expected)
    #expect(try time("2022-04-25 10:00:00.123", "iso8601", zone: "+08:00") == expected)
    #expect(try time("2024-02-29T00:00Z", "iso8601") == "1709164800000")
    for wrong in [
      "2022-04-25 10:00:00", "2023-02-29T00:00:00Z", "2022-13-01T00:00:00Z", "2022-04-25",
      "2022-04-25T25:00:00Z", "2022-04-25T10:00:00.Z", "2022-04-25T10:00:00+8", "1969-12-31T00:00Z",
    ] {
      #expect(try time(wrong, "iso8601") == "“\(wrong)”")
    }
  }

  @Test("ISO times of different zones are ordered by the instant")
  func zones() throws {
    var mapping = impressionMapping()
    mapping.impressions?.time?.unit = "iso8601"
    mapping.impressions?.time?.zone = "Z"
    _ = try convert(
      "a,2022-04-25T10:00:00+08:00,x,0,0", "b,2022-04-25T01:00:00,x,0,0",
      "c,2022-04-25T04:30:00+05:30,x,0,0", mapping: mapping)
    let users = try fixture.lines("decisions.jsonl").map { $0.split(separator: "\"")[7] }
    #expect(users == ["c", "b", "a"])
  }

  @Test("category lists, scales, offsets, defaults and constants")
  func transforms() throws {
    var mapping = impressionMapping()
    mapping.impressions?.behaviors = ["like": FieldSource("click"), "zeal": FieldSource("click")]
    mapping.impressions?.behaviors?["like"]?.values = ["heart", "star"]
    mapping.impressions?.behaviors?["zeal"]?.values = nil
    mapping.impressions?.behaviors?["zeal"] = FieldSource("play")
    mapping.impressions?.behaviors?["zeal"]?.scale = 2
    mapping.impressions?.behaviors?["zeal"]?.offset = 1
    mapping.impressions?.behaviors?["zeal"]?.fallback = "10"
    mapping.impressions?.playTime = FieldSource("play")
    mapping.impressions?.playTime?.column = nil
    mapping.impressions?.playTime?.constant = "0"
    _ = try convert("u,1,a,3,heart", "u,1,b,,none", mapping: mapping)
    let lines = try fixture.lines("feedback.jsonl")
    #expect(lines[0].hasSuffix(#""duration_seconds":0,"like":1,"zeal":7}"#))
    #expect(lines[1].hasSuffix(#""duration_seconds":0,"like":0,"zeal":21}"#))
  }

  /// The request's id and the items that a line shows.
  private func idAndItems(_ line: String) -> String {
    let texts = line.split(separator: "\"").map(String.init)
    let items = texts.drop { $0 != "shown" }.dropFirst(2).prefix { $0 != "task_scores" }
    return texts[3] + " " + items.filter { $0.first == "i" }.joined(separator: ",")
  }

  @Test("rows belong together whose times are the same millisecond, however they are written")
  func sameTime() throws {
    func requests(_ times: [String], _ unit: String) throws -> [String] {
      var mapping = impressionMapping()
      mapping.impressions?.time?.unit = unit
      if unit == "iso8601" { mapping.impressions?.time?.zone = "+08:00" }
      let rows = times.enumerated().map { "u,\($1),i\($0),0,0" }
      let file = try fixture.file("log.csv", csv("user,ms,item,play,click\n", rows))
      let report = try fixture.convert([file], mapping)
      #expect(report.dropped.isEmpty && report.badRows == 0, "\(report.findings)")
      #expect(try LogValidation(of: SessionLogFolder(path: fixture.output)).isValid(strictly: true))
      return try fixture.lines("decisions.jsonl").map(idAndItems)
    }
    #expect(
      try requests(["1650852000123100", "1650852000123200", "1650852000123500"], "us")
        == ["u-1650852000123 i0,i1", "u-1650852000124 i2"])
    #expect(try requests(["1650852000.0001", "1650852000.0002"], "s") == ["u-1650852000000 i0,i1"])
    #expect(
      try requests(["5", "+5", "5.", "5e0", "0.5E+1", "4.9", ".05e2"], "ms")
        == ["u-5 i0,i1,i2,i3,i4,i5,i6"])
    // 10:00 in UTC: seconds may be missing, before an offset too; the fourth digit rounds.
    #expect(
      try requests(
        [
          "2024-02-29T10:00Z", "2024-02-29T18:00+08:00", "2024-02-29 18:00",
          "2024-02-29T10:00:00.0004Z", "2024-02-29 10:00:00.0006Z",
          "2024-02-29T04:30:00.000499-0530",
          "2024-02-29T10:00:00.0005+00",
        ], "iso8601")
        == ["u-1709200800000 i0,i1,i2,i3,i5", "u-1709200800001 i4,i6"])
  }

  @Test("numbers are decimal digits: nothing else is a time, and no row makes a request by itself")
  func otherNumbers() throws {
    for text in ["0x10", "inf", "nan", "true", "1_0"] {
      let report = try convert("u,\(text),a,0,0", "u,\(text),b,0,0")
      #expect(report.badRows == 2 && !report.written, "\(text)")
      #expect(report.findings.allSatisfy { $0.field == "time" && $0.found == "“\(text)”" })
    }
  }

  @Test("a request with an id is as old as its earliest row")
  func earliest() throws {
    var mapping = impressionMapping()
    mapping.impressions?.requestID = FieldSource("rid")
    let header = "rid,user,ms,item,play,click\n"
    // The repeated row of q is older still, and does not count.
    let report = try convert(
      "q,u,1010,b,0.001,0", "q,u,1000,a,0.001,0", "p,u,1005,a,0.001,0", "q,u,900,b,1,0",
      mapping: mapping, header: header)
    #expect(report.dropped == ["repeated_impression": 1])
    let lines = try fixture.lines("decisions.jsonl")
    #expect(lines.map { $0.split(separator: "\"")[3] } == ["q", "p"])
    #expect(lines[0].contains(#""time_ms":1000,"#) && lines[0].contains(#""shown":["b","a"]"#))
    #expect(try LogValidation(of: SessionLogFolder(path: fixture.output)).isValid(strictly: true))
  }

  @Test("a missing request id is told as such, and never as a repeat")
  func missingRequestIDs() throws {
    var mapping = impressionMapping()
    mapping.impressions?.requestID = FieldSource("rid")
    let report = try convert(
      ",u,1000,a,0,0", ",u,1000,a,0,0", "\"\",u,1000,a,0,0", mapping: mapping,
      header: "rid,user,ms,item,play,click\n")
    #expect(report.badRows == 3 && report.dropped.isEmpty)
    #expect(
      report.findings.allSatisfy {
        $0.description.hasSuffix("column “rid” (request_id): an id expected, found nothing")
      }, "\(report.findings)")
  }
}
