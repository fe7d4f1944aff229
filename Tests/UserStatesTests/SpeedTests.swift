import Foundation
import FusionMDP
import Testing
import UserStates

#if canImport(Glibc)
  import Glibc
#endif

/// Measures; `Docs/UserStates.md` has the numbers. It asserts only what no machine's load changes.
@Suite("speed", .serialized)
struct SpeedTests {
  private static let users = 2000
  private let folder: TemporaryFolder
  private let encoder: StateEncoder

  init() throws {
    folder = try TemporaryFolder()
    encoder = try StateEncoder(StateDefinition())
  }

  /// Wall time and the processor time of all threads, in seconds.
  private struct Time {
    var wall: Double
    var processor: Double
  }

  private func time(_ body: () async throws -> Void) async rethrows -> Time {
    let (start, used) = (DispatchTime.now().uptimeNanoseconds, clock())
    try await body()
    return Time(
      wall: Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9,
      processor: Double(clock() - used) / Double(CLOCKS_PER_SEC))
  }

  private func told(_ what: String, _ count: Int, _ time: Time) {
    func each(_ seconds: Double) -> Double { (seconds / Double(count) * 1e8).rounded() / 100 }
    let perSecond = Int(Double(count) / time.wall)
    print(
      """
      user states: \(what): \(each(time.wall)) µs each, \(each(time.processor)) of a processor; \
      \(perSecond) a second
      """)
  }

  @Test("coding a user of 500 interactions")
  func coding() async throws {
    for (name, definition) in [
      ("default", StateDefinition()), ("with times, decays and topics", TestUsers.definition),
    ] {
      let encoder = try StateEncoder(definition)
      let context = TestUsers.context(500, encoder)
      let bytes = context.stored(using: encoder)
      print("user states: \(name): \(bytes.count) bytes, \(context.memoryBytes) in memory")
      var sum = 0
      let encoding = await time {
        for _ in 0..<5000 { sum += context.stored(using: encoder).count }
      }
      let decoding = try await time {
        for _ in 0..<5000 {
          sum += try UserContext(stored: bytes, using: encoder).history.count
        }
      }
      #expect(sum == 5000 * (bytes.count + 500))
      told("\(name), encode", 5000, encoding)
      told("\(name), decode", 5000, decoding)
    }
  }

  @Test("reads and updates of hot and cold users")
  func store() async throws {
    try await hot()
    try await cold()
  }

  private func open(cachedUsers: Int) throws -> EmbeddedUserStore {
    try EmbeddedUserStore(
      path: folder.file("users"), encoder: encoder,
      limits: .with {
        $0.writeInterval = .seconds(3600)
        $0.cachedUsers = cachedUsers
      }, clock: .system)
  }

  private func hot() async throws {
    let store = try open(cachedUsers: 100_000)
    let events = (0..<500).map { TestUsers.event($0, encoder) }
    let fill = try await time {
      for user in 0..<Self.users { _ = try await store.record(events, of: "user \(user)") }
      try await store.flush()
    }
    told("new users of 500 interactions, recorded and written", Self.users, fill)
    let hotReads = try await time {
      for call in 0..<200_000 { _ = try await store.state(of: "user \(call % Self.users)") }
    }
    told("hot reads", 200_000, hotReads)
    let requests = try await time {
      for call in 0..<100_000 { try await request(store, "user \(call % Self.users)") }
    }
    told("hot requests (state and list)", 100_000, requests)
    try await store.flush()
    let next = (0..<10 * Self.users).map { TestUsers.event(500 + $0 / Self.users, encoder) }
    let before = store.metrics
    let updates = try await time {
      for (call, event) in next.enumerated() {
        _ = try await store.record([event], of: "user \(call % Self.users)")
        if call % Self.users == Self.users - 1 { try await store.flush() }
      }
    }
    told("hot feedback, each user written after each", next.count, updates)
    let written = store.metrics.writtenUsers - before.writtenUsers
    let writing = Double(store.metrics.writeNanoseconds - before.writeNanoseconds) / 1e9
    print("user states: of it writing: \(writing / Double(written) * 1e6) µs a written user")
    try await store.close()
    let path = folder.file("users")
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    print("user states: \(size / Self.users) bytes a user on disk")
  }

  private func cold() async throws {
    var store = try open(cachedUsers: 1)
    let cold = try await time {
      for call in 0..<20_000 { _ = try await store.state(of: "user \(call * 7 % Self.users)") }
    }
    told("cold reads (in the system's page cache), one caller", 20_000, cold)
    let reader = store
    let parallel = try await time {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<4 {
          group.addTask {
            for call in 0..<5000 {
              _ = try await reader.state(of: "user \((call * 7 + task * 501) % Self.users)")
            }
          }
        }
        try await group.waitForAll()
      }
    }
    told("cold reads, four callers", 20_000, parallel)
    #expect(store.metrics.misses >= 39_000)
    try await store.close()
    store = try open(cachedUsers: 100_000)
    let active = store
    let coldUpdates = try await time {
      for user in 0..<Self.users { try await request(active, "user \(user)") }
      try await active.flush()
    }
    told("cold requests, written", Self.users, coldUpdates)
    let deletions = try await time {
      for user in 0..<100 { try await active.delete("user \(user)") }
    }
    told("deletions", 100, deletions)
    try await store.close()
  }

  private func request(_ store: EmbeddedUserStore, _ user: String) async throws {
    let size = try await store.update(user) { [encoder] context in
      var state: [Float] = []
      state.reserveCapacity(encoder.stateSize)
      context.appendState(at: ManualClock.start + 2_000_000, using: encoder, to: &state)
      context.recordRequest(at: ManualClock.start + 2_000_000, impressions: 6)
      return state.count
    }
    #expect(size == encoder.stateSize)
  }
}
