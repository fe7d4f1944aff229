internal import SeededRandom

/// The names of a user's latest feedback events, 8 bytes each.
///
/// A name is kept as its 64-bit hash: a new event is taken for a repeated one with probability
/// (names kept) / 2⁶⁴.
struct RecentEvents: Sendable, Equatable {
  private var hashes: [UInt64] = []
  private var next = 0

  init() {}

  /// From bytes of ``stored``; the latest `capacity` of them.
  init(stored bytes: [UInt8], capacity: Int) throws(UserRecordError) {
    guard bytes.count.isMultiple(of: 8) else {
      throw UserRecordError(
        part: "events", expected: "8 bytes an event", found: "\(bytes.count) bytes")
    }
    for start in stride(from: max(bytes.count - 8 * capacity, 0), to: bytes.count, by: 8) {
      var hash: UInt64 = 0
      for byte in 0..<8 { hash |= UInt64(bytes[start + byte]) << UInt64(8 * byte) }
      hashes.append(hash)
    }
    next = hashes.count == capacity ? 0 : hashes.count
  }

  /// The hashes from the oldest to the latest, each with its lowest byte first.
  var stored: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 * hashes.count)
    for hash in ordered {
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: hash >> UInt64(8 * byte))) }
    }
    return bytes
  }

  /// The hashes from the oldest to the latest.
  var ordered: [UInt64] { Array(hashes[min(next, hashes.count)...] + hashes[..<next]) }

  /// The memory that the names take, in bytes: twice their number, as large as it grows.
  var memoryBytes: Int { 16 * hashes.count }

  /// Takes in an event; false if it is among the latest `capacity`.
  mutating func insert(_ id: String, capacity: Int) -> Bool {
    let hash = stableHash(id)
    if hashes.contains(hash) { return false }
    if hashes.count < capacity {
      hashes.append(hash)
    } else {
      hashes[next] = hash
    }
    next = next + 1 == capacity ? 0 : next + 1
    return true
  }
}

/// A part of a stored user that cannot be read.
struct UserRecordError: Error, Equatable {
  let part: String
  let expected: String
  let found: String
}
