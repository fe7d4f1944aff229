/// The Philox4x32-10 bijection: a keyed permutation of 128-bit counters whose outputs pass as
/// independent random words.
///
/// Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// The tests hold the known-answer vectors that the authors publish with Random123.
package enum Philox4x32 {
  /// Four output words of one counter under one key.
  ///
  /// - Parameters:
  ///   - counter: 128 bits, the word of lowest significance first.
  ///   - key: 64 bits, the lower half first.
  package static func block(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>
  ) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for round in 0..<10 {
      if round > 0 {
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
      }
      let first = UInt64(x0) &* 0xD251_1F53
      let second = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1, x2, x3) = (
        UInt32(truncatingIfNeeded: second >> 32) ^ x1 ^ k0,
        UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ x3 ^ k1,
        UInt32(truncatingIfNeeded: first)
      )
    }
    return SIMD4(x0, x1, x2, x3)
  }

  /// The same permutation on 64-bit halves.
  static func pair(low: UInt64, high: UInt64, key: UInt64) -> (UInt64, UInt64) {
    let words = block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32),
        UInt32(truncatingIfNeeded: high), UInt32(truncatingIfNeeded: high >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)))
    return (
      UInt64(words.x) | UInt64(words.y) << 32,
      UInt64(words.z) | UInt64(words.w) << 32
    )
  }
}
