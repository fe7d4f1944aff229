import DurableFiles
import EmbeddedAnalytics
import Foundation
import FusionMDP
import SeededRandom
import SessionLogs
import Testing

@Suite("states of logs that have none")
struct StateReplayTests {
  private typealias Fixture = ReplayFixture

  private func encoder() throws -> StateEncoder { try StateEncoder(Fixture.definition) }

  /// One profile row a user and time, as a table has it.
  private func log(_ stream: inout RandomStream) -> RecordedLog {
    var log = Fixture.log(&stream)
    var seen = Set<String>()
    log.profiles.removeAll { !seen.insert("\($0.user) \($0.timeMilliseconds ?? 0)").inserted }
    return log
  }

  @Test("no state changes when anything changes that was not yet known")
  func noLeak() throws {
    let encoder = try encoder()
    var stream = RandomStream(seed: 31, name: "leak")
    for _ in 0..<20 {
      let log = log(&stream)
      let found = try Fixture.leak(in: log, &stream) { try $0.states(encoder) }
      #expect(found == nil)
    }
  }

  @Test("a careless replay is caught, whatever it looks at", arguments: ReplayFixture.Leak.allCases)
  func mutation(leak: ReplayFixture.Leak) throws {
    let encoder = try encoder()
    var stream = RandomStream(seed: 32, name: "mutation")
    let log = log(&stream)
    let found = try Fixture.leak(in: log, &stream) {
      try Fixture.online($0, leak: leak, encoder: encoder)
    }
    #expect(found != nil)
    let careful = try Fixture.leak(in: log, &stream) {
      try Fixture.online($0, encoder: encoder)
    }
    #expect(careful == nil)
  }

  @Test("the engine's replay of files does not leak either")
  func engineLeak() throws {
    var stream = RandomStream(seed: 33, name: "engine")
    var log = log(&stream)
    log.decisions = log.decisions.filter { $0.user == "u1" }
    log.feedback = log.feedback.filter { $0.user == "u1" && isWritable($0) }
    log.profiles = log.profiles.filter { $0.user == "u1" }
    let found = try Fixture.leak(in: log, &stream) { changed in
      let folder = try TemporaryFolder()
      return try Fixture.engine(changed, in: folder.path)
    }
    #expect(found == nil)
  }

  /// The log's format has no arrival before the event.
  private func isWritable(_ item: RecordedLog.Feedback) -> Bool {
    item.arrivalMilliseconds >= item.interaction.timeMilliseconds
  }

  @Test("online, replayed in memory and replayed from files: the same bits")
  func parity() throws {
    let encoder = try encoder()
    var stream = RandomStream(seed: 34, name: "parity")
    for _ in 0..<5 {
      var log = log(&stream)
      let online = try Fixture.online(log, encoder: encoder).map { $0.map(\.bitPattern) }
      let replayed = try log.states(encoder).map { $0.map(\.bitPattern) }
      #expect(replayed == online)
      // From files: play integrity follows from play time and duration, and is 0 for none.
      log.feedback.removeAll { !isWritable($0) }
      for index in log.feedback.indices {
        let seconds = log.feedback[index].interaction.playSeconds
        log.feedback[index].interaction.playIntegrity = seconds > 0 ? 0.5 : 0
        // Minutes are what the engine hands over.
        log.feedback[index].interaction.playSeconds = seconds / 60 * 60
      }
      let folder = try TemporaryFolder()
      let expected = try Fixture.online(log, encoder: encoder).map { $0.map(\.bitPattern) }
      let read = try Fixture.engine(log, in: folder.path).map { $0.map(\.bitPattern) }
      #expect(read == expected)
    }
  }

  @Test("a planted future: each kind of it stays out of one decision and comes into the next")
  func planted() throws {
    let definition = StateDefinition(
      history: HistoryFeatures(behaviors: ["click"], windows: [], totals: [.logCount]),
      session: SessionFeatures(features: [], signals: []))
    let encoder = try StateEncoder(definition)
    func count(_ happened: Int64, _ arrived: Int64, request: Int64) throws -> [Float] {
      let log = RecordedLog(
        decisions: [100, 200, 300].map {
          .init(user: "u", timeMilliseconds: $0, impressions: 1)
        },
        feedback: [
          .init(
            user: "u", arrivalMilliseconds: arrived,
            interaction: Interaction(
              timeMilliseconds: happened, requestTimeMilliseconds: request, playSeconds: 1,
              playIntegrity: 1, behaviors: [1]))
        ])
      return try log.states(encoder).map { exp($0[0]).rounded() - 1 }
    }
    #expect(try count(150, 199, request: 100) == [0, 1, 1])
    #expect(try count(150, 200, request: 100) == [0, 0, 1])  // arrives in the same millisecond
    #expect(try count(150, 250, request: 100) == [0, 0, 1])  // happened before, arrives after
    #expect(try count(250, 150, request: 100) == [0, 0, 1])  // a clock that runs ahead
    #expect(try count(150, 150, request: 200) == [0, 0, 1])  // on its own list, clocked too early
    #expect(try count(400, 400, request: 300) == [0, 0, 0])
  }

  /// The states of three requests beside a table of users and one of items, given as texts.
  private func replay(
    _ users: String, _ items: String, _ type: String = "csv"
  ) throws -> [[Float]] {
    let folder = try TemporaryFolder()
    let definition = StateDefinition(
      profile: [
        ProfileFeature(name: "level"), ProfileFeature(name: "vip", type: .boolean, value: 0.25),
        ProfileFeature(name: "city", type: .category, values: ["x"]),
      ],
      history: HistoryFeatures(
        behaviors: ["click"], windows: [], topics: .init(window: 4, values: ["old", "new"]),
        totals: []), session: SessionFeatures(features: [.requests], signals: []))
    let log = try writeLog(
      folder.path + "/log",
      [
        smallDecision("r1", at: 1000), smallDecision("r2", at: 2000),
        smallDecision("r3", at: 3000),
      ],
      [smallFeedback("r1", at: 1100, arrival: 1100), smallFeedback("r2", at: 2100, arrival: 2100)])
    try DurableFiles.write(users, to: folder.path + "/users.\(type)")
    try DurableFiles.write(items, to: folder.path + "/items.csv")
    var states: [[Float]] = []
    try StateReplay(
      definition,
      tables: LogTables(
        of: log, in: AnalyticsDatabase(), window: LogWindow(), withStates: false),
      profiles: folder.path + "/users.\(type)", items: folder.path + "/items.csv"
    ).forEachDecision(carrying: ["x.policy_version"]) { decision in
      let carried = try decision.chunk.strings("carried_0")
      #expect(carried[decision.row] == "p1")
      states.append(decision.state)
    }
    return states
  }

  @Test("items and profiles hold from their time on, and hold always without one")
  func sideTables() throws {
    let timed = try replay(
      "user_id,time_ms,level,vip,city\nu1,1000,1,true,x\nu1,1999,2,,y\nu1,9000,9,true,x\n",
      "item_id,time_ms,topic\na,0,old\na,1500,new\n")
    // level, vip, city=x, city=other, topic=old, topic=new, topic=other, requests
    #expect(timed[0] == [0, 0.25, 0, 0, 0, 0, 0, 0])
    #expect(timed[1] == [2, 0.25, 0, 1, 1, 0, 0, 1])
    #expect(timed[2] == [2, 0.25, 0, 1, 0.5, 0.5, 0, 2])
    let always = try replay(
      #"{"user_id":"u1","level":7,"vip":false,"city":"x"}"# + "\n", "item_id,topic\na,else\n",
      "jsonl")
    #expect(always[1] == [7, 0, 1, 0, 0, 0, 1, 1])
  }

  @Test("tables of users and items are refused by file, column and value")
  func badSideTables() throws {
    #expect(throws: StateReplayError.self) {
      try replay("user_id,level,vip,city\nu1,1,,\nu1,2,,\n", "item_id,topic\n")
    }
    #expect(throws: StateReplayError.self) { try replay("user_id,level\n", "item_id,topic\n") }
    for (users, items, text) in [
      (
        "user_id,level,vip,city\nu1,high,,\nu2,1,,\n", "item_id,topic\n",
        "users.csv: numbers in column “level” expected, found “high”"
      ),
      (
        "user_id,level,vip,city\nu1,1,perhaps,\n", "item_id,topic\n",
        "users.csv: true or false in column “vip” expected, found “perhaps”"
      ),
      (
        "user_id,time_ms,level,vip,city\nu1,soon,1,,\nu1,late,1,,\n", "item_id,topic\n",
        "users.csv: milliseconds in column “time_ms” expected, found “late” and 1 more"
      ),
      ("user_id,level,vip,city\n", "item_id,tag\n", "items.csv: a column “topic” expected"),
    ] {
      let error = #expect(throws: StateReplayError.self) { try replay(users, items) }
      #expect(error?.description.contains(text) == true, "\(String(describing: error))")
    }
    let damaged = #expect(throws: StateReplayError.self) {
      try replay("PAR1, and no more", "item_id,topic\n", "parquet")
    }
    #expect(damaged?.description.contains("users.parquet: a file that can be read") == true)
  }

  @Test("the fit sees the training window only")
  func fit() throws {
    var stream = RandomStream(seed: 35, name: "fit")
    let log = log(&stream)
    var definition = Fixture.definition
    definition.profile[0].missing = .mean
    definition.history.topics = .init(window: 5, top: 2)
    definition.normalization = .standard
    let end = log.decisions[7].timeMilliseconds
    var later = Fixture.changed(log, from: end, user: "u1", &stream)
    later = Fixture.changed(later, from: end, user: "u2", &stream)
    later.decisions.append(.init(user: "u1", timeMilliseconds: end + 99_999, impressions: 1))
    let fitted = try [log, later].map { log in
      var log = log
      log.feedback.removeAll { !isWritable($0) }
      let folder = try TemporaryFolder()
      return try Fixture.opened(log, definition: definition, in: folder.path).fitted(before: end)
    }
    #expect(fitted[0] == fitted[1])
    #expect(fitted[0].unfitted.isEmpty && fitted[0].history.topics?.values?.count == 2)
    let folder = try TemporaryFolder()
    var writable = log
    writable.feedback.removeAll { !isWritable($0) }
    let replay = try Fixture.opened(writable, definition: definition, in: folder.path)
    let longer = try replay.fitted(before: .max)
    #expect(longer != fitted[0])
    // Over its own window the fitted state has mean 0, where nothing is clipped.
    var (sum, count) = (Float(0), Float(0))
    let place = try #require(longer.names.firstIndex(of: "history_log_count"))
    try StateReplay(copying: replay, longer).forEachDecision {
      sum += $0.state[place]
      count += 1
    }
    #expect(abs(sum / count) < 1e-4)
  }

  @Test("play times in milliseconds reach the state with all their bits")
  func playSeconds() throws {
    // These, as minutes and back, round to other steps of log(1 + seconds).
    let seconds: [Float] = [243.662, 246.546, 487.831, 494.923, 495.65, 511.916]
    #expect(seconds.allSatisfy { $0 / 60 * 60 != $0 })
    let definition = StateDefinition(
      history: HistoryFeatures(
        behaviors: ["click"], windows: [.init(interactions: 1)], times: [.logWatchSeconds],
        totals: []),
      session: SessionFeatures(features: [.sums], signals: ["play_minutes"]))
    var recorded = RecordedLog()
    var events: [FeedbackEvent] = []
    for (index, play) in seconds.enumerated() {
      let time = 1000 + Int64(index) * 1000
      recorded.decisions.append(.init(user: "u1", timeMilliseconds: time, impressions: 2))
      recorded.feedback.append(
        .init(
          user: "u1", arrivalMilliseconds: time + 100,
          interaction: Interaction(
            timeMilliseconds: time + 100, requestTimeMilliseconds: time, playSeconds: play,
            playIntegrity: 1, behaviors: [0])))
      events.append(
        smallFeedback(
          "r\(index)", at: time + 100, arrival: time + 100, play: play, behaviors: [0, 0, 0]))
    }
    let folder = try TemporaryFolder()
    let log = try writeLog(
      folder.path + "/log",
      recorded.decisions.enumerated().map {
        smallDecision("r\($0)", at: $1.timeMilliseconds)
      }, events)
    var states: [[Float]] = []
    try StateReplay(
      definition,
      tables: LogTables(of: log, in: AnalyticsDatabase(), window: LogWindow(), withStates: false)
    ).forEachDecision { states.append($0.state) }
    let encoder = try StateEncoder(definition)
    #expect(try states == recorded.states(encoder))
    for index in recorded.feedback.indices {
      let minutes = recorded.feedback[index].interaction.playSeconds / 60
      recorded.feedback[index].interaction.playSeconds = minutes * 60
    }
    #expect(try states != recorded.states(encoder))
  }

  @Test("a schema holds the definition of its states with all bits, and refuses another's")
  func schemaDefinition() throws {
    let folder = try TemporaryFolder()
    var definition = Fixture.definition
    definition.normalization = .standard
    let size = definition.names.count
    definition.statistics = StateNormalizer(
      mean: (0..<size).map { Float($0) / 7 }, deviation: (0..<size).map { Float($0 + 1) / 3 })
    let schema = try LogSchema(stateNames: definition.names, stateDefinition: definition)
    let writer = try SessionLogWriter(folder: folder.path + "/log", schema: schema)
    #expect(try writer.finish().schema == schema)
    #expect(throws: SessionLogError.self) {
      try LogSchema(stateNames: definition.names.dropLast(), stateDefinition: definition)
    }
    definition.statistics = nil
    let error = #expect(throws: SessionLogError.self) {
      try LogSchema(stateNames: definition.names, stateDefinition: definition)
    }
    #expect(error?.description.contains("state_definition: statistics") == true)
  }
}
