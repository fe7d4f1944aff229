/// One JSON line being built, without Foundation.
struct LineBuffer {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 8192) { bytes.reserveCapacity(capacity) }

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  /// Bytes that stand in the line as they are: keys and punctuation.
  mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }

  mutating func append(byte: UInt8) { bytes.append(byte) }

  /// A JSON string; escapes what JSON requires and nothing more.
  mutating func append(string: String) {
    bytes.append(UInt8(ascii: "\""))
    let start = bytes.count
    bytes.append(contentsOf: string.utf8)
    for index in start..<bytes.count where LineBuffer.needsEscape(bytes[index]) {
      escape(from: start)
      break
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escape(from start: Int) {
    let hexadecimal = Array("0123456789abcdef".utf8)
    let plain = Array(bytes[start...])
    bytes.removeSubrange(start...)
    for byte in plain {
      if !LineBuffer.needsEscape(byte) {
        bytes.append(byte)
      } else if byte < 0x20 {
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(hexadecimal[Int(byte >> 4)])
        bytes.append(hexadecimal[Int(byte & 15)])
      } else {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      }
    }
  }

  /// A decimal integer.
  mutating func append(integer: Int64) {
    if integer < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = integer.magnitude
    let start = bytes.count
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
      rest = quotient
    } while rest > 0
    var (low, high) = (start, bytes.count - 1)
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
  }

  /// The shortest decimal that reads back as the same bits. `number` is finite.
  mutating func append(float number: Float) {
    let integer = Int32(truncatingIfNeeded: Int64(clampedTo32Bits: number))
    if Float(integer).bitPattern == number.bitPattern && integer.magnitude < 1 << 24 {
      append(integer: Int64(integer))
    } else {
      bytes.append(contentsOf: number.description.utf8)
    }
  }

  /// The shortest decimal that reads back as the same bits. `number` is finite.
  mutating func append(double number: Double) {
    bytes.append(contentsOf: number.description.utf8)
  }

  /// `[…]` of the numbers in `range`.
  mutating func append(floats: [Float], _ range: Range<Int>) {
    bytes.append(UInt8(ascii: "["))
    var isFirst = true
    for index in range {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      append(float: floats[index])
    }
    bytes.append(UInt8(ascii: "]"))
  }
}

extension Int64 {
  /// The integer part, limited to ±2³¹; `number` is finite.
  fileprivate init(clampedTo32Bits number: Float) {
    let limit: Float = 2_147_483_648
    self = Int64(Swift.max(-limit, Swift.min(limit, number)))
  }
}
