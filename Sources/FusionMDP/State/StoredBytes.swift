import SeededRandom

/// Bytes that cannot be read as what they are said to hold.
public struct StoredBytesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The part at fault.
  public let part: String
  /// What was expected.
  public let expected: String
  /// What was found.
  public let found: String

  /// An error at a part.
  public init(part: String, expected: String, found: String) {
    self.part = part
    self.expected = expected
    self.found = found
  }

  /// The error in one sentence for people.
  public var description: String { "\(part): \(expected) expected, found \(found)" }
}

/// Appends numbers as bytes, the lowest first.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func write<Number: FixedWidthInteger>(_ number: Number) {
    for byte in 0..<Number.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: number &>> Number(truncatingIfNeeded: 8 * byte)))
    }
  }

  mutating func write(_ words: [UInt64]) {
    for word in words { write(word) }
  }

  mutating func write(_ number: Float) { write(number.bitPattern) }

  mutating func write(_ number: Double) { write(number.bitPattern) }

  /// A byte that says whether there is a number, and the number.
  mutating func write(_ number: Int64?) {
    write(UInt8(number == nil ? 0 : 1))
    if let number { write(UInt64(bitPattern: number)) }
  }

  mutating func write(_ count: Int, as type: UInt32.Type) {
    precondition(count >= 0 && count <= UInt32.max, "a count of \(count)")
    write(UInt32(count))
  }
}

/// Eight bytes as a number, the lowest first.
func word(in bytes: [UInt8], at place: Int) -> UInt64 {
  // One check for all eight.
  precondition(place >= 0 && place + 8 <= bytes.count, "8 bytes at \(place) of \(bytes.count)")
  var word: UInt64 = 0
  for byte in 0..<8 { word |= UInt64(bytes[place + byte]) << UInt64(8 * byte) }
  return word
}

/// A hash of bytes, eight at a time, that changes with every single damaged word.
func storedHash(_ bytes: [UInt8], count: Int) -> UInt64 {
  var hash = UInt64(count)
  for place in stride(from: 0, to: count - count % 8, by: 8) {
    hash = stableHash(word(in: bytes, at: place), seed: hash)
  }
  var last: UInt64 = 0
  for place in count - count % 8..<count {
    last |= UInt64(bytes[place]) << UInt64(8 * (place % 8))
  }
  return stableHash(last, seed: hash)
}

/// Takes numbers from bytes, and says which part is too short.
struct ByteReader {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  /// Reads a range of bytes, which lies within them.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - position }

  mutating func read<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type, _ part: String
  ) throws(StoredBytesError) -> Number {
    let size = Number.bitWidth / 8
    try need(size, part)
    var number: Number = 0
    for byte in 0..<size {
      number |= Number(truncatingIfNeeded: bytes[position + byte]) << (8 * byte)
    }
    position += size
    return number
  }

  /// So many numbers of 8 bytes.
  mutating func readWords(
    _ count: Int, _ part: String
  ) throws(StoredBytesError) -> [UInt64] {
    try need(8 * count, part)
    defer { position += 8 * count }
    return (0..<count).map { word(in: bytes, at: position + 8 * $0) }
  }

  mutating func readSigned(_ part: String) throws(StoredBytesError) -> Int64 {
    Int64(bitPattern: try read(UInt64.self, part))
  }

  mutating func readFloat(_ part: String) throws(StoredBytesError) -> Float {
    Float(bitPattern: try read(UInt32.self, part))
  }

  mutating func readDouble(_ part: String) throws(StoredBytesError) -> Double {
    Double(bitPattern: try read(UInt64.self, part))
  }

  /// A count that has to be in a range.
  mutating func readCount(
    _ part: String, in range: ClosedRange<Int>
  ) throws(StoredBytesError) -> Int {
    let found = Int(try read(UInt32.self, part))
    guard range.contains(found) else {
      throw StoredBytesError(
        part: part,
        expected: range.count == 1
          ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)",
        found: "\(found)")
    }
    return found
  }

  /// A number of events that may still grow without end.
  mutating func readTotal(_ part: String) throws(StoredBytesError) -> Int {
    let found = try read(UInt64.self, part)
    guard found <= 1 << 53 else {
      throw StoredBytesError(part: part, expected: "at most 2^53", found: "\(found)")
    }
    return Int(found)
  }

  /// A time in milliseconds since 1970 that can be subtracted from any other of its kind.
  mutating func readTime(_ part: String) throws(StoredBytesError) -> Int64 {
    let found = try readSigned(part)
    guard found.magnitude <= 1 << 60 else {
      throw StoredBytesError(part: part, expected: "a time within ±2^60 ms", found: "\(found)")
    }
    return found
  }

  /// The time of the latest of some events; the lowest number stands for none.
  mutating func readRecency(_ part: String) throws(StoredBytesError) -> Int64 {
    var ahead = self
    if try ahead.readSigned(part) == .min {
      self = ahead
      return .min
    }
    return try readTime(part)
  }

  /// The byte that says whether there is a value.
  mutating func readPresence(_ part: String) throws(StoredBytesError) -> Bool {
    let found = try read(UInt8.self, part)
    guard found <= 1 else {
      throw StoredBytesError(part: part, expected: "0 or 1", found: "\(found)")
    }
    return found == 1
  }

  mutating func readOptionalTime(_ part: String) throws(StoredBytesError) -> Int64? {
    try readPresence(part) ? try readTime(part) : nil
  }

  func finish(_ part: String) throws(StoredBytesError) {
    guard remaining == 0 else {
      throw StoredBytesError(
        part: part, expected: "its end", found: "\(remaining) bytes more")
    }
  }

  private func need(_ size: Int, _ part: String) throws(StoredBytesError) {
    guard remaining >= size else {
      throw StoredBytesError(
        part: part, expected: "\(size) bytes", found: "\(remaining)")
    }
  }
}
