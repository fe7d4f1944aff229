import DurableFiles
import FusionMDP
import SessionLogs
import Testing

@Suite("Conversion with computed states")
struct StateFillingTests {
  @Test("states hold what happened before a decision, fitted on the training sessions alone")
  func fills() throws {
    let fixture = try ConversionFixture()
    // Two users, a request an hour each for 20 hours: sessions of one request.
    var rows: [String] = []
    for hour in 0..<20 {
      for user in ["u", "v"] { rows.append("\(user),\(hour * 3_600_000 + 1000),i\(hour),60,1") }
    }
    let file = try fixture.file("log.csv", csv("user,ms,item,play,click\n", rows))
    let definition = StateDefinition(
      history: HistoryFeatures(
        behaviors: ["click"], windows: [.init(interactions: 500, name: "history")],
        statistics: [.rate], times: [], decays: [], topics: nil, recency: [],
        totals: [.logCount]),
      session: SessionFeatures(features: [.logRequests], signals: []))
    let report = try LogConversion.run(
      inputs: [file], mapping: impressionMapping(), output: fixture.output,
      states: StateFilling(definition: definition),
      options: LogConversion.Options(spillFolder: fixture.folder.path + "/spill"))
    #expect(report.decisions == 40 && report.feedback == 40 && report.dropped.isEmpty)
    let log = try SessionLogFolder(path: fixture.output)
    #expect(log.schema.stateNames == definition.names)
    #expect(log.schema.stateDefinition == definition)
    #expect(log.schema.unknown == [.action, .taskScores])
    #expect(try LogValidation(of: log).isValid(strictly: true))
    let lines = try fixture.lines("decisions.jsonl")
    #expect(lines.count == 40 && lines[0].contains(#""user_id":"u","time_ms":1000,"#))
    // The first knows nothing; the second one click of one impression.
    let index = try #require(definition.names.firstIndex { $0.contains("click") })
    func state(_ line: String) throws -> [Float] {
      let list = try #require(line.split(separator: #""state":["#).last?.prefix { $0 != "]" })
      return list.split(separator: ",").compactMap { Float($0) }
    }
    #expect(try state(lines[0])[index] == 0 && state(lines[1])[index] == 1)
    #expect(try fixture.lines("feedback.jsonl").count == 40)
    #expect(!DurableFiles.exists(fixture.folder.path + "/spill-without-states"))
  }

  private func convert(
    _ fixture: ConversionFixture, _ rows: [String], _ states: StateFilling,
    mapping: LogMapping = impressionMapping(), spill: Bool = true,
    progress: @escaping (Int) throws -> Void = { _ in }
  ) throws -> ConversionReport {
    try LogConversion.run(
      inputs: [fixture.file("log.csv", csv("user,ms,item,play,click\n", rows))], mapping: mapping,
      output: fixture.output, states: states,
      options: LogConversion.Options(
        spillFolder: spill ? fixture.folder.path + "/spill" : nil, replacing: true),
      progress: progress)
  }

  /// Ten sessions of one user, a request an hour each.
  private let hours = (0..<10).map { "u,\(3_600_000 * $0 + 1000),i\($0),60,1" }
  private let requests = StateDefinition(
    history: HistoryFeatures(behaviors: ["click"], windows: [], totals: [.logCount]),
    session: SessionFeatures(features: [.requests], signals: []))

  @Test("profiles, topics and the scale are fitted on the training sessions alone, by hand")
  func fits() throws {
    let fixture = try ConversionFixture()
    var mapping = impressionMapping()
    mapping.windowEndMilliseconds = 3_600_000 * 20
    var definition = requests
    definition.profile = [ProfileFeature(name: "level", missing: .mean)]
    definition.history.topics = .init(window: 10, column: "tag", top: 1)
    definition.normalization = .standard
    // From the fourth session on level 4, in the test sessions 100; and there topic b, thrice.
    let profiles = try fixture.file(
      "users.csv", "id,time_ms,level\nu,0,2\nu,8000000,4\nu,15000000,100\n")
    let rows =
      hours[..<5]
      + (5..<10).flatMap { hour in
        ["x", "y", "z"].map {
          "u,\(3_600_000 * hour + 1000),\($0)\(hour),60,1"
        }
      }
    let tags =
      (0..<5).map { "i\($0),a\n" }
      + (5..<10).flatMap { hour in
        ["x", "y", "z"].map { "\($0)\(hour),b\n" }
      }
    let items = try fixture.file("items.csv", "video,tag\n" + tags.joined())
    let report = try convert(
      fixture, Array(rows),
      StateFilling(
        definition: definition, profiles: profiles, items: items, userKey: "id", itemKey: "video",
        trainFraction: 0.5, fittedText: { "names: \($0.names.count)\n" }), mapping: mapping)
    let fitted = try #require(report.stateDefinition)
    // Levels 2, 2, 2, 4, 4: mean 2.8, variance (3 · 0.64 + 2 · 1.44) / 5 = 0.96.
    #expect(fitted.profile[0].mean == 2.8 && fitted.history.topics?.values == ["a"])
    let statistics = try #require(fitted.statistics)
    #expect(
      statistics.mean[0] == 2.8 && abs(Double(statistics.deviation[0]) - 0.96.squareRoot()) < 1e-6)
    let first = try fixture.lines("decisions.jsonl")[0]
    let state = try #require(first.split(separator: #""state":["#).last?.prefix { $0 != "," })
    #expect(abs(try #require(Double(state)) + 0.8 / 0.96.squareRoot()) < 1e-6)
    #expect(
      try DurableFiles.readText(fixture.output + "/state.yaml") == "names: \(fitted.names.count)\n")
    // A log that replaces this one takes its text away too.
    _ = try fixture.convert([fixture.folder.path + "/log.csv"], impressionMapping())
    #expect(!DurableFiles.exists(fixture.output + "/state.yaml"))
  }

  @Test("decisions after the window have no state, and leave no feedback behind")
  func afterWindow() throws {
    let fixture = try ConversionFixture()
    var mapping = impressionMapping()
    mapping.windowEndMilliseconds = 3_600_000 * 7
    _ = try fixture.convert(
      [fixture.file("log.csv", csv("user,ms,item,play,click\n", hours))], mapping)
    #expect(try LogValidation(of: SessionLogFolder(path: fixture.output)).isValid())
    let report = try convert(
      fixture, hours, StateFilling(definition: requests), mapping: mapping)
    #expect(report.decisions == 7 && report.feedback == 7)
    #expect(report.dropped == ["decision_without_state": 3, "feedback_without_state": 3])
    let log = try SessionLogFolder(path: fixture.output)
    #expect(log.schema.windowEndMilliseconds == mapping.windowEndMilliseconds)
    #expect(try LogValidation(of: log).isValid(strictly: true))
    #expect(
      try fixture.lines("feedback.jsonl").allSatisfy { line in
        (0..<7).contains { line.contains("\"i\($0)\"") }
      })
  }

  @Test("a folder that stands where the first log would go is not touched")
  func otherFolder() throws {
    let fixture = try ConversionFixture()
    let other = fixture.output + "-without-states"
    try DurableFiles.makeFolders(other)
    try DurableFiles.write("mine", to: other + "/schema.json")
    let filling = StateFilling(definition: requests)
    #expect(throws: SessionLogError.alreadyThere(folder: other)) {
      try convert(fixture, hours, filling, spill: false)
    }
    #expect(try DurableFiles.readText(other + "/schema.json") == "mine")
    #expect(!DurableFiles.exists(fixture.output + "/schema.json"))
    try DurableFiles.remove(other)
    #expect(try convert(fixture, hours, filling, spill: false).decisions == 10)
    #expect(!DurableFiles.exists(other))
  }

  @Test("what a definition needs and there is not is told before a row is read")
  func checksFirst() throws {
    let fixture = try ConversionFixture()
    var definition = requests
    let rows = (0..<5000).map { "u,\($0),a,0,0" }
    func refused(_ states: StateFilling, _ text: String) throws {
      let error = #expect(throws: StateReplayError.self) {
        try convert(fixture, rows, states) { _ in Issue.record("rows were read") }
      }
      #expect(error?.description.contains(text) == true, "\(String(describing: error))")
    }
    definition.history.behaviors = ["zeal"]
    try refused(StateFilling(definition: definition), "a behavior “zeal”")
    definition = requests
    definition.profile = [ProfileFeature(name: "level")]
    try refused(StateFilling(definition: definition), "a table of profiles")
    let profiles = try fixture.file("users.csv", "user_id,level\nu,high\nv,low\nw,3\n")
    try refused(
      StateFilling(definition: definition, profiles: profiles),
      "users.csv: numbers in column “level” expected, found “high” and 1 more")
  }
}
