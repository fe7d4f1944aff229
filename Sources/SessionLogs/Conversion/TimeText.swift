/// Times as texts: ISO 8601, a date and a time of day with an offset from UTC.
enum TimeText {
  /// Milliseconds since 1970 of `2022-04-25T10:00:00.123+08:00`; a blank may stand for the `T`,
  /// seconds and fraction may be missing, digits beyond milliseconds are rounded.
  /// - Parameter zone: the offset, in minutes, of texts that name none; nil: they are no times.
  /// - Returns: nil for anything else.
  static func milliseconds(_ text: String, zone: Int?) -> Int64? {
    var scanner = Scanner(text)
    guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2),
      scanner.take("-"), let day = scanner.digits(2), scanner.take("T") || scanner.take(" "),
      let hour = scanner.digits(2), scanner.take(":"), let minute = scanner.digits(2),
      (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year), hour < 24,
      minute < 60
    else { return nil }
    var (second, fraction) = (0, Int64(0))
    if scanner.take(":") {
      guard let value = scanner.digits(2), value < 60 else { return nil }
      second = value
      if scanner.take(".") {
        guard let value = scanner.thousandths() else { return nil }
        fraction = value
      }
    }
    guard let offset = scanner.isAtEnd ? zone : scanner.offset(), scanner.isAtEnd else {
      return nil
    }
    let minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offset
    return Int64(minutes) * 60_000 + Int64(second) * 1000 + fraction
  }

  /// Minutes east of UTC of `Z`, `+08`, `+0800` or `+08:00`; nil for anything else.
  static func offset(of text: String) -> Int? {
    var scanner = Scanner(text)
    guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
    return offset
  }

  private static func isLeap(_ year: Int) -> Bool {
    year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days of the proleptic Gregorian calendar; years are counted from March, so that the leap day
  /// is a year's last.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
  }

  private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
        return false
      }
      position += 1
      return true
    }

    /// Exactly so many digits.
    mutating func digits(_ count: Int) -> Int? {
      guard position + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[position..<position + count] {
        let digit = byte &- UInt8(ascii: "0")
        if digit > 9 { return nil }
        value = value * 10 + Int(digit)
      }
      position += count
      return value
    }

    /// The digits of a fraction, at least one, as thousandths; the fourth digit rounds.
    mutating func thousandths() -> Int64? {
      let start = position
      var (value, weight) = (0, 1000)
      while let digit = digits(1) {
        value += digit * weight
        weight /= 10
      }
      return position == start ? nil : Int64((value + 5) / 10)
    }

    mutating func offset() -> Int? {
      if take("Z") { return 0 }
      let isWest = take("-")
      guard isWest || take("+"), let hours = digits(2), hours < 24 else { return nil }
      var minutes = 0
      if take(":") || !isAtEnd {
        guard let value = digits(2), value < 60 else { return nil }
        minutes = value
      }
      return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }
  }
}
