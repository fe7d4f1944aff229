import SeededRandom
import Testing

@Suite("Philox4x32-10")
struct PhiloxTests {
  @Test("the known-answer vectors of Random123 come out")
  func knownAnswers() {
    let all = UInt32.max
    #expect(
      Philox4x32.block(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox4x32.block(counter: SIMD4(all, all, all, all), key: SIMD2(all, all))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox4x32.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }
}

@Suite("stable hash")
struct StableHashTests {
  @Test("values never change between releases: assignments and splits depend on them")
  func pinned() {
    // Scripts/oracles/seeded_random.py
    #expect(stableHash("") == 0xA6BB_C8DC_BE30_928C)
    #expect(stableHash("user-42", seed: 7) == 0x943E_6CF9_787D_E477)
    #expect(stableHash(42, seed: 7) == 0x5F28_7F37_B090_1E0D)
  }

  @Test("flipping one input bit flips about half of the output bits, whichever bit it is")
  func avalanche() {
    for bit in 0..<64 {
      var flips = 0
      for value in UInt64(0)..<256 {
        let plain = stableHash(value, seed: 3)
        flips += (plain ^ stableHash(value ^ (1 << UInt64(bit)), seed: 3)).nonzeroBitCount
      }
      let mean = Double(flips) / 256
      #expect(abs(mean - 32) < 1.5, "input bit \(bit) flips \(mean) bits")
    }
  }

  @Test("texts that differ in the last letter spread evenly over 10 buckets")
  func textsSpread() {
    var buckets = [Int](repeating: 0, count: 10)
    for i in 0..<10_000 { buckets[Int(stableHash("user\(i)", seed: 1) % 10)] += 1 }
    let chiSquare = buckets.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    // 99.99 % quantile of χ² with 9 degrees of freedom
    #expect(chiSquare < 33.7)
  }

  @Test("the seed changes the hash of the same text")
  func seeds() {
    #expect(stableHash("a", seed: 1) != stableHash("a", seed: 2))
    #expect(stableHash(1, seed: 1) != stableHash(1, seed: 2))
  }
}
