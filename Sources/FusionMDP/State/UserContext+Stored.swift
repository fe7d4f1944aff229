import SeededRandom

extension UserContext {
  /// The version of the bytes that ``stored(using:)`` gives.
  public static let storedVersion: UInt16 = 1

  /// "user", lowest byte first.
  private static let mark: UInt32 = 0x7265_7375

  /// The context as bytes, from which ``init(stored:using:)`` makes an equal one.
  ///
  /// | bytes | content, numbers with the lowest byte first |
  /// | --- | --- |
  /// | 4 | "user" |
  /// | 2, 2 | the version; 0 |
  /// | 8 | ``StateEncoder/storedFingerprint`` |
  /// | … | session start, last activity, profile, session, history |
  /// | 8 | a hash of all bytes before |
  ///
  /// Sums over windows and the topics' counts are not stored: reading counts them from the kept
  /// interactions, which gives the same bits.
  ///
  /// - Complexity: O(kept interactions).
  public func stored(using encoder: StateEncoder) -> [UInt8] {
    precondition(
      profile.count == encoder.profileSize && session.signalSums.count == encoder.signalCount,
      "a user of another state definition")
    var writer = ByteWriter(capacity: 256 + 16 * history.count + 4 * profile.count)
    writer.write(Self.mark)
    writer.write(Self.storedVersion)
    writer.write(UInt16(0))
    writer.write(encoder.storedFingerprint)
    write(to: &writer)
    writer.write(storedHash(writer.bytes, count: writer.bytes.count))
    return writer.bytes
  }

  /// A context from its bytes. Any bytes give a context or an error.
  ///
  /// - Throws: `StoredBytesError` for damaged bytes, those of another version, and those of a
  ///   definition that lays out users in another way.
  public init(stored bytes: [UInt8], using encoder: StateEncoder) throws(StoredBytesError) {
    var head = ByteReader(bytes, bytes.indices)
    let mark = try head.read(UInt32.self, "mark")
    guard mark == Self.mark else {
      throw StoredBytesError(part: "mark", expected: "\(Self.mark)", found: "\(mark)")
    }
    let version = try head.read(UInt16.self, "version")
    let zero = try head.read(UInt16.self, "version")
    guard version == Self.storedVersion, zero == 0 else {
      throw StoredBytesError(
        part: "version", expected: "\(Self.storedVersion)", found: "\(version)")
    }
    let fingerprint = try head.read(UInt64.self, "state definition")
    guard fingerprint == encoder.storedFingerprint else {
      throw StoredBytesError(
        part: "state definition",
        expected: "fingerprint \(String(encoder.storedFingerprint, radix: 16))",
        found: String(fingerprint, radix: 16))
    }
    guard head.remaining >= 8 else {
      throw StoredBytesError(part: "hash", expected: "8 bytes", found: "\(head.remaining)")
    }
    let end = bytes.count - 8
    let (found, hash) = (word(in: bytes, at: end), storedHash(bytes, count: end))
    guard found == hash else {
      throw StoredBytesError(
        part: "hash", expected: String(hash, radix: 16), found: String(found, radix: 16))
    }
    var reader = ByteReader(bytes, 16..<end)
    try self.init(&reader, using: encoder)
    try reader.finish("user")
  }
}

extension StateEncoder {
  /// What decides how a user is stored, a line each: two definitions with equal lines read each
  /// other's users.
  ///
  /// What is fitted to numbers (means that stand for missing ones, `statistics`), feature names and
  /// what is only told of the same data (totals, statistics) do not count; what says which number
  /// stands where does.
  public static func storedLayout(of definition: StateDefinition) -> [String] {
    let history = definition.history
    let layout = HistoryLayout(history)
    var lines = definition.profile.map { feature in
      let kind = "\(feature.type.rawValue)\(feature.log ? ", log" : "")"
      return "profile.\(feature.name): \(kind), \(quoted(feature.names))"
    }
    lines.append("history.behaviors: \(quoted(history.behaviors))")
    lines.append("history.windows: \(layout.windows.map(String.init).joined(separator: " "))")
    lines.append("history.times: \(layout.keepsTimes ? "kept" : "not kept")")
    lines.append("history.decays: \(history.decays.map { "\($0)" }.joined(separator: " "))")
    lines.append(
      "history.topics: "
        + (history.topics.map { "\($0.window), \(quoted($0.names))" } ?? "none"))
    lines.append("history.recency: \(quoted(history.recency))")
    lines.append("session.signals: \(quoted(definition.session.signals))")
    return lines
  }
}

private func quoted(_ names: [String]) -> String {
  names.map { "“\($0)”" }.joined(separator: " ")
}
