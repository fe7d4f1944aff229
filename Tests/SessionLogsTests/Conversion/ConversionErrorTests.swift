import DurableFiles
import EmbeddedAnalytics
import SeededRandom
import SessionLogs
import Testing

@Suite("Conversions that cannot be")
struct ConversionErrorTests {
  private let fixture: ConversionFixture

  init() throws { fixture = try ConversionFixture() }

  private func message(_ inputs: [String], _ mapping: LogMapping) -> String {
    do {
      let report = try fixture.convert(inputs, mapping)
      return report.written ? "written" : "bad rows"
    } catch {
      #expect(!DurableFiles.exists(fixture.output + "/schema.json"))
      return "\(error)"
    }
  }

  @Test("a mapping that does not hold together names the key, what was expected and found")
  func mappings() throws {
    let cases: [(String, (inout LogMapping) -> Void)] = [
      ("key feedback: decisions and feedback, or impressions alone", { $0.feedback = nil }),
      ("key decisions: nothing beside impressions", { $0.impressions = TableMapping() }),
      ("key decisions.files: names that tell", { $0.decisions?.files = nil }),
      ("key decisions.shown: a column or a constant", { $0.decisions?.shown = nil }),
      ("key decisions.item_id: one of", { $0.decisions?.itemID = FieldSource("x") }),
      ("key feedback.behaviors: at least one", { $0.feedback?.behaviors = [:] }),
      ("key decisions.time.scale: one of column, unit", { $0.decisions?.time?.scale = 2 }),
      ("key decisions.time.unit: one of us, ms", { $0.decisions?.time?.unit = "h" }),
      ("key decisions.time.zone: Z or an offset", { $0.decisions?.time?.zone = "Z" }),
      ("key decisions.log_propensity.form: one of", { $0.decisions?.logPropensity?.form = nil }),
      ("key decisions.log_propensity.of: weights or", { $0.decisions?.logPropensity?.of = nil }),
      ("key decisions.action: lower and upper", { $0.decisions?.action?.lower = nil }),
      ("bounds of every task's weight", { $0.decisions?.action?.lower = [0] }),
      ("key decisions.action.outside: refuse or", { $0.decisions?.action?.outside = "x" }),
      ("key decisions.action: the weights that", { $0.decisions?.action = nil }),
      ("key tasks: the tasks that weights", { $0.tasks = nil }),
      ("key tasks.0.domain: probability or", { $0.tasks?[0].domain = "x" }),
      ("key decisions.state: one of column, columns", { $0.decisions?.state?.column = "s" }),
      ("key decisions.state.names: 2 names for", { $0.decisions?.state?.names = ["x"] }),
      ("key decisions.user_id: a column or", { $0.decisions?.userID?.constant = "u" }),
      (
        "key feedback.behaviors.like: at_least or",
        { $0.feedback?.behaviors?["like"]?.values = [] }
      ),
      (
        "key feedback.behaviors.like.scale: nothing beside values",
        {
          $0.feedback?.behaviors?["like"] = FieldSource("stars")
          $0.feedback?.behaviors?["like"]?.values = ["x"]
          $0.feedback?.behaviors?["like"]?.scale = 2
        }
      ),
      (
        "key decisions.task_scores: 2 columns for",
        {
          $0.decisions?.taskScores?.column = nil
          $0.decisions?.taskScores?.columns = ["x", "y", "z"]
        }
      ),
      (
        "key decisions.state.numbered: at most 100000 columns",
        { $0.decisions?.state?.numbered = .init(prefix: "s", from: 0, to: 1_000_000_000) }
      ),
      ("stands twice or is reserved", { $0.feedback?.behaviors?["position"] = FieldSource("x") }),
      ("key csv.delimiter: one ASCII", { $0.csv.delimiter = "||" }),
    ]
    for (expected, change) in cases {
      var mapping = tableMapping()
      change(&mapping)
      do {
        try mapping.check()
        Issue.record("not refused: \(expected)")
      } catch {
        #expect("\(error)".contains(expected), "\(error)")
      }
    }
    try tableMapping().check()
    try impressionMapping().check()
  }

  @Test("files that are missing, empty, of no known format, of no table or lack a column")
  func files() throws {
    let decisions = try fixture.file("decisions.csv", csv(decisionHeader, decisionRows))
    let feedback = try fixture.file("feedback.csv", csv(feedbackHeader, feedbackRows))
    let folder = fixture.folder.path
    #expect(
      message([decisions], tableMapping()).hasPrefix(
        "feedback: expected a file named feedback*, found none"))
    #expect(message([], impressionMapping()).contains("found none among no inputs"))
    let other = try fixture.file("other.csv", "a\n1\n")
    #expect(message([decisions, other], tableMapping()).contains("expected to match the files"))
    #expect(
      message([decisions, folder + "/feedback-2.csv"], tableMapping()).hasSuffix("no such file"))
    let text = try fixture.file("feedback.txt", "x")
    #expect(message([decisions, text], tableMapping()).contains(".parquet expected"))
    let header = try fixture.file("feedback-3.csv", feedbackHeader)
    #expect(
      message([decisions, header], tableMapping()).hasSuffix(
        "feedback-3.csv: at least one row expected, found none"))
    let lacking = try fixture.file("feedback-4.csv", "rid,Item,at\n1,2,3\n")
    #expect(
      message([decisions, lacking], tableMapping()).hasSuffix(
        "feedback-4.csv: column “item” expected for feedback.item_id, found “rid”, “Item”, “at”"))
    let nothing = try fixture.file("feedback-5.csv", "")
    #expect(
      message([decisions, nothing], tableMapping()).contains(
        "feedback-5.csv: column “rid” expected for feedback.request_id"))
    let note = try fixture.file("feedback-6.csv", "from the warehouse\n" + feedbackHeader)
    #expect(
      message([decisions, note], tableMapping()).contains("feedback-6.csv: cannot be read: Invalid")
    )
    let packed = try fixture.file("feedback-7.parquet.gz", "x")
    #expect(
      message([decisions, packed], tableMapping()).hasSuffix(
        ".parquet expected (.gz or .zst may follow all but the last)"))
    let damaged = try fixture.file("feedback-8.csv.gz", "x")
    #expect(
      message([decisions, damaged], tableMapping()).contains("feedback-8.csv.gz: cannot be read"))
    #expect(message([decisions, feedback], tableMapping()) == "written")
  }

  @Test("what the engine lacks is no fault of the files")
  func memory() throws {
    let rows = (0..<60_000).map {
      "u\($0),\(60_000 - $0),\(String(repeating: "x", count: 200)),1,0"
    }
    let file = try fixture.file("log.csv", csv("user,ms,item,play,click\n", rows))
    let error = #expect(throws: AnalyticsError.self) {
      try LogConversion.run(
        inputs: [file], mapping: impressionMapping(), output: fixture.output,
        options: LogConversion.Options(threads: 1, memoryLimitMegabytes: 8))
    }
    #expect(error?.message.hasPrefix("Out of Memory Error") == true)
    #expect(!DurableFiles.exists(fixture.output + "/schema.json"))
  }

  @Test("column names are names: quotes and statements in them do nothing")
  func injection() throws {
    let name = #"item"); DROP TABLE x; --"#
    var mapping = impressionMapping()
    mapping.impressions?.itemID = FieldSource(name)
    mapping.impressions?.policyVersion?.constant = "'); SELECT 1; --"
    let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
    let file = try fixture.file("it's.csv", "user,ms,\(quoted),play,click\nu,1,a,0,0\n")
    #expect(message([file], mapping) == "written")
    let line = try fixture.lines("decisions.jsonl")[0]
    #expect(line.contains(#""policy_version":"'); SELECT 1; --""#))
  }

  @Test("damaged CSV and JSON give an error or findings, never a crash")
  func damagedFiles() throws {
    let good = csv("user,ms,item,play,click\n", (0..<40).map { "u\($0),\($0),a,1,0" })
    let json = (0..<40).map {
      #"{"user":"u\#($0)","ms":\#($0),"item":"a","play":1.5,"click":false}"# + "\n"
    }.joined()
    var stream = RandomStream(seed: 7, name: "damage")
    var outcomes: [String: Int] = [:]
    for round in 0..<400 {
      let (name, text) = round.isMultiple(of: 2) ? ("log.csv", good) : ("log.jsonl", json)
      var bytes = Array(text.utf8)
      for _ in 0..<3 {
        let place = Int(stream.next() % UInt64(bytes.count))
        switch stream.next() % 4 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: stream.next())
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8(ascii: "\""), at: place)
        default: bytes.removeSubrange(place...)
        }
        if bytes.isEmpty { bytes = [10] }
      }
      let path = fixture.folder.path + "/" + name
      try DurableFiles.write(bytes, to: path)
      let outcome = message([path], impressionMapping())
      outcomes[outcome == "written" || outcome == "bad rows" ? outcome : "error", default: 0] += 1
      if outcome == "written" {
        let log = try SessionLogFolder(path: fixture.output)
        #expect(try LineValidation.scan(log).errorCount == 0, "round \(round)")
      }
      try? DurableFiles.remove(fixture.output)
    }
    #expect((outcomes["error"] ?? 0) > 5 && (outcomes["bad rows"] ?? 0) > 5, "\(outcomes)")
  }
}
