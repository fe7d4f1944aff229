import FusionMDP
import SeededRandom
import Testing

@Suite("stored users")
struct StoredContextTests {
  /// Definitions that differ in everything that is stored.
  static let definitions: [StateDefinition] = [
    .platform(profileNames: ["age", "city"]), StateDefinition(), DeclaredStateTests.rich,
    StateDefinition(
      history: HistoryFeatures(behaviors: ["like"], windows: [], decays: [2], totals: []),
      session: SessionFeatures(features: [.minutes], signals: [])),
    StateDefinition(
      profile: [
        ProfileFeature(name: "fans", log: true, missing: .mean, indicator: true, mean: 2.5),
        ProfileFeature(name: "city", type: .category, values: ["B", "A"]),
        ProfileFeature(name: "device", type: .category, buckets: 4),
      ],
      history: HistoryFeatures(
        behaviors: (0..<16).map { "b\($0)" }, windows: [.init(interactions: 7)],
        times: [.logSpanHours], topics: .init(window: 500, buckets: 300),
        recency: ["b3", "b15"]),
      session: SessionFeatures(features: [.sums, .isFirst], signals: ["b1", "other"])),
  ]

  /// A random step of a user's life, out of order at times: feedback, a request, a profile.
  private func step(
    _ stream: inout RandomStream, _ encoder: StateEncoder, at time: Int64,
    _ contexts: inout [UserContext]
  ) {
    let kind = stream.index(below: 10)
    let gap = Int64(stream.index(below: 3_000_000)) - 600_000
    let interaction = DeclaredStateTests.interaction(&stream, encoder, at: time + gap)
    let profile = contexts[0].profile.map { _ in Float(stream.uniform()) }
    for index in contexts.indices {
      switch kind {
      case 0:
        var state: [Float] = []
        contexts[index].appendState(at: time, using: encoder, to: &state)
        contexts[index].recordRequest(at: time, impressions: Int(gap.magnitude % 8))
      case 1: contexts[index].profile = profile
      default: contexts[index].record(interaction, using: encoder)
      }
    }
  }

  private func bits(_ context: UserContext, _ encoder: StateEncoder, at time: Int64) -> [UInt32] {
    var (copy, state) = (context, [Float]())
    copy.appendState(at: time, using: encoder, to: &state)
    return state.map(\.bitPattern)
  }

  @Test(
    "a stored user reads as an equal one, and lives on to the same states",
    arguments: definitions.indices)
  func roundTrip(_ definition: Int) throws {
    let encoder = try StateEncoder(Self.definitions[definition])
    for seed in 0..<3 {
      var stream = RandomStream(seed: UInt64(seed), name: "stored")
      let fresh = UserContext(using: encoder)
      #expect(try UserContext(stored: fresh.stored(using: encoder), using: encoder) == fresh)
      // The second is stored and read again at random steps, the first never.
      var contexts = [fresh, fresh]
      var time: Int64 = 1_600_000_000_000
      for _ in 0..<1400 {
        time += Int64(stream.index(below: 900_000))
        step(&stream, encoder, at: time, &contexts)
        guard stream.uniform() < 0.1 else { continue }
        let bytes = contexts[1].stored(using: encoder)
        contexts[1] = try UserContext(stored: bytes, using: encoder)
        #expect(contexts[0] == contexts[1])
        #expect(contexts[1].stored(using: encoder) == bytes)
        for later: Int64 in [0, 60_000, 86_400_000] {
          #expect(
            bits(contexts[0], encoder, at: time + later)
              == bits(contexts[1], encoder, at: time + later))
        }
      }
      #expect(contexts[0].history.totalCount > 1000)
    }
  }

  private func sample(_ encoder: StateEncoder, steps: Int) -> UserContext {
    var stream = RandomStream(seed: 3, name: "sample")
    var contexts = [UserContext(using: encoder)]
    for index in 0..<steps {
      step(&stream, encoder, at: Int64(index) * 60_000, &contexts)
    }
    return contexts[0]
  }

  @Test("every changed byte and every cut is an error", arguments: definitions.indices)
  func damage(_ definition: Int) throws {
    let encoder = try StateEncoder(Self.definitions[definition])
    let bytes = sample(encoder, steps: 60).stored(using: encoder)
    var stream = RandomStream(seed: 9, name: "damage")
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= UInt8(1 + stream.index(below: 255))
      #expect(throws: StoredBytesError.self) {
        try UserContext(stored: damaged, using: encoder)
      }
      #expect(throws: StoredBytesError.self) {
        try UserContext(stored: Array(bytes[..<place]), using: encoder)
      }
    }
    #expect(throws: StoredBytesError.self) {
      try UserContext(stored: bytes + [0], using: encoder)
    }
  }

  /// The hash at the end as the format describes it, so that damage can pass it.
  private func hash(_ bytes: [UInt8]) -> UInt64 {
    var hash = UInt64(bytes.count)
    for start in stride(from: 0, through: bytes.count, by: 8) {
      var word: UInt64 = 0
      for (index, byte) in bytes[start..<min(start + 8, bytes.count)].enumerated() {
        word |= UInt64(byte) << UInt64(8 * index)
      }
      hash = stableHash(word, seed: hash)
    }
    return hash
  }

  @Test("any bytes behind a right hash give an error or a user that can live on")
  func total() throws {
    var stream = RandomStream(seed: 11, name: "total")
    var (read, refused) = (0, Set<String>())
    for definition in Self.definitions {
      let encoder = try StateEncoder(definition)
      let whole = sample(encoder, steps: 30).stored(using: encoder).dropLast(8)
      for trial in 0..<3000 {
        var bytes = Array(whole)
        for _ in 0...stream.index(below: 3) {
          let place = 16 + stream.index(below: bytes.count - 16)
          bytes[place] = trial % 2 == 0 ? 0xFF : UInt8(stream.index(below: 256))
        }
        if trial % 7 == 0 { bytes.removeLast(stream.index(below: bytes.count - 16)) }
        let last = hash(bytes)
        for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: last >> UInt64(8 * byte))) }
        do {
          var contexts = [try UserContext(stored: bytes, using: encoder)]
          read += 1
          for index in 0..<20 {
            step(&stream, encoder, at: 1_600_000_000_000 + Int64(index), &contexts)
          }
          #expect(contexts[0].history.recounted(encoder.layout) == contexts[0].history)
        } catch {
          refused.insert(error.part)
        }
      }
    }
    #expect(read > 1000)
    // The hash never refuses here; the checks behind it do.
    #expect(!refused.contains("hash"))
    #expect(
      refused.isSuperset(of: [
        "history.count", "history.interactions", "history.latest", "history.next",
        "history.total", "profile", "session.requests", "session.signals", "session.start",
      ]), "\(refused.sorted())")
  }

  @Test("users of another definition are refused, those of the same layout are not")
  func otherDefinitions() throws {
    let encoders = try Self.definitions.map { try StateEncoder($0) }
    for (index, encoder) in encoders.enumerated() {
      let bytes = sample(encoder, steps: 20).stored(using: encoder)
      for (other, reader) in encoders.enumerated() where other != index {
        #expect {
          try UserContext(stored: bytes, using: reader)
        } throws: { error in
          (error as? StoredBytesError)?.description.contains("state definition: fingerprint")
            == true
        }
      }
    }
    var changed = Self.definitions[4]
    let before = try StateEncoder(changed).storedFingerprint
    changed.profile[0].mean = 3
    changed.history.statistics = [.rate, .count]
    changed.session.features = [.means]
    #expect(try StateEncoder(changed).storedFingerprint == before)
    changed.profile[1].values = ["A", "B"]
    #expect(try StateEncoder(changed).storedFingerprint != before)
    #expect(
      StateEncoder.storedLayout(of: changed)[1]
        == "profile.city: category, “city=A” “city=B” “city=other”")
  }

  @Test("the kept interactions read as what was appended, to the steps of their packing")
  func unpacked() throws {
    let encoder = try StateEncoder(DeclaredStateTests.rich)
    var stream = RandomStream(seed: 2, name: "unpacked")
    var context = UserContext(using: encoder)
    var all: [Interaction] = []
    for index in 0..<700 {
      let next = DeclaredStateTests.interaction(&stream, encoder, at: Int64(index) * 1000)
      context.record(next, using: encoder)
      all.append(next)
    }
    let kept = context.keptInteractions(using: encoder)
    #expect(kept.count == 500)
    for (found, given) in zip(kept, all.suffix(500)) {
      let names = zip(encoder.behaviorNames, given.behaviors).prefix(7)
        .filter { $0.1 > 0 }.map(\.0)
      #expect(found.behaviors == names)
      #expect(abs(found.playIntegrity - given.playIntegrity) <= 0.5 / 60_000 + 1e-7)
      #expect(abs(found.roughPlaySeconds - given.playSeconds) <= (given.playSeconds + 1) / 8000)
      #expect(found.topic == (given.topic == "boats" ? "other" : given.topic))
      #expect(found.timeSeconds == given.timeMilliseconds / 1000)
      let milliseconds = Double(given.playSeconds) * 1000
      #expect(abs(Double(found.playMilliseconds ?? -1) - milliseconds) <= 0.5)
    }
  }
}
