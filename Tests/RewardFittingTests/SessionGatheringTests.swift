import RewardFitting
import Testing

@Suite("sessions and what comes after")
struct SessionGatheringTests {
  private static let minute: Int64 = 60_000

  /// A request of these many minutes of play, at a minute, shown two items.
  private func request(
    _ user: Int, _ session: Int, at minutes: Int64, play: Double, active: Int64? = nil,
    truncated: Bool = false
  ) -> SessionGathering.Request {
    SessionGathering.Request(
      user: user, session: session, timeMilliseconds: minutes * Self.minute,
      activeMilliseconds: (active ?? minutes) * Self.minute, impressions: 2,
      isTruncated: truncated, signals: [1, play])
  }

  @Test("signals are summed, and the next session and the horizon looked up, by hand")
  func lookAhead() {
    var gathering = SessionGathering(horizonMilliseconds: 100 * Self.minute, playSignal: 1)
    for next in [
      request(0, 0, at: 0, play: 3), request(0, 0, at: 10, play: 4, active: 20),
      request(0, 1, at: 60, play: 5), request(0, 2, at: 120, play: 6),
      request(0, 2, at: 121, play: 7, truncated: false),
      request(1, 0, at: 50, play: 8), request(1, 1, at: 151, play: 9, truncated: true),
    ] { gathering.add(next) }
    let sessions = gathering.finish()
    #expect(sessions.map(\.user) == [0, 0, 0, 1, 1])
    #expect(sessions.map { $0.signals[1] } == [7, 5, 13, 8, 9])
    #expect(sessions.map(\.impressions) == [4, 2, 4, 2, 2])
    let next: [Double?] = [5, 13, nil, 9, nil]
    #expect(sessions.map(\.nextMinutes) == next)
    #expect(sessions.map(\.nextIsTruncated) == [false, false, false, true, false])
    #expect(sessions.map(\.sessionsBefore) == [0, 1, 2, 0, 1])
    #expect(sessions.map(\.impressionsBefore) == [0, 4, 6, 0, 2])
    // Session 0 ends with its feedback at 20: its horizon reaches to 120, which holds 5 and 6 and
    // not the request at 121; session 1 ends at 60 and sees to 160; user 1's sees to 150.
    #expect(sessions.map(\.horizonMinutes) == [11, 13, 0, 0, 0])
    let ends: [Int64] = [20, 60, 121, 50, 151]
    #expect(sessions.map { $0.endMilliseconds / Self.minute } == ends)
  }

  @Test("a user whose first session has the number of the one before begins anew")
  func usersApart() {
    var gathering = SessionGathering(horizonMilliseconds: 1000 * Self.minute, playSignal: 1)
    gathering.add(request(0, 0, at: 0, play: 1))
    gathering.add(request(1, 0, at: 1, play: 2))
    let sessions = gathering.finish()
    #expect(sessions.map { $0.signals[1] } == [1, 2])
    #expect(sessions.allSatisfy { $0.nextMinutes == nil && $0.horizonMinutes == 0 })
  }
}
