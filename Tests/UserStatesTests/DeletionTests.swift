import Foundation
import FusionMDP
import Testing
import UserStates

@Suite("a user's rights")
struct DeletionTests {
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

  /// Bytes of a user's history that stand nowhere else: profile numbers with a mark each.
  private func mark(_ user: Int) -> [Float] {
    [Float(bitPattern: 0x4A00_0000 + UInt32(user)), Float(bitPattern: 0x4B00_0000 + UInt32(user))]
  }

  private func bytes(_ mark: [Float]) -> Data {
    Data(mark.flatMap { number in (0..<4).map { UInt8(number.bitPattern >> (8 * $0) & 0xFF) } })
  }

  @Test(
    "deleting leaves nothing: not in memory, not in the table, not in the file, not in the journal")
  func delete() async throws {
    let store = try open()
    // Histories that grow between writes, so that rows move between pages.
    for round in 0..<4 {
      for user in 0..<60 {
        let events = (round * 120..<(round + 1) * 120 - user).map { TestUsers.event($0, encoder) }
        _ = try await store.record(events, of: "person-\(user)-id")
        try await store.update("person-\(user)-id") { [mark] in $0.profile = mark(user) }
      }
      try await store.flush()
    }
    // One more change that is pending when the deletion comes.
    try await store.update("person-7-id") { $0.recordRequest(at: 0, impressions: 1) }
    for user in 0..<60 {
      let found = try folder.contents()
      #expect(found.range(of: Data("person-\(user)-id".utf8)) != nil, "the test can see users")
      #expect(found.range(of: bytes(mark(user))) != nil, "the test can see profiles")
    }
    for user in stride(from: 1, to: 60, by: 2) { try await store.delete("person-\(user)-id") }
    try await store.delete("never seen")
    #expect(store.metrics.deleted == 30 && store.metrics.storedUsers == 30)
    for user in 0..<60 {
      let isLeft = try await store.state(of: "person-\(user)-id") != nil
      #expect(isLeft == user.isMultiple(of: 2))
    }
    func check() throws {
      let found = try folder.contents()
      for user in 0..<60 {
        let isLeft = user.isMultiple(of: 2)
        #expect((found.range(of: Data("person-\(user)-id".utf8)) != nil) == isLeft)
        #expect((found.range(of: bytes(mark(user))) != nil) == isLeft, "user \(user)")
      }
    }
    try check()
    try await store.close()
    try check()
    let again = try open()
    #expect(try await again.state(of: "person-7-id") == nil)
    try await again.close()
  }

  @Test("who comes back after a deletion is new, also while writes and reads are under way")
  func race() async throws {
    let store = try open(
      .with {
        $0.writeInterval = .milliseconds(1)
        $0.cachedUsers = 1
      })
    for round in 0..<100 {
      let events = (0..<20).map { TestUsers.event($0, encoder) }
      _ = try await store.record(events, of: "a")
      try await store.update("b") { $0.profile = [1, 1] }
      if round % 3 == 0 { try await store.flush() }
      async let read = store.state(of: "a")
      async let deleted: Void = store.delete("a")
      async let added = store.record([events[round % 20]], of: "a")
      _ = try await (read, deleted, added)
      // The change came before the deletion, or after it and is all there is.
      let left = try await store.state(of: "a")?.history.totalCount ?? 0
      #expect(left <= 1, "round \(round): \(left)")
      try await store.delete("a")
      #expect(try await store.state(of: "a") == nil)
    }
    try await store.close()
  }

  @Test("an export tells what is kept, as JSON")
  func export() async throws {
    let store = try open()
    #expect(try await store.export("ada") == nil)
    let events = (0..<600).map { TestUsers.event($0, encoder) }
    _ = try await store.record(events, of: "ada")
    try await store.update("ada") { $0.profile = [30, 2] }
    let export = try #require(try await store.export("ada"))
    #expect(export.interactions.count == 500 && export.interactionCount == 600)
    #expect(export.profile == ["age": 30, "fans": 2])
    #expect(export.eventHashes.count == 256)
    let last = try #require(export.interactions.last)
    #expect(abs(last.playSeconds - events[599].interaction.playSeconds) < 0.05)
    #expect(export.latestInteractionMs == events[599].interaction.timeMilliseconds)
    var (state, context) = ([Float](), try #require(try await store.state(of: "ada")))
    context.appendState(at: clock.time, using: encoder, to: &state)
    #expect(export.state == Dictionary(uniqueKeysWithValues: zip(encoder.names, state)))
    let json = try export.json()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(try decoder.decode(UserExport.self, from: json).interactions == export.interactions)
    let text = String(decoding: json, as: UTF8.self)
    for part in [
      "\"user_id\" : \"ada\"", "\"last_500_click\" : ", "\"play_integrity\" : ",
      "\"event_hashes\" : ",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    try await store.close()
  }
}
