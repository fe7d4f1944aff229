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
      bytes.append(UInt8(truncatingIfNeeded: number >> (8 * byte)))
    }
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

/// Takes numbers from bytes, and says which part is too short.
struct ByteReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var remaining: Int { bytes.endIndex - position }

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

  func end(_ part: String) throws(StoredBytesError) {
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
