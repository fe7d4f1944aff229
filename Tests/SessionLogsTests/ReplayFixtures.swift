import DurableFiles
import EmbeddedAnalytics
import FusionMDP
import SeededRandom
import SessionLogs

/// Random logs for replays, the states of replays of several kinds, and what a decision may know.
enum ReplayFixture {
  static let minute: Int64 = 60_000

  /// A definition that reads everything that a log can leak through.
  static let definition = StateDefinition(
    profile: [ProfileFeature(name: "level", value: -1)],
    history: HistoryFeatures(
      behaviors: ["click", "skip"], windows: [.init(interactions: 3), .init(interactions: 500)],
      times: [.playIntegrity, .playSeconds, .logSpanHours], decays: [0.5],
      topics: .init(window: 5, values: ["a", "b"]), recency: ["click"]),
    session: SessionFeatures(
      features: SessionFeatures.Feature.allCases, signals: ["play_minutes", "click"]))

  /// Two users with a few sessions; feedback that is quick, late, and sometimes clocked too early.
  static func log(_ stream: inout RandomStream, requests: Int = 14) -> RecordedLog {
    var log = RecordedLog()
    for user in ["u1", "u2"] {
      var time: Int64 = 1_700_000_000_000
      for _ in 0..<requests {
        time += 1 + Int64(stream.uniform() * Double(stream.uniform() < 0.2 ? 90 : 6)) * minute
        let count = 1 + stream.index(below: 3)
        log.decisions.append(.init(user: user, timeMilliseconds: time, impressions: count))
        for _ in 0..<count {
          let happened = time + Int64(stream.uniform(in: -1...8)) * minute
          let delay = Int64(stream.uniform() < 0.3 ? stream.uniform(in: 0...40) : 0) * minute
          log.feedback.append(
            .init(
              user: user, arrivalMilliseconds: max(happened, time - 5 * minute) + delay,
              interaction: interaction(&stream, at: happened, request: time)))
        }
        if stream.uniform() < 0.4 {
          log.profiles.append(
            .init(
              user: user, timeMilliseconds: time + Int64(stream.index(below: 5)) * minute,
              values: [.number(Double(stream.index(below: 50)))]))
        }
      }
    }
    return log
  }

  static func interaction(
    _ stream: inout RandomStream, at time: Int64, request: Int64
  ) -> Interaction {
    Interaction(
      timeMilliseconds: time, requestTimeMilliseconds: request,
      playSeconds: Float(stream.index(below: 90)), playIntegrity: 0.5,
      behaviors: [Float(stream.index(below: 2)), Float(stream.index(below: 2))],
      topic: ["a", "b", "c"][stream.index(below: 3)])
  }

  /// The log with all that is not yet known at a time changed or erased.
  static func changed(
    _ log: RecordedLog, from now: Int64, user: String, _ stream: inout RandomStream
  ) -> RecordedLog {
    var result = log
    result.decisions.removeAll { $0.user == user && $0.timeMilliseconds > now }
    result.profiles = log.profiles.compactMap { row in
      var row = row
      guard row.user == user, (row.timeMilliseconds ?? 0) >= now else { return row }
      row.values = [.number(777)]
      return stream.uniform() < 0.5 ? row : nil
    }
    result.feedback = log.feedback.compactMap { item in
      var item = item
      guard item.user == user, !isKnown(item, at: now) else { return item }
      item.interaction.behaviors = [1, 1]
      item.interaction.playSeconds += 1000
      return stream.uniform() < 0.5 ? item : nil
    }
    return result
  }

  /// The rule in words of its own: it happened before, it arrived before, and it answers an earlier
  /// request.
  static func isKnown(_ item: RecordedLog.Feedback, at now: Int64) -> Bool {
    item.interaction.timeMilliseconds < now && item.arrivalMilliseconds < now
      && item.interaction.requestTimeMilliseconds < now
  }

  /// A decision whose state changes with the future under a replay; nil if there is none.
  static func leak(
    in log: RecordedLog, _ stream: inout RandomStream,
    _ states: (RecordedLog) throws -> [[Float]]
  ) rethrows -> Int? {
    let before = try states(log)
    for (index, decision) in log.decisions.enumerated() {
      let other = changed(
        log, from: decision.timeMilliseconds, user: decision.user, &stream)
      let after = try states(other)
      let kept = log.decisions.indices.filter { place in
        let item = log.decisions[place]
        return item.user != decision.user || item.timeMilliseconds <= decision.timeMilliseconds
      }
      for (place, old) in kept.enumerated()
      where before[old].map(\.bitPattern) != after[place].map(\.bitPattern) {
        return index
      }
    }
    return nil
  }

  /// What a careless replay does.
  enum Leak: CaseIterable {
    case ignoresArrival
    case usesOwnFeedback
    case usesWholeSession
    case usesLatestProfile
  }

  /// A replay written a second time as a service lives it: one clock over all users, a context a
  /// user, feedback appended when it arrives; or carelessly.
  static func online(
    _ log: RecordedLog, leak: Leak? = nil, encoder: StateEncoder
  ) throws -> [[Float]] {
    typealias Event = (time: Int64, kind: Int, inner: Int64, id: Int)
    var events: [Event] = log.decisions.enumerated().map {
      ($1.timeMilliseconds, 1, $1.timeMilliseconds, $0)
    }
    for (id, item) in log.feedback.enumerated() {
      let happened = item.interaction.timeMilliseconds
      let request = item.interaction.requestTimeMilliseconds
      // A millisecond later it is known to whoever asks then.
      var known = max(happened, item.arrivalMilliseconds, request) + 1
      if leak == .ignoresArrival { known = max(happened, request) + 1 }
      if leak == .usesOwnFeedback { known = request }
      if leak == .usesWholeSession { known = min(known, request + minute) }
      events.append((known, 0, happened, id))
    }
    for (id, row) in log.profiles.enumerated() {
      let time = leak == .usesLatestProfile ? 0 : (row.timeMilliseconds ?? -1) + 1
      events.append((time, -1, row.timeMilliseconds ?? 0, id))
    }
    events.sort { $0 < $1 }
    var users: [String: UserContext] = [:]
    var states = [[Float]](repeating: [], count: log.decisions.count)
    for event in events {
      switch event.kind {
      case 1:
        let decision = log.decisions[event.id]
        users[decision.user, default: UserContext(using: encoder)].appendState(
          at: decision.timeMilliseconds, using: encoder, to: &states[event.id])
        users[decision.user]?.recordRequest(
          at: decision.timeMilliseconds, impressions: decision.impressions)
      case 0:
        let item = log.feedback[event.id]
        users[item.user, default: UserContext(using: encoder)].record(
          item.interaction, using: encoder)
      default:
        let row = log.profiles[event.id]
        users[row.user, default: UserContext(using: encoder)].profile =
          try encoder.profile(row.values)
      }
    }
    return states
  }
}

extension ReplayFixture {
  /// Writes the log to files and replays it with the engine; states in the order of the decisions.
  static func engine(
    _ log: RecordedLog, definition: StateDefinition = definition, in folder: String
  ) throws -> [[Float]] {
    let replay = try opened(log, definition: definition, in: folder)
    var states = [[Float]](repeating: [], count: log.decisions.count)
    try replay.forEachDecision { states[Int($0.id)] = $0.state }
    return states
  }

  static func opened(
    _ log: RecordedLog, definition: StateDefinition = definition, in folder: String
  ) throws -> StateReplay {
    let requests = Dictionary(
      uniqueKeysWithValues: log.decisions.enumerated().map {
        ("\($1.user) \($1.timeMilliseconds)", $0)
      })
    var shown = [[String]](repeating: [], count: log.decisions.count)
    var feedback: [FeedbackEvent] = []
    var items = "item_id,topic\n"
    for (number, item) in log.feedback.enumerated() {
      let interaction = item.interaction
      guard let request = requests["\(item.user) \(interaction.requestTimeMilliseconds)"] else {
        continue
      }
      items += "i\(number),\(interaction.topic ?? "")\n"
      feedback.append(
        FeedbackEvent(
          requestID: "r\(request)", userID: item.user, itemID: "i\(number)",
          position: shown[request].count, timeMilliseconds: interaction.timeMilliseconds,
          arrivalTimeMilliseconds: item.arrivalMilliseconds,
          playTimeSeconds: interaction.playSeconds, durationSeconds: interaction.playSeconds * 2,
          behaviors: [interaction.behaviors[0], 0, interaction.behaviors[1]]))
      shown[request].append("i\(number)")
    }
    let decisions = log.decisions.enumerated().map { index, item in
      // What got no feedback was shown too.
      let rest = (shown[index].count..<max(item.impressions, shown[index].count))
        .map { "n\(index)-\($0)" }
      return smallDecision(
        "r\(index)", user: item.user, at: item.timeMilliseconds, shown: shown[index] + rest)
    }
    let written = try writeLog(folder + "/log", decisions, feedback)
    try DurableFiles.write(items, to: folder + "/items.csv")
    var profiles = "user_id,time_ms,level\n"
    for row in log.profiles {
      if case .number(let level) = row.values[0] {
        profiles += "\(row.user),\(row.timeMilliseconds ?? 0),\(level)\n"
      }
    }
    try DurableFiles.write(profiles, to: folder + "/users.csv")
    return try StateReplay(
      definition,
      tables: LogTables(
        of: written, in: AnalyticsDatabase(),
        window: LogWindow(feedbackDeadlineMinutes: 1e6), withStates: false),
      profiles: folder + "/users.csv", items: folder + "/items.csv")
  }
}
