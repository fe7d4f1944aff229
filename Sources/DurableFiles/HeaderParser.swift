/// Reads the small part of JSON that the header of a tensor file is made of.
///
/// It is total: whatever the bytes, it returns or throws, without recursion. Unlike a general
/// parser it refuses a key that stands twice.
struct HeaderParser {
  /// What is wrong, and at which byte of the header.
  struct Failure: Error { let reason: String }

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func failure(_ expected: String) -> Failure {
    let found =
      position < bytes.count
      ? "byte 0x" + String(bytes[position], radix: 16) : "the end of the header"
    return Failure(reason: "expected \(expected) at byte \(position) of the header, found \(found)")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func takes(_ character: UInt8) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(Failure) {
    guard takes(character.asciiValue ?? 0) else { throw failure("'\(character)'") }
  }

  /// Only white space may be left.
  mutating func expectEnd() throws(Failure) {
    skipSpace()
    guard position == bytes.count else { throw failure("nothing more") }
  }

  /// Calls `body` for each key of an object, standing at its value.
  mutating func object(
    _ body: (inout HeaderParser, String) throws(Failure) -> Void
  ) throws(Failure) {
    try expect("{")
    if takes(UInt8(ascii: "}")) { return }
    var seen: Set<String> = []
    while true {
      let key = try string()
      guard seen.insert(key).inserted else {
        throw Failure(reason: "the header names '\(key)' twice")
      }
      try expect(":")
      try body(&self, key)
      if takes(UInt8(ascii: "}")) { return }
      try expect(",")
    }
  }

  /// An array of integers ≥ 0.
  mutating func integers() throws(Failure) -> [Int] {
    try expect("[")
    if takes(UInt8(ascii: "]")) { return [] }
    var values: [Int] = []
    while true {
      values.append(try integer())
      if takes(UInt8(ascii: "]")) { return values }
      try expect(",")
    }
  }

  private mutating func integer() throws(Failure) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, stillTooLarge) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !tooLarge && !stillTooLarge else { throw failure("an integer below 2^63") }
      value = sum
      position += 1
    }
    guard position > start else { throw failure("an integer of at least 0") }
    return value
  }

  /// A string, its escapes resolved.
  mutating func string() throws(Failure) -> String {
    try expect("\"")
    var units: [UInt8] = []
    while true {
      guard position < bytes.count else { throw failure("the end of a string") }
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let text = String(validating: units, as: UTF8.self) else {
          throw Failure(reason: "a string that ends at byte \(position) is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        position += 1
        units.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw failure("no control character in a string")
      default:
        units.append(byte)
        position += 1
      }
    }
  }

  private mutating func escape() throws(Failure) -> Character {
    guard position < bytes.count else { throw failure("an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return Character(try unicodeEscape())
    default:
      position -= 1
      throw failure("a known escape")
    }
  }

  private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
    var code = try fourHexDigits()
    if (0xD800..<0xDC00).contains(code) {  // the first half of a surrogate pair
      guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      else { throw failure("the second half of a surrogate pair") }
      position += 2
      let second = try fourHexDigits()
      guard (0xDC00..<0xE000).contains(second) else {
        throw failure("the second half of a surrogate pair")
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("a Unicode scalar") }
    return scalar
  }

  private mutating func fourHexDigits() throws(Failure) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw failure("a hexadecimal digit") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
