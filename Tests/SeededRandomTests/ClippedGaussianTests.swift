import SeededRandom
import Testing

@Suite("clipped Gaussian draws")
struct ClippedGaussianTests {
  @Test(
    "they are the plain draws, clipped, and take as many words",
    arguments: [0.5, 1.4, 2.5] as [Float], [0, 1, 7, 8, 1003])
  func clipped(bound: Float, count: Int) {
    var plain = RandomStream(seed: 3, name: "clipped")
    var stream = plain
    let expected = plain.gaussians(count).map { min(max($0, -bound), bound) }
    #expect(stream.gaussians(count, clippedTo: bound) == expected)
    #expect(stream == plain)
  }

  @Test("a bound of ½ cuts as many draws as the normal distribution has beyond it")
  func share() {
    var stream = RandomStream(seed: 4, name: "share")
    let draws = stream.gaussians(100_000, clippedTo: 0.5)
    // 2·Φ(−½) = 0.617075; the standard error is 0.0015.
    let cut = Double(draws.count { abs($0) == 0.5 }) / 100_000
    #expect(abs(cut - 0.617075) < 0.006)
  }
}
