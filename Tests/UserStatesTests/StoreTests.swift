import Foundation
import FusionMDP
import SeededRandom
import Testing
import UserStates

@Suite("the embedded store of users")
struct StoreTests {
  private let folder: TemporaryFolder
  private let encoder: StateEncoder
  private let clock = ManualClock()

  init() throws {
    folder = try TemporaryFolder()
    encoder = try TestUsers.encoder()
  }

  private func open(_ limits: UserStateLimits = .manual) throws -> EmbeddedUserStore {
    try EmbeddedUserStore(
      path: folder.file("users"), encoder: encoder, limits: limits, clock: clock.clock)
  }

  @Test("a user is what was recorded, before the write, after it and after opening again")
  func lifecycle() async throws {
    let store = try open()
    #expect(try await store.state(of: "ada") == nil)
    for index in 0..<700 {
      #expect(try await store.record([TestUsers.event(index, encoder)], of: "ada") == 1)
    }
    let state = try await store.update("ada") { [encoder, clock] context in
      context.profile = [30, 2]
      var state: [Float] = []
      context.appendState(at: clock.time, using: encoder, to: &state)
      context.recordRequest(at: clock.time, impressions: 6)
      return state
    }
    var expected = TestUsers.context(700, encoder)
    expected.profile = [30, 2]
    var expectedState: [Float] = []
    expected.appendState(at: clock.time, using: encoder, to: &expectedState)
    expected.recordRequest(at: clock.time, impressions: 6)
    #expect(state == expectedState)
    #expect(try await store.state(of: "ada") == expected)
    #expect(store.metrics.pendingUsers == 1 && store.metrics.storedUsers == 0)
    try await store.flush()
    #expect(store.metrics.pendingUsers == 0 && store.metrics.storedUsers == 1)
    #expect(store.metrics.writes == 1 && store.metrics.writtenUsers == 1)
    #expect(store.metrics.writeNanoseconds > 0)
    try await store.close()
    await #expect(throws: UserStateError.closed(path: folder.file("users"))) {
      try await store.state(of: "ada")
    }
    let again = try open()
    #expect(try await again.state(of: "ada") == expected)
    #expect(again.metrics.misses == 1 && again.metrics.hits == 0)
    #expect(try await again.state(of: "ada") == expected)
    #expect(again.metrics.misses == 1 && again.metrics.hits == 1)
    try await again.close()
  }

  @Test("feedback is taken in once: in one call, later, after a restart, up to the kept names")
  func idempotence() async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .seconds(3600)
      $0.eventIDsPerUser = 10
    }
    var store = try open(limits)
    let events = (0..<8).map { TestUsers.event($0, encoder) }
    #expect(try await store.record(events + events.prefix(3), of: "ada") == 8)
    #expect(try await store.record(events, of: "ada") == 0)
    #expect(store.metrics.repeatedEvents == 11)
    // The same name of another user is another event.
    #expect(try await store.record([events[0]], of: "bob") == 1)
    #expect(try await store.record([], of: "nobody") == 0)
    #expect(try await store.state(of: "nobody") == nil)
    try await store.close()
    store = try open(limits)
    let more = (4..<15).map { TestUsers.event($0, encoder) }
    #expect(try await store.record(more, of: "ada") == 7)
    #expect(try await store.state(of: "ada") == TestUsers.context(15, encoder))
    // Events 5 to 14 are the latest ten; event 4 has been forgotten.
    #expect(try await store.record(Array(more.dropFirst()), of: "ada") == 0)
    #expect(try await store.record([more[0]], of: "ada") == 1)
    try await store.close()
  }

  @Test("nothing is lost between concurrent changes of the same users, cold and hot, with writes")
  func concurrency() async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .milliseconds(1)
      $0.cachedUsers = 3
      $0.pendingUsers = 4
    }
    let store = try open(limits)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask { [encoder] in
          for round in 0..<100 {
            let user = "user \((task + round) % 7)"
            let event = TestUsers.event(task * 1000 + round, encoder)
            do {
              // Each event is delivered twice.
              for _ in 0..<2 { _ = try await store.record([event], of: user) }
              try await store.update(user) { context in
                context.recordRequest(at: ManualClock.start, impressions: 2)
              }
              if round % 10 == 0 { try await store.flush() }
            } catch {
              Issue.record(error)
            }
          }
        }
      }
    }
    let metrics = store.metrics
    #expect(metrics.repeatedEvents == 1600)
    #expect(metrics.cacheEvictions > 0 && metrics.misses > 7 && metrics.failedWrites == 0)
    try await store.close()
    let again = try open()
    var (interactions, requests) = (0, 0)
    for user in 0..<7 {
      let context = try #require(try await again.state(of: "user \(user)"))
      interactions += context.history.totalCount
      requests += context.session.requestsSoFar
      #expect(context.history.recounted(encoder.layout) == context.history)
    }
    #expect(interactions == 1600 && requests == 1600)
    try await again.close()
  }

  @Test("random calls through a cache of four users give what a plain dictionary gives")
  func reference() async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .milliseconds(2)
      $0.cachedUsers = 4
    }
    for seed in 0..<3 {
      var stream = RandomStream(seed: UInt64(seed), name: "calls")
      let path = folder.file("users \(seed)")
      func opened() throws -> EmbeddedUserStore {
        try EmbeddedUserStore(path: path, encoder: encoder, limits: limits, clock: clock.clock)
      }
      var store = try opened()
      var expected: [String: UserContext] = [:]
      for call in 0..<1500 {
        let user = "user \(stream.index(below: 12))"
        switch stream.index(below: 40) {
        case 0:
          try await store.delete(user)
          expected[user] = nil
        case 1:
          try await store.close()
          store = try opened()
        case 2: try await store.flush()
        case 3...20:
          let event = TestUsers.event(call, encoder)
          #expect(try await store.record([event], of: user) == 1)
          var context = expected[user] ?? UserContext(using: encoder)
          context.record(event.interaction, using: encoder)
          expected[user] = context
        default: #expect(try await store.state(of: user) == expected[user])
        }
        #expect(store.metrics.cachedUsers - store.metrics.pendingUsers <= 4)
      }
      try await store.close()
      store = try opened()
      #expect(store.metrics.storedUsers == expected.count)
      for (user, context) in expected { #expect(try await store.state(of: user) == context) }
      try await store.close()
    }
  }

  @Test("memory is bounded in bytes too, and the least recently used leaves first")
  func cacheBounds() async throws {
    let events = (0..<500).map { TestUsers.event($0, encoder) }
    var store = try open()
    _ = try await store.record(events, of: "a")
    let limits = UserStateLimits.with {
      $0.writeInterval = .seconds(3600)
      $0.cachedBytes = 4 * store.metrics.cachedBytes + 500
    }
    #expect(store.metrics.cachedBytes > 4000 + 256 * 8)
    try await store.delete("a")
    try await store.close()
    store = try open(limits)
    for user in ["a", "b", "c", "d"] {
      #expect(try await store.record(events, of: user) == 500)
    }
    try await store.flush()
    #expect(store.metrics.cacheEvictions == 0 && store.metrics.cachedUsers == 4)
    _ = try await store.state(of: "a")
    try await store.update("f") { $0.profile = [1, 1] }
    _ = try await store.record(events, of: "f")
    #expect(store.metrics.cachedBytes <= limits.cachedBytes)
    #expect(store.metrics.cacheEvictions == 1)
    let before = store.metrics
    for user in ["a", "c", "d"] { _ = try await store.state(of: user) }
    #expect(store.metrics.hits == before.hits + 3 && store.metrics.misses == before.misses)
    _ = try await store.state(of: "b")
    #expect(store.metrics.misses == before.misses + 1)
    try await store.close()
  }

  @Test("a user without activity expires, in memory and on disk, and starts anew")
  func timeToLive() async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .seconds(3600)
      $0.timeToLiveMilliseconds = 10 * 3_600_000
    }
    var store = try open(limits)
    for user in ["a", "b", "c"] {
      _ = try await store.record([TestUsers.event(0, encoder)], of: user)
    }
    try await store.flush()
    clock.advance(hours: 6)
    _ = try await store.record([TestUsers.event(1, encoder)], of: "b")
    clock.advance(hours: 4)
    // Exactly the time to live is not beyond it; reading is no activity.
    #expect(try await store.state(of: "a") != nil)
    clock.advance(hours: 1)
    #expect(try await store.state(of: "a") == nil)
    #expect(store.metrics.expired == 1 && store.metrics.purged == 0)
    // Who comes back after it is a new user, and the old events are forgotten with them.
    #expect(try await store.record([TestUsers.event(0, encoder)], of: "a") == 1)
    #expect(try await store.state(of: "a") == TestUsers.context(1, encoder))
    try await store.close()
    store = try open(limits)
    #expect(store.metrics.storedUsers == 2, "“c” was purged with the write")
    #expect(try await store.state(of: "c") == nil)
    #expect(try await store.state(of: "b") == TestUsers.context(2, encoder))
    clock.advance(hours: 20)
    #expect(try await store.state(of: "b") == nil)
    _ = try await store.record([TestUsers.event(0, encoder)], of: "d")
    try await store.flush()
    #expect(store.metrics.purged == 2 && store.metrics.storedUsers == 1)
    #expect(store.metrics.cachedUsers == 1)
    try await store.close()
  }

  @Test("a clock that jumps makes nobody expire, and time goes on beside it", arguments: [1, -1])
  func clockJump(sign: Int64) async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .seconds(3600)
      $0.timeToLiveMilliseconds = 10 * 3_600_000
    }
    let store = try open(limits)
    for user in ["a", "b"] { try await store.update(user) { $0.profile = [1, 1] } }
    try await store.flush()
    #expect(store.metrics.clockStepMilliseconds == 0)
    clock.jump(hours: sign * 20_000)
    #expect(abs(store.metrics.clockStepMilliseconds - sign * 20_000 * 3_600_000) < 60_000)
    #expect(try await store.state(of: "a") != nil)
    clock.advance(hours: 6)
    try await store.update("b") { $0.profile = [2, 2] }
    try await store.flush()
    #expect(store.metrics.purged == 0 && store.metrics.storedUsers == 2)
    clock.advance(hours: 6)
    #expect(try await store.state(of: "a") == nil)
    #expect(try await store.state(of: "b") != nil)
    clock.jump(hours: sign * -20_000)
    #expect(store.metrics.clockStepMilliseconds == 0)
    #expect(try await store.state(of: "b") != nil)
    clock.advance(hours: 6)
    #expect(try await store.state(of: "b") == nil)
    try await store.close()
  }

  @Test("beyond the cap the least recently active users leave the database and memory")
  func cap() async throws {
    let limits = UserStateLimits.with {
      $0.writeInterval = .seconds(3600)
      $0.storedUsers = 10
    }
    let store = try open(limits)
    for user in 0..<10 {
      clock.advance(hours: 1)
      try await store.update("user \(user)") { $0.profile = [1, 1] }
    }
    try await store.flush()
    clock.advance(hours: 1)
    try await store.update("user 0") { $0.profile = [2, 2] }
    for user in 10..<13 {
      clock.advance(hours: 1)
      try await store.update("user \(user)") { $0.profile = [1, 1] }
    }
    #expect(store.metrics.evictions == 0)
    try await store.flush()
    #expect(store.metrics.evictions == 3 && store.metrics.storedUsers == 10)
    for user in 0..<13 {
      let found = try await store.state(of: "user \(user)")
      #expect((found == nil) == (1...3).contains(user), "user \(user)")
    }
    try await store.close()
  }

  @Test("the background writes by itself, within its interval")
  func background() async throws {
    let store = try open(.with { $0.writeInterval = .milliseconds(20) })
    try await store.update("a") { $0.profile = [1, 1] }
    var waited = 0
    while store.metrics.storedUsers == 0, waited < 1000 {
      try await Task.sleep(for: .milliseconds(10))
      waited += 1
    }
    #expect(store.metrics.storedUsers == 1 && store.metrics.pendingUsers == 0)
    try await store.close()
  }
}
