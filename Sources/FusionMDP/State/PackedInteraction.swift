/// One interaction in one word, or two.
///
/// | word | bits | content |
/// | --- | --- | --- |
/// | `behavior` | 0–15 | behaviors as flags |
/// | | 16–31 | play integrity in 1/60,000 |
/// | | 32–47 | log(1 + watch seconds) in 1/4096 |
/// | | 48–63 | topic + 1; 0 for none |
/// | `times` | 0–31 | play time in milliseconds (up to 49 days) |
/// | | 32–63 | time in seconds since 1970 (up to the year 2106) |
struct PackedInteraction {
  static let integrityScale: Float = 60_000
  static let logScale: Float = 4_096

  var behavior: UInt64
  var times: UInt64

  init(
    flags: UInt64, playSeconds: Float, playIntegrity: Float, topic: Int?, timeMilliseconds: Int64
  ) {
    let integrity = UInt64((playIntegrity * Self.integrityScale).rounded())
    // log(1 + s) · 4096 stays below 2^16 for s < 8.8 million seconds.
    let logWatch = UInt64(min((logarithm1p(playSeconds) * Self.logScale).rounded(), 65_535))
    behavior = flags | integrity << 16 | logWatch << 32 | UInt64(topic.map { $0 + 1 } ?? 0) << 48
    let play = UInt64(min((Double(playSeconds) * 1000).rounded(), 4_294_967_295))
    let seconds = UInt64(min(max(timeMilliseconds / 1000, 0), 4_294_967_295))
    times = play | seconds << 32
  }

  /// The topic of a word; nil for none.
  static func topic(of word: UInt64) -> Int? {
    let topic = Int(word >> 48)
    return topic == 0 ? nil : topic - 1
  }

  /// Six flags from `first` on, one to a lane of ten bits: bits 0…5 moved to 0, 10 … 50. The factor
  /// copies them to every multiple of 9, and bit i of copy i is the one that stands at 10·i. A count
  /// stays below 2^10, so words add and subtract without a carry between lanes.
  static func lanes(_ word: UInt64, from first: Int) -> UInt64 {
    ((word & 0xFFFF) >> UInt64(first) & 0x3F) &* 0x2010_0804_0201 & 0x4_0100_4010_0401
  }
}
