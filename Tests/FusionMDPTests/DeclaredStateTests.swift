import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite("declared states")
struct DeclaredStateTests {
  static let hour: Int64 = 3_600_000

  /// Everything that a history can tell, over windows that are short enough to wrap often.
  static let rich = StateDefinition(
    history: HistoryFeatures(
      behaviors: ["click", "like", "share", "skip", "a", "b", "c"],
      windows: [5, 20, 100, 500].map { .init(interactions: $0) }, statistics: [.rate, .count],
      times: [.playIntegrity, .logWatchSeconds, .playSeconds, .logSpanHours], decays: [1, 24],
      topics: .init(window: 20, values: ["cats", "cars"]), recency: ["like"]),
    session: SessionFeatures(signals: ["play_minutes", "like", "report"]))

  static func interaction(
    _ stream: inout RandomStream, _ encoder: StateEncoder, at time: Int64
  ) -> Interaction {
    let topics: [String?] = ["cats", "cars", "boats", nil]
    return Interaction(
      timeMilliseconds: time, requestTimeMilliseconds: time - 1,
      playSeconds: Float(stream.uniform(in: 0...100)), playIntegrity: Float(stream.uniform()),
      behaviors: encoder.behaviorNames.map { _ in stream.uniform() < 0.3 ? 1 : 0 },
      topic: topics[stream.index(below: 4)])
  }

  private func state(
    _ encoder: StateEncoder, _ context: UserContext, at time: Int64
  ) -> [String: Float] {
    var (copy, state) = (context, [Float]())
    copy.appendState(at: time, using: encoder, to: &state)
    return Dictionary(uniqueKeysWithValues: zip(encoder.names, state))
  }

  @Test("every sum equals its recount after each append, over all wraps of all windows")
  func recount() throws {
    for seed in 0..<4 {
      let encoder = try StateEncoder(Self.rich)
      var stream = RandomStream(seed: UInt64(seed), name: "recount")
      var context = UserContext(using: encoder)
      for step in 0..<1600 {
        context.record(
          Self.interaction(&stream, encoder, at: Int64(step) * 1000), using: encoder)
        #expect(context.history.recounted(encoder.layout) == context.history, "step \(step)")
      }
      #expect(context.history.count == 500 && context.history.totalCount == 1600)
    }
  }

  @Test("windows, topics and times equal a plain recomputation from all interactions")
  func plain() throws {
    let encoder = try StateEncoder(Self.rich)
    var stream = RandomStream(seed: 5, name: "plain")
    var context = UserContext(using: encoder)
    var all: [Interaction] = []
    for step in 0..<1100 {
      let time = Int64(step) * 90_000
      let next = Self.interaction(&stream, encoder, at: time)
      context.record(next, using: encoder)
      all.append(next)
      guard [0, 3, 4, 5, 19, 20, 21, 99, 100, 499, 500, 501, 1004, 1099].contains(step) else {
        continue
      }
      let now = time + Self.hour
      let found = state(encoder, context, at: now)
      for window in [5, 20, 100, 500] {
        let kept = all.suffix(window)
        let count = Float(kept.count)
        let likes = kept.count { $0.behaviors[1] > 0 }
        #expect(found["last_\(window)_count_like"] == Float(likes))
        #expect(found["last_\(window)_like"] == Float(likes) * (1 / count))
        let seconds = kept.reduce(0) { $0 + Double($1.playSeconds) } / Double(count)
        #expect(abs(Double(found["last_\(window)_play_seconds"] ?? -1) - seconds) < 2e-3)
        let span = Double(now - (kept.first?.timeMilliseconds ?? 0)) / 3_600_000
        #expect(abs(Double(found["last_\(window)_log_span_hours"] ?? -1) - log1p(span)) < 1e-4)
      }
      let topics = all.suffix(20).map(\.topic)
      for (name, topic) in [("cats", "cats"), ("cars", "cars"), ("other", "boats")] {
        let share = Float(topics.count { $0 == topic }) * (1 / Float(topics.count))
        #expect(found["topic=\(name)"] == share)
      }
      for hours in [1.0, 24] {
        func decayed(_ chosen: (Interaction) -> Bool) -> Double {
          all.filter(chosen).reduce(0) {
            $0 + exp2(-Double(time - $1.timeMilliseconds) / 3_600_000 / hours)
          }
        }
        let total = decayed { _ in true }
        let rate = decayed { $0.behaviors[0] > 0 } / total
        #expect(abs(Double(found["decay_\(Int(hours))h_click"] ?? -1) - rate) < 1e-6)
        let later = log1p(total * exp2(-1 / hours))
        #expect(abs(Double(found["decay_\(Int(hours))h_log_count"] ?? -1) - later) < 1e-5)
      }
      let like = all.last { $0.behaviors[1] > 0 }.map { Double(now - $0.timeMilliseconds) }
      let since = log1p(min((like ?? 1e12) / 3_600_000, 720))
      #expect(abs(Double(found["history_log_hours_since_like"] ?? -1) - since) < 1e-5)
    }
  }

  @Test("decayed rates by hand, and feedback that arrives out of order weighs by its event time")
  func decays() throws {
    let encoder = try StateEncoder(
      StateDefinition(
        history: HistoryFeatures(behaviors: ["like"], windows: [], decays: [2], totals: []),
        session: SessionFeatures(features: [], signals: [])))
    #expect(encoder.names == ["decay_2h_like", "decay_2h_log_count"])
    func event(_ hours: Int64, like: Float) -> Interaction {
      Interaction(
        timeMilliseconds: hours * Self.hour, requestTimeMilliseconds: 0, playSeconds: 0,
        playIntegrity: 0, behaviors: [like])
    }
    var ordered = UserContext(using: encoder)
    for item in [event(0, like: 1), event(2, like: 0), event(4, like: 0)] {
      ordered.record(item, using: encoder)
    }
    // Weights at hour 4: 1/4, 1/2, 1; at hour 6 half of them.
    let found = state(encoder, ordered, at: 6 * Self.hour)
    #expect(found["decay_2h_like"] == Float(0.25 / 1.75))
    #expect(abs((found["decay_2h_log_count"] ?? 0) - log1p(Float(0.875))) < 1e-7)
    var late = UserContext(using: encoder)
    for item in [event(4, like: 0), event(0, like: 1), event(2, like: 0)] {
      late.record(item, using: encoder)
    }
    #expect(state(encoder, late, at: 6 * Self.hour) == found)
  }

  @Test("profile features by type, with what a missing value becomes")
  func profile() throws {
    let declared: [ProfileFeature] = [
      ProfileFeature(name: "fans", log: true, missing: .mean, indicator: true, mean: 2.5),
      ProfileFeature(name: "author", type: .boolean, value: 0.5),
      ProfileFeature(name: "city", type: .category, indicator: true, values: ["B", "A"]),
      ProfileFeature(name: "device", type: .category, buckets: 4),
    ]
    let encoder = try StateEncoder(StateDefinition(profile: declared))
    #expect(
      encoder.names.prefix(11) == [
        "fans", "fans_missing", "author", "city=B", "city=A", "city=other", "city_missing",
        "device#0", "device#1", "device#2", "device#3",
      ])
    var device: [Float] = [0, 0, 0, 0]
    device[Int(stableHash("phone") % 4)] = 1
    let full = try encoder.profile([.number(-7), .number(1), .text("A"), .text("phone")])
    #expect(abs(full[0] + 2.0794415) < 1e-6)  // −log 8
    #expect(Array(full.dropFirst()) == [0, 1, 0, 1, 0, 0] + device)
    #expect(encoder.missingProfile == [2.5, 1, 0.5, 0, 0, 0, 1, 0, 0, 0, 0])
    #expect(try encoder.profile([.number(.nan), .missing, .text("X"), .missing])[5] == 1)
    #expect(throws: StateDefinitionError.self) {
      try encoder.profile([.text("many"), .missing, .missing, .missing])
    }
  }

  @Test("a fit takes means after the logarithm, frequent words with ties by name, and keeps givens")
  func fit() throws {
    let definition = StateDefinition(
      profile: [
        ProfileFeature(name: "fans", log: true, missing: .mean),
        ProfileFeature(name: "given", missing: .mean, mean: 9),
        ProfileFeature(name: "city", type: .category, top: 2),
      ], history: HistoryFeatures(topics: .init(top: 1)), normalization: .standard)
    #expect(
      definition.unfitted == [
        "profile.fans", "profile.city", "history.topics.values", "statistics",
      ])
    #expect(throws: StateDefinitionError.self) { try StateEncoder(definition) }
    var fit = StateFit(definition)
    for (fans, city) in [(0.0, "b"), (exp(2) - 1, "a"), (.nan, "c"), (0, "c")] {
      try fit.add(profile: [.number(fans), .number(1), .text(city)])
    }
    for topic in ["x", nil, "y", "y", nil, nil] { fit.add(topic: topic) }
    let fitted = fit.fitted
    #expect(abs((fitted.profile[0].mean ?? 0) - 2.0 / 3) < 1e-6)
    #expect(fitted.profile[1].mean == 9)
    #expect(fitted.profile[2].values == ["c", "a"])
    #expect(fitted.history.topics?.values == ["y"])
    #expect(fitted.unfitted == ["statistics"])
  }

  @Test("a fitted definition keeps its bits through JSON, and scales by its statistics")
  func stored() throws {
    var definition = Self.rich
    definition.profile = [ProfileFeature(name: "age", missing: .mean, mean: 0.1)]
    let raw = try StateEncoder(definition)
    definition.normalization = .standard
    definition.statistics = StateNormalizer(
      mean: [Float](repeating: 0.25, count: raw.stateSize),
      deviation: [Float](repeating: 0.5, count: raw.stateSize))
    let data = try JSONEncoder().encode(definition)
    #expect(try JSONDecoder().decode(StateDefinition.self, from: data) == definition)
    let scaling = try JSONDecoder().decode(StateEncoder.self, from: data)
    var (plain, scaled) = ([Float](), [Float]())
    var context = UserContext(using: raw)
    context.appendState(at: Self.hour, using: raw, to: &plain)
    context.appendState(at: Self.hour, using: scaling, to: &scaled)
    #expect(scaled == plain.map { min(max(($0 - 0.25) / 0.5, -5), 5) })
    #expect(scaled != plain)
  }

  @Test("topics that a packed interaction cannot tell apart are refused, of values too")
  func tooManyTopics() throws {
    func definition(_ count: Int) -> StateDefinition {
      StateDefinition(
        history: HistoryFeatures(
          behaviors: ["like"], windows: [], topics: .init(values: (0..<count).map { "t\($0)" }),
          totals: []))
    }
    let error = #expect(throws: StateDefinitionError.self) {
      try StateEncoder(definition(65_001))
    }
    #expect(error?.description.contains("history.topics.values") == true)
    #expect(error?.description.contains("at most 65000") == true, "\(String(describing: error))")
    let encoder = try StateEncoder(definition(65_000))
    var context = UserContext(using: encoder)
    for topic in ["t0", "t64999", "elsewhere", "elsewhere"] {
      context.record(
        Interaction(
          timeMilliseconds: 0, requestTimeMilliseconds: 0, playSeconds: 0, playIntegrity: 0,
          behaviors: [0], topic: topic), using: encoder)
    }
    let found = state(encoder, context, at: Self.hour)
    #expect(found["topic=t0"] == 0.25 && found["topic=t64999"] == 0.25)
    #expect(found["topic=other"] == 0.5)
  }

  @Test("an interaction that is none, and sums of other signals, stop the program")
  func brokenContracts() async {
    await #expect(processExitsWith: .failure) {
      _ = Interaction(
        timeMilliseconds: 0, requestTimeMilliseconds: 0, playSeconds: 1, playIntegrity: 1.2,
        behaviors: [])
    }
    await #expect(processExitsWith: .failure) {
      _ = Interaction(
        timeMilliseconds: 0, requestTimeMilliseconds: 0, playSeconds: .nan, playIntegrity: 0,
        behaviors: [])
    }
    await #expect(processExitsWith: .failure) {
      let encoder = try StateEncoder(StateDefinition())
      _ = encoder.encode(
        profile: [], history: encoder.emptyHistory(),
        session: SessionContext(hourOfDay: 0, hoursSinceLastSession: nil), at: 0)
    }
  }

  @Test("a session counts requests, knows its feedback only, and ends after the gap")
  func session() throws {
    let encoder = try StateEncoder(
      StateDefinition(
        history: HistoryFeatures(behaviors: ["like"], windows: [], totals: [.logHoursSinceLast]),
        session: SessionFeatures(
          features: [
            .requests, .impressions, .sums, .means, .minutes, .isFirst, .isStart,
            .logHoursSinceLast,
          ], signals: ["like", "play_minutes"], gapMinutes: 30)))
    var context = UserContext(using: encoder)
    let start = 100 * Self.hour
    #expect(state(encoder, context, at: start)["session_is_first"] == 1)
    var ignored: [Float] = []
    context.appendState(at: start, using: encoder, to: &ignored)
    context.recordRequest(at: start, impressions: 4)
    func like(at time: Int64, request: Int64) -> Interaction {
      Interaction(
        timeMilliseconds: time, requestTimeMilliseconds: request, playSeconds: 30,
        playIntegrity: 1, behaviors: [1])
    }
    context.record(like(at: start + 60_000, request: start), using: encoder)
    let second = state(encoder, context, at: start + 120_000)
    #expect(second["session_requests"] == 1 && second["session_impressions"] == 4)
    #expect(second["session_sum_like"] == 1 && second["session_like"] == 0.25)
    #expect(second["session_play_minutes"] == 0.125 && second["session_minutes"] == 2)
    // Thirty minutes after the feedback it is the same session, a millisecond more ends it.
    let edge = start + 60_000 + 30 * 60_000
    #expect(state(encoder, context, at: edge)["session_requests"] == 1)
    let next = state(encoder, context, at: edge + 1)
    #expect(next["session_requests"] == 0 && next["session_is_first"] == 0)
    #expect(abs((next["session_log_hours_since_last"] ?? 0) - log1p(Float(0.5))) < 1e-6)
    context.appendState(at: edge + 1, using: encoder, to: &ignored)
    context.recordRequest(at: edge + 1, impressions: 2)
    context.record(like(at: edge, request: start), using: encoder)
    #expect(state(encoder, context, at: edge + 2)["session_sum_like"] == 0)
  }

  @Test("what is wrong with a definition is told by its key")
  func errors() {
    func key(_ change: (inout StateDefinition) -> Void) -> String? {
      var definition = StateDefinition()
      change(&definition)
      do { try definition.check() } catch { return error.key }
      return nil
    }
    #expect(key { _ in } == nil)
    #expect(key { $0.history.windows = [.init(interactions: 501)] } == "history.windows")
    #expect(key { $0.history.behaviors = (0..<17).map { "b\($0)" } } == "history.behaviors")
    #expect(key { $0.history.behaviors = ["play_minutes"] } == "history.behaviors")
    #expect(key { $0.history.decays = [0] } == "history.decays")
    #expect(key { $0.history.recency = ["nothing"] } == "history.recency")
    #expect(key { $0.history.topics = .init(top: 3, buckets: 3) } == "history.topics")
    #expect(key { $0.session.gapMinutes = 0 } == "session.gap_minutes")
    #expect(key { $0.profile = [.init(name: "a"), .init(name: "a")] } == "state")
    #expect(key { $0.profile = [.init(name: "c", type: .category)] } == "profile.c")
    #expect(key { $0.profile = [.init(name: "x", type: .boolean, log: true)] } == "profile.x")
  }
}
