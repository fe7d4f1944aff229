import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite("interaction history and state")
struct StateTests {
  static func response(_ stream: inout RandomStream) -> UserFeedback {
    let bits = stream.next()
    func bit(_ index: Int) -> Bool { bits >> UInt64(index) & 3 == 0 }
    return UserFeedback(
      playSeconds: Float(stream.uniform(in: 0...90)), durationSeconds: 60, click: bit(0),
      longView: bit(2), like: bit(4), follow: bit(6), comment: bit(8), forward: bit(10),
      hate: bit(12), profileEnter: bit(14), commentStay: bit(16))
  }

  /// The means computed over again in Double from a plain array.
  static func means(_ kept: ArraySlice<UserFeedback>) -> [Double] {
    var sums = [Double](repeating: 0, count: 13)
    for feedback in kept {
      for (index, behavior) in InteractionHistory.behaviors.enumerated() {
        sums[index] += Double(feedback.signals[behavior.index])
      }
      sums[11] += Double(feedback.playIntegrity)
      sums[12] += Foundation.log(1 + Double(feedback.playSeconds))
    }
    return sums.map { kept.isEmpty ? 0 : $0 / Double(kept.count) }
  }

  static func flat(_ means: InteractionHistory.Means) -> [Double] {
    (means.behaviors + [means.playIntegrity, means.logWatchSeconds]).map(Double.init)
  }

  @Test("the means follow the last 500 and the last 50 through fills and overwrites")
  func window() {
    var stream = RandomStream(seed: 21, name: "history")
    var history = InteractionHistory()
    var log: [UserFeedback] = []
    for total in 0...1203 {
      if [0, 1, 2, 49, 50, 51, 52, 499, 500, 501, 549, 550, 999, 1000, 1203].contains(total) {
        #expect(history.count == min(total, 500))
        #expect(history.recentCount == min(total, 50))
        #expect(history.totalCount == total)
        let expected = Self.means(log.suffix(500)) + Self.means(log.suffix(50))
        let found = Self.flat(history.means) + Self.flat(history.recentMeans)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 2e-4, "after \(total)") }
      }
      let feedback = Self.response(&stream)
      log.append(feedback)
      history.append(feedback)
    }
  }

  @Test("after a hundred thousand interactions the sums equal a recount bit for bit")
  func noDrift() {
    var stream = RandomStream(seed: 22, name: "drift")
    var history = InteractionHistory()
    for _ in 0..<100_000 { history.append(Self.response(&stream)) }
    #expect(history.recounted() == history)
    // The recount is able to differ: one more interaction changes the sums.
    var longer = history
    longer.append(Self.response(&stream))
    #expect(longer != history)
  }

  @Test("a hand-worked history of two interactions")
  func literals() {
    var history = InteractionHistory()
    history.append(UserFeedback(playSeconds: 1, durationSeconds: 4, like: true))
    history.append(UserFeedback(playSeconds: 7, durationSeconds: 7, click: true, like: true))
    let means = history.means
    #expect(means.behaviors == [0.5, 0, 1, 0, 0, 0, 0, 0, 0, 0.5, 0.5])
    #expect(abs(means.playIntegrity - 0.625) < 1e-5)
    // (log 2 + log 8) / 2 = 2·log 2
    #expect(abs(means.logWatchSeconds - 1.3862944) < 2e-4)
  }

  @Test("very long plays stay in range")
  func longPlay() {
    var history = InteractionHistory()
    history.append(UserFeedback(playSeconds: 1e9, durationSeconds: 1))
    #expect(abs(history.means.logWatchSeconds - 15.99976) < 1e-4)
    #expect(history.means.playIntegrity == 1)
  }

  @Test("the state is profile, then history, then session, and every feature has a name")
  func layout() {
    let encoder = StateEncoder(profileNames: ["age", "city"])
    #expect(encoder.stateSize == 48)
    #expect(encoder.names.count == 48)
    #expect(Set(encoder.names).count == 48)
    #expect(encoder.names[0...2] == ["age", "city", "history_click"])
    let history = InteractionHistory()
    let session = SessionContext(hourOfDay: 6, hoursSinceLastSession: nil)
    let state = encoder.encode(profile: [3, 4], history: history, session: session)
    #expect(state.count == 48)
    #expect(state[0...1] == [3, 4])
    #expect(state[2..<29].allSatisfy { $0 == 0 })
    func feature(_ name: String) -> Float? {
      encoder.names.firstIndex(of: name).map { state[$0] }
    }
    #expect(feature("session_is_first") == 1)
    #expect(feature("session_is_start") == 1)
    #expect(feature("hour_sine") == 1)
    #expect(abs((feature("hour_cosine") ?? 9)) < 1e-6)
    #expect(abs((feature("session_log_hours_since_last") ?? 0) - 6.580639) < 1e-5)  // log 721
  }

  @Test("the session part holds means an impression and counts of requests")
  func session() {
    let encoder = StateEncoder(profileSize: 0)
    var session = SessionContext(hourOfDay: 0, hoursSinceLastSession: 1)
    let like = UserFeedback(playSeconds: 60, durationSeconds: 120, click: true, like: true)
    let none = UserFeedback(playSeconds: 0, durationSeconds: 10)
    session.record(signals: UserFeedback.summedSignals([like, none]), impressions: 2)
    session.record(signals: UserFeedback.summedSignals([none, none]), impressions: 2)
    var history = InteractionHistory()
    for feedback in [like, none, none, none] { history.append(feedback) }
    let state = encoder.encode(profile: [], history: history, session: session)
    func feature(_ name: String) -> Float? {
      encoder.names.firstIndex(of: name).map { state[$0] }
    }
    #expect(feature("session_like") == 0.25)
    #expect(feature("session_skip") == 0.75)
    #expect(feature("session_play_minutes") == 0.25)
    #expect(feature("session_play_integrity") == 0.125)
    #expect(abs((feature("session_log_requests") ?? 0) - 1.0986123) < 1e-6)  // log 3
    #expect(abs((feature("session_log_hours_since_last") ?? 0) - 0.6931472) < 1e-6)
    #expect(feature("session_is_first") == 0)
    #expect(feature("session_is_start") == 0)
    #expect(feature("history_like") == 0.25)
    #expect(feature("recent_skip") == 0.75)
    #expect(abs((feature("history_log_count") ?? 0) - 1.609438) < 1e-6)  // log 5
    var joined: [Float] = [7]
    encoder.encode(profile: [], history: history, session: session, into: &joined)
    #expect(joined == [7] + state)
  }
}
