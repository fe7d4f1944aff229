/// What is wrong at one place of a line.
struct LineFailure: Error {
  /// The field, with the index inside it; nil when the line as a whole is at fault.
  var field: String?
  var expected: String
  var found: String
}

/// Walks over the bytes of JSON lines and checks their syntax, without building a document.
struct JSONCursor {
  private let bytes: [UInt8]
  /// Where the cursor stands, and where the line ends.
  private(set) var position = 0
  private(set) var end = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Goes to the beginning of a line.
  mutating func enter(_ line: Range<Int>) {
    position = line.lowerBound
    end = line.upperBound
  }

  /// The next byte that is no space, without taking it; 0 at the end of the line.
  mutating func peek() -> UInt8 {
    while position < end {
      let byte = bytes[position]
      if byte > 0x20 { return byte }
      if byte != 0x20 && byte != 0x09 && byte != 0x0D { return byte }
      position += 1
    }
    return 0
  }

  /// Takes `byte` if it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    if peek() == byte && position < end {
      position += 1
      return true
    }
    return false
  }

  /// Takes exactly these bytes if they come next.
  mutating func take(exactly expected: [UInt8]) -> Bool {
    if position + expected.count > end { return false }
    for index in expected.indices where bytes[position + index] != expected[index] {
      return false
    }
    position += expected.count
    return true
  }

  /// Takes `null` if it comes next.
  mutating func takeNull() -> Bool {
    peek() == UInt8(ascii: "n") && take(exactly: JSONCursor.null)
  }

  private static let null = Array("null".utf8)

  var isAtEnd: Bool { position >= end }

  /// What stands at the cursor, short enough for a message.
  mutating func foundText() -> String {
    let first = peek()
    if position >= end { return "the end of the line" }
    if first == UInt8(ascii: "[") { return "a list" }
    if first == UInt8(ascii: "{") { return "an object" }
    var stop = position
    let isText = first == UInt8(ascii: "\"")
    while stop < end && stop - position < 40 {
      let byte = bytes[stop]
      let closes =
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: "}")
      if stop > position && (isText ? byte == UInt8(ascii: "\"") : closes) { break }
      stop += 1
    }
    if isText && stop < end { stop += 1 }
    return String(decoding: bytes[position..<max(stop, position + 1)], as: UTF8.self)
  }

  // MARK: Numbers

  /// Takes a JSON number, exact or within one unit in the last place.
  /// - Returns: nil, and the cursor stays, if something else stands here.
  mutating func takeNumber() -> Double? {
    _ = peek()
    let start = position
    let isNegative = position < end && bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var mantissa: UInt64 = 0
    var exponent = 0
    let integerStart = position
    takeDigits(into: &mantissa, droppedDigits: &exponent)
    let integerCount = position - integerStart
    let hasLeadingZero = integerCount > 1 && bytes[integerStart] == UInt8(ascii: "0")
    if integerCount == 0 || hasLeadingZero { return refuse(start) }
    if position < end && bytes[position] == UInt8(ascii: ".") {
      position += 1
      let fractionStart = position
      var dropped = 0
      takeDigits(into: &mantissa, droppedDigits: &dropped)
      if position == fractionStart { return refuse(start) }
      exponent -= position - fractionStart - dropped
    }
    if position < end && bytes[position] | 0x20 == UInt8(ascii: "e") {
      guard let written = takeExponent() else { return refuse(start) }
      exponent += written
    }
    let magnitude = JSONCursor.scaled(mantissa, exponent)
    return isNegative ? -magnitude : magnitude
  }

  /// Takes an integer that fits 64 bits.
  /// - Returns: nil, and the cursor stays, if something else stands here.
  mutating func takeInteger() -> Int64? {
    _ = peek()
    let start = position
    let isNegative = position < end && bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var mantissa: UInt64 = 0
    var dropped = 0
    let digitsStart = position
    takeDigits(into: &mantissa, droppedDigits: &dropped)
    let count = position - digitsStart
    let next = position < end ? bytes[position] : 0
    let goesOn = next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e")
    let hasLeadingZero = count > 1 && bytes[digitsStart] == UInt8(ascii: "0")
    if count == 0 || goesOn || hasLeadingZero || dropped > 0 || mantissa > UInt64(Int64.max) {
      position = start
      return nil
    }
    return isNegative ? -Int64(mantissa) : Int64(mantissa)
  }

  /// Up to 19 digits go into the mantissa, the rest is only counted.
  private mutating func takeDigits(into mantissa: inout UInt64, droppedDigits: inout Int) {
    while position < end {
      let digit = bytes[position] &- UInt8(ascii: "0")
      if digit > 9 { break }
      if mantissa < 1_000_000_000_000_000_000 {
        mantissa = mantissa * 10 + UInt64(digit)
      } else {
        droppedDigits += 1
      }
      position += 1
    }
  }

  private mutating func takeExponent() -> Int? {
    position += 1
    var isNegative = false
    if position < end {
      if bytes[position] == UInt8(ascii: "-") {
        isNegative = true
        position += 1
      } else if bytes[position] == UInt8(ascii: "+") {
        position += 1
      }
    }
    let start = position
    var value = 0
    while position < end {
      let digit = bytes[position] &- UInt8(ascii: "0")
      if digit > 9 { break }
      value = min(value * 10 + Int(digit), 100_000)
      position += 1
    }
    return position == start ? nil : (isNegative ? -value : value)
  }

  private mutating func refuse(_ start: Int) -> Double? {
    position = start
    return nil
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  private static func scaled(_ mantissa: UInt64, _ exponent: Int) -> Double {
    if mantissa == 0 { return 0 }
    if exponent == 0 { return Double(mantissa) }
    if exponent > 0 && exponent <= 22 { return Double(mantissa) * powersOfTen[exponent] }
    if exponent < 0 && exponent >= -22 { return Double(mantissa) / powersOfTen[-exponent] }
    return Double("\(mantissa)e\(exponent)") ?? (exponent > 0 ? .infinity : 0)
  }

  // MARK: Strings

  /// Takes a JSON string.
  /// - Returns: the bytes between its quotes, escapes as they stand; nil, and the cursor stays, if
  ///   something else or no valid string stands here.
  mutating func takeString() -> Range<Int>? {
    guard peek() == UInt8(ascii: "\""), position < end else { return nil }
    var scan = position + 1
    var hasHighBytes = false
    while scan < end {
      let byte = bytes[scan]
      if byte == UInt8(ascii: "\"") {
        let content = position + 1..<scan
        if hasHighBytes && String(validating: bytes[content], as: UTF8.self) == nil { return nil }
        position = scan + 1
        return content
      }
      if byte < 0x20 { return nil }
      if byte >= 0x80 { hasHighBytes = true }
      if byte == UInt8(ascii: "\\") {
        guard let length = escapeLength(at: scan) else { return nil }
        scan += length
      } else {
        scan += 1
      }
    }
    return nil
  }

  /// The length of a valid escape: 2, 6, or 12 for a pair of surrogates. A NUL is not valid here.
  private func escapeLength(at start: Int) -> Int? {
    guard start + 1 < end else { return nil }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      guard let unit = codeUnit(at: start), unit != 0 else { return nil }
      if unit < 0xD800 || unit > 0xDFFF { return 6 }
      guard unit < 0xDC00, start + 6 < end, bytes[start + 6] == UInt8(ascii: "\\"),
        let low = codeUnit(at: start + 6), low >= 0xDC00, low <= 0xDFFF
      else { return nil }
      return 12
    default: return nil
    }
  }

  /// The value of `\uXXXX`.
  private func codeUnit(at start: Int) -> Int? {
    guard start + 5 < end, bytes[start + 1] == UInt8(ascii: "u") else { return nil }
    var value = 0
    for byte in bytes[start + 2..<start + 6] {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      value = value * 16 + Int(digit)
    }
    return value
  }

  /// The text of a range that ``takeString()`` returned, escapes as they stand.
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Whether two ranges hold the same bytes.
  func isEqual(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    one.count == other.count && bytes[one].elementsEqual(bytes[other])
  }
}
