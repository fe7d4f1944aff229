package import EmbeddedAnalytics
package import FusionMDP

/// A decision of a log with the state that a service would have had.
package struct ReplayedDecision {
  /// The line of `decisions.jsonl`, from 0.
  package let id: Int64
  package let requestID: String
  package let timeMilliseconds: Int64
  /// The state [S].
  package let state: [Float]
  /// The carried columns `carried_0` … stand in this row of the chunk.
  package let chunk: ColumnarResult
  package let row: Int
}

/// Builds the states of a log that has none from the users' earlier feedback.
///
/// The state of a decision at time t takes in
/// * feedback with event time < t *and* arrival time < t, of requests earlier than t: never what
///   happened before but was not known, nor the feedback on the decision's own list;
/// * the latest row of the user's profile with `time_ms` < t;
/// * of each item the latest row with `time_ms` before its feedback became known;
/// * the requests before t.
///
/// Feedback that `LogTables` leaves out (orphans, late, repeated …) is left out here.
///
/// The engine merges decisions, feedback and profiles into one stream ordered by user and by when
/// each became known, spilling what memory does not hold; a row costs O(1) here, and one user is held
/// at a time. Users come in the order of their ids, decisions of a user in the order of time.
package struct StateReplay {
  package let tables: LogTables
  let definition: StateDefinition
  let profiles: SideTable?
  let items: SideTable?

  /// A replay over the tables of a log.
  /// - Parameters:
  ///   - profiles: the file of user profiles: `user_id`, the declared columns, maybe `time_ms`.
  ///   - items: the file of items: `item_id`, the declared column of topics, maybe `time_ms`.
  ///   - userKey: what the profiles call `user_id`.
  ///   - itemKey: what the items call `item_id`.
  /// - Throws: `StateDefinitionError`, `StateReplayError`, `AnalyticsError`.
  package init(
    _ definition: StateDefinition, tables: LogTables, profiles: String? = nil,
    items: String? = nil, userKey: String = "user_id", itemKey: String = "item_id"
  ) throws {
    try StateReplay.check(
      definition, log: tables.log.path, signals: tables.signals, hasProfiles: profiles != nil,
      hasItems: items != nil)
    self.definition = definition
    self.tables = tables
    self.profiles = try StateReplay.profiles(
      profiles, key: userKey, definition, in: tables.database)
    self.items = try StateReplay.items(items, key: itemKey, definition, in: tables.database)
  }

  /// Holds a definition against what its states are made from.
  /// - Parameters:
  ///   - log: what an error names.
  ///   - signals: what the log's feedback holds.
  static func check(
    _ definition: StateDefinition, log: String, signals: [String], hasProfiles: Bool,
    hasItems: Bool
  ) throws {
    try definition.check()
    if !definition.profile.isEmpty, !hasProfiles {
      throw StateReplayError(
        table: log, expected: "a table of profiles, which the state declares", found: "none")
    }
    if definition.history.topics != nil, !hasItems {
      throw StateReplayError(
        table: log, expected: "a table of items, whose topics the state declares", found: "none")
    }
    for name in behaviorNames(of: definition) where !signals.contains(name) {
      throw StateReplayError(
        table: log, expected: "a behavior “\(name)”, which the state declares",
        found: signals.joined(separator: ", "))
    }
  }

  /// The table of profiles, whose declared columns hold what is declared.
  static func profiles(
    _ path: String?, key: String, _ definition: StateDefinition, in database: AnalyticsDatabase
  ) throws -> SideTable? {
    try path.map {
      try SideTable(
        path: $0, key: key, holding: definition.profile.map { ($0.name, $0.type.engineType) },
        in: database)
    }
  }

  /// The table of items, with its column of topics.
  static func items(
    _ path: String?, key: String, _ definition: StateDefinition, in database: AnalyticsDatabase
  ) throws -> SideTable? {
    try path.map {
      try SideTable(
        path: $0, key: key,
        holding: definition.history.topics.map { [($0.column, "VARCHAR")] } ?? [], in: database)
    }
  }

  private var behaviorNames: [String] { Self.behaviorNames(of: definition) }

  /// The behaviors that interactions hold, as ``StateEncoder/behaviorNames``.
  private static func behaviorNames(of definition: StateDefinition) -> [String] {
    var names = definition.history.behaviors
    for name in definition.session.signals
    where !names.contains(name) && name != "play_minutes" && name != "play_integrity" {
      names.append(name)
    }
    return names
  }

  /// Hands over the decisions one by one with their states.
  /// - Parameter carrying: expressions over the decision's row `x` of `decisions`, which the engine
  ///   hands through as `carried_0` ….
  /// - Parameter progress: called often; may throw to stop.
  /// - Throws: `StateDefinitionError` for a definition that is not fitted, `AnalyticsError`, and
  ///   what `progress` and `body` throw.
  package func forEachDecision(
    carrying: [String] = [], progress: () throws -> Void = {},
    _ body: (ReplayedDecision) throws -> Void
  ) throws {
    var replay = UserReplay(try StateEncoder(definition))
    try forEachEvent(carrying: carrying, progress: progress) { event in
      switch event {
      case .profile(let user, let values):
        replay.begin(user: user)
        try replay.update(profile: values)
      case .feedback(let user, _, let interaction):
        replay.begin(user: user)
        replay.record(interaction)
      case .decision(let user, let decision):
        replay.begin(user: user)
        let state = replay.decide(at: decision.time, impressions: decision.impressions)
        try body(
          ReplayedDecision(
            id: decision.id, requestID: decision.requestID, timeMilliseconds: decision.time,
            state: state, chunk: decision.chunk, row: decision.row))
      }
    }
  }

  /// The definition with what the data gives: means and most frequent words, then the scale of the
  /// features, all from decisions before `end` and from what was known by then.
  ///
  /// It reads the log once for each of the two that is missing.
  /// - Parameters:
  ///   - end: the end of the training window, in milliseconds since 1970.
  ///   - progress: called often; may throw to stop.
  /// - Throws: as ``forEachDecision(carrying:progress:_:)``; `StateReplayError` without such a
  ///   decision.
  package func fitted(
    before end: Int64, progress: () throws -> Void = {}
  ) throws -> StateDefinition {
    var fit = StateFit(definition)
    var (user, profile) = ("", Self.missing(definition))
    var decisions = 0
    try forEachEvent(progress: progress) { event in
      switch event {
      case .profile(let other, let values): (user, profile) = (other, values)
      case .feedback(_, let known, let interaction):
        if known < end { fit.add(topic: interaction.topic) }
      case .decision(let other, let decision):
        if other != user { (user, profile) = (other, Self.missing(definition)) }
        guard decision.time < end else { return }
        decisions += 1
        try fit.add(profile: profile)
      }
    }
    guard decisions > 0 else {
      throw StateReplayError(
        table: tables.log.path, expected: "a decision before \(end) ms, the end of training",
        found: "none")
    }
    var fitted = fit.fitted
    guard fitted.normalization == .standard, fitted.statistics == nil else { return fitted }
    fitted.normalization = .none
    var moments = StateMoments(stateSize: fitted.names.count)
    try StateReplay(copying: self, fitted).forEachDecision(progress: progress) { decision in
      if decision.timeMilliseconds < end { moments.add(decision.state) }
    }
    fitted.normalization = .standard
    fitted.statistics = moments.normalizer
    return fitted
  }

  /// The same replay with another definition of the same columns.
  package init(copying other: StateReplay, _ definition: StateDefinition) {
    self.definition = definition
    tables = other.tables
    profiles = other.profiles
    items = other.items
  }

  private static func missing(_ definition: StateDefinition) -> [ProfileValue] {
    definition.profile.map { _ in .missing }
  }
}

extension StateReplay {
  private struct Decision {
    let id: Int64
    let requestID: String
    let time: Int64
    let impressions: Int
    let chunk: ColumnarResult
    let row: Int
  }

  private enum Event {
    case decision(String, Decision)
    case feedback(String, known: Int64, Interaction)
    case profile(String, [ProfileValue])
  }

  private func forEachEvent(
    carrying: [String] = [], progress: () throws -> Void, _ body: (Event) throws -> Void
  ) throws {
    let columns = try profileColumns()
    try tables.database.forEachChunk(eventsSQL(carrying: carrying, columns)) { chunk in
      try progress()
      let (users, kinds) = (try chunk.strings("user_id"), try chunk.int64s("kind"))
      let (ids, requests) = (try chunk.int64s("id"), try chunk.strings("request_id"))
      let (known, times) = (try chunk.int64s("known_ms"), try chunk.int64s("time_ms"))
      let requestTimes = try chunk.int64s("request_ms")
      let impressions = try chunk.int64s("impressions")
      let (seconds, integrity) = (
        try chunk.floats("play_seconds"), try chunk.floats("play_integrity")
      )
      let behaviors = try behaviorNames.indices.map { try chunk.floats("behavior_\($0)") }
      let (topic, topics) = (try chunk.column("topic"), try chunk.strings("topic"))
      let profile = try columns.map { try chunk.column($0.name) }
      for row in 0..<chunk.rowCount {
        switch kinds[row] {
        case 0:
          let decision = Decision(
            id: ids[row], requestID: requests[row], time: times[row],
            impressions: Int(impressions[row]), chunk: chunk, row: row)
          try body(.decision(users[row], decision))
        case 1:
          let interaction = Interaction(
            timeMilliseconds: times[row], requestTimeMilliseconds: requestTimes[row],
            playSeconds: seconds[row], playIntegrity: integrity[row],
            behaviors: behaviors.map { $0[row] }, topic: topic.isNull(row) ? nil : topics[row])
          try body(.feedback(users[row], known: known[row], interaction))
        default:
          try body(.profile(users[row], profile.map { $0.profileValue(row) }))
        }
      }
    }
  }

  /// The declared columns of the profile table: their name in the stream and their value.
  private func profileColumns() throws -> [(name: String, sql: String)] {
    guard let profiles else { return [] }
    return try definition.profile.enumerated().map { index, feature in
      let column = try profiles.column(feature.name)
      let sql =
        switch feature.type {
        case .number: "CAST(\(column) AS DOUBLE)"
        case .boolean: "CAST(CAST(\(column) AS BOOLEAN) AS DOUBLE)"
        case .category: "CAST(\(column) AS VARCHAR)"
        }
      return ("profile_\(index)", sql)
    }
  }

  /// Decisions (kind 0), feedback (1) and profiles (2) in the order in which they became known; of
  /// the same millisecond decisions come first, so that they see what is strictly older.
  private func eventsSQL(
    carrying: [String], _ profile: [(name: String, sql: String)]
  ) throws -> String {
    let behaviors = behaviorNames.indices.map { "behavior_\($0)" }
    let carried = carrying.indices.map { "carried_\($0)" }
    func nulls(_ names: [String]) -> String { names.map { ", NULL AS \($0)" }.joined() }
    func values(_ sql: [String], _ names: [String]) -> String {
      zip(sql, names).map { ", \($0) AS \($1)" }.joined()
    }
    let signals = try behaviorNames.map { "f.signal_\(try signal($0))" }
    var branches = [
      """
      SELECT x.user_id, x.time_ms AS known_ms, 0 AS kind, d.id, d.request_id, x.time_ms,
        NULL::BIGINT AS request_ms, d.item_count AS impressions, NULL::FLOAT AS play_seconds,
        NULL::FLOAT AS play_integrity, NULL::VARCHAR AS topic\(nulls(behaviors))
        \(values(carrying, carried))\(nulls(profile.map(\.name)))
      FROM kept_decisions d JOIN decisions x ON x.rowid = d.id
      """,
      """
      SELECT f.user_id, f.known_ms, 1, f.id, NULL, f.time_ms, f.request_ms, NULL,
        f.play_time_seconds, f.signal_1, \(hasTopics ? "i.topic" : "NULL")\
      \(values(signals, behaviors))
        \(nulls(carried))\(nulls(profile.map(\.name)))
      FROM (SELECT j.*, d.user_id, d.time_ms AS request_ms,
          greatest(j.time_ms, j.arrival_time_ms, d.time_ms) AS known_ms
        FROM judged_feedback j JOIN kept_decisions d ON j.decision_id = d.id
        WHERE j.verdict IS NULL) f \(try itemsJoin())
      """,
    ]
    if let profiles {
      branches.append(
        """
        SELECT \(profiles.keySQL), coalesce(\(profiles.timeSQL), \(-LogWindow.longest)), 2, 0, NULL,
          0, NULL, NULL, NULL, NULL, NULL\(nulls(behaviors))\(nulls(carried))
          \(values(profile.map(\.sql), profile.map(\.name)))
        FROM \(profiles.relation) t
        SEMI JOIN kept_decisions d ON \(profiles.keySQL) = d.user_id
        """)
    }
    return branches.joined(separator: "\nUNION ALL\n")
      + "\nORDER BY user_id, known_ms, kind, time_ms, id"
  }

  private func signal(_ name: String) throws(StateReplayError) -> Int {
    guard let index = tables.signals.firstIndex(of: name) else {
      throw StateReplayError(
        table: tables.log.path, expected: "a behavior “\(name)”",
        found: tables.signals.joined(separator: ", "))
    }
    return index
  }

  private var hasTopics: Bool { items != nil && definition.history.topics != nil }

  private func itemsJoin() throws -> String {
    guard let items, let topics = definition.history.topics else { return "" }
    let topic = try items.column(topics.column)
    let table = """
      (SELECT \(items.keySQL) AS item_id, \(items.timeSQL) AS since_ms,
        CAST(\(topic) AS VARCHAR) AS topic FROM \(items.relation) t) i
      """
    return items.isTimed
      ? "ASOF LEFT JOIN \(table) ON f.item_id = i.item_id AND f.known_ms > i.since_ms"
      : "LEFT JOIN \(table) ON f.item_id = i.item_id"
  }
}

extension ResultColumn {
  /// A value of the profile: a number or a word.
  fileprivate func profileValue(_ row: Int) -> ProfileValue {
    if isNull(row) { return .missing }
    return switch values {
    case .doubles(let numbers): .number(numbers[row])
    case .strings(let words): .text(words[row])
    default: .missing
    }
  }
}

extension ProfileFeature.Kind {
  /// What the engine reads such a column as.
  fileprivate var engineType: String {
    switch self {
    case .number: "DOUBLE"
    case .boolean: "BOOLEAN"
    case .category: "VARCHAR"
    }
  }
}
