import FusionMDP
import SeededRandom
import Testing

@Suite("the platform's state")
struct StateTests {
  static func response(_ stream: inout RandomStream) -> UserFeedback {
    let bits = stream.next()
    func bit(_ index: Int) -> Bool { bits >> UInt64(index) & 3 == 0 }
    return UserFeedback(
      playSeconds: Float(stream.uniform(in: 0...90)), durationSeconds: 60, click: bit(0),
      longView: bit(2), like: bit(4), follow: bit(6), comment: bit(8), forward: bit(10),
      hate: bit(12), profileEnter: bit(14), commentStay: bit(16))
  }

  private let encoder = StateEncoder(profileSize: 0)

  private func feature(_ name: String, _ history: InteractionHistory) -> Float? {
    let state = encoder.encode(
      profile: [], history: history,
      session: SessionContext(hourOfDay: 0, hoursSinceLastSession: nil), at: 0)
    return encoder.names.firstIndex(of: name).map { state[$0] }
  }

  private func history(_ feedback: [UserFeedback]) -> InteractionHistory {
    var history = encoder.emptyHistory()
    for item in feedback { history.append(item, at: 0, layout: encoder.layout) }
    return history
  }

  @Test("the declared platform state has the bits of its plain description, through every wrap")
  func golden() {
    let encoder = StateEncoder(profileNames: ["age", "city"])
    var stream = RandomStream(seed: 21, name: "history")
    var history = encoder.emptyHistory()
    var reference = PlatformStateReference()
    var session = SessionContext(hourOfDay: 3.25, hoursSinceLastSession: nil)
    for total in 0...1203 {
      let profile = [Float(stream.uniform()), Float(total)]
      let found = encoder.encode(profile: profile, history: history, session: session, at: 77)
      let expected = reference.state(profile: profile, session: session)
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "after \(total)")
      let feedback = Self.response(&stream)
      history.append(feedback, at: Int64(total), layout: encoder.layout)
      reference.append(feedback)
      session.record(signals: feedback.signals, impressions: 1 + total % 3)
      if total % 17 == 0 {
        session = SessionContext(
          hourOfDay: Float(stream.uniform(in: 0...23.9)),
          hoursSinceLastSession: Float(stream.uniform(in: 0...900)))
      }
    }
  }

  @Test("a hand-worked history of two interactions")
  func literals() {
    let two = history([
      UserFeedback(playSeconds: 1, durationSeconds: 4, like: true),
      UserFeedback(playSeconds: 7, durationSeconds: 7, click: true, like: true),
    ])
    #expect(feature("history_click", two) == 0.5 && feature("history_like", two) == 1)
    #expect(feature("recent_finished", two) == 0.5 && feature("recent_skip", two) == 0.5)
    #expect(feature("history_follow", two) == 0)
    #expect(abs((feature("history_play_integrity", two) ?? 0) - 0.625) < 1e-5)
    // (log 2 + log 8) / 2 = 2·log 2
    #expect(abs((feature("history_log_watch_seconds", two) ?? 0) - 1.3862944) < 2e-4)
  }

  @Test("very long plays stay in range")
  func longPlay() {
    let long = history([UserFeedback(playSeconds: 1e9, durationSeconds: 1)])
    #expect(abs((feature("history_log_watch_seconds", long) ?? 0) - 15.99976) < 1e-4)
    #expect(feature("history_play_integrity", long) == 1)
  }

  @Test("the state is profile, then history, then session, and every feature has a name")
  func layout() {
    let encoder = StateEncoder(profileNames: ["age", "city"])
    #expect(encoder.stateSize == 48)
    #expect(Set(encoder.names).count == 48)
    #expect(encoder.names[0...2] == ["age", "city", "history_click"])
    let session = SessionContext(hourOfDay: 6, hoursSinceLastSession: nil)
    let state = encoder.encode(
      profile: [3, 4], history: encoder.emptyHistory(), session: session, at: 0)
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
    var session = SessionContext(hourOfDay: 0, hoursSinceLastSession: 1)
    let like = UserFeedback(playSeconds: 60, durationSeconds: 120, click: true, like: true)
    let none = UserFeedback(playSeconds: 0, durationSeconds: 10)
    session.record(signals: UserFeedback.summedSignals([like, none]), impressions: 2)
    session.record(signals: UserFeedback.summedSignals([none, none]), impressions: 2)
    let history = history([like, none, none, none])
    let state = encoder.encode(profile: [], history: history, session: session, at: 0)
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
    encoder.encode(profile: [], history: history, session: session, at: 0, into: &joined)
    #expect(joined == [7] + state)
  }
}
