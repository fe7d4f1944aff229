import SeededRandom
import Testing

@Suite("random stream")
struct RandomStreamTests {
  @Test("the first words of a seed never change between releases")
  func pinned() {
    var stream = RandomStream(seed: 1, name: "test")
    // Scripts/oracles/seeded_random.py
    let words: [UInt64] = [0x0432_3414_313E_B4C2, 0xCF5A_A665_02E2_6C95, 0xE7AE_6631_DA9A_6D4F]
    #expect([stream.next(), stream.next(), stream.next()] == words)
  }

  @Test("a child does not depend on what its parent has drawn")
  func children() {
    var parent = RandomStream(seed: 5, name: "root")
    var before = parent.child("fit", 3)
    _ = parent.next()
    var after = parent.child("fit", 3)
    let words = (0..<5).map { _ in before.next() }
    #expect(words == (0..<5).map { _ in after.next() })
  }

  @Test("seeds, names, indices and generations all give different streams")
  func identities() {
    let root = RandomStream(seed: 5, name: "root")
    var streams = [
      root, RandomStream(seed: 6, name: "root"), RandomStream(seed: 5, name: "toor"),
      root.child("root"), root.child("a"), root.child("a", 1), root.child("a", -1),
      root.child("a").child("a"), root.child("b").child("a"), root.child(""),
    ]
    var words = Set<UInt64>()
    for i in streams.indices {
      for _ in 0..<100 { words.insert(streams[i].next()) }
    }
    #expect(words.count == 100 * streams.count)
  }

  @Test("a state taken at an odd or even place goes on with the very next word")
  func states() {
    for drawn in 0..<4 {
      var stream = RandomStream(seed: 9, name: "state")
      for _ in 0..<drawn { _ = stream.next() }
      var resumed = RandomStream(state: stream.state)
      #expect(resumed == stream)
      for _ in 0..<7 {
        #expect(resumed.gaussian() == stream.gaussian())
        #expect(resumed.index(below: 10) == stream.index(below: 10))
      }
    }
  }

  @Test("uniform draws lie in [0, 1) and fill it evenly")
  func uniforms() {
    var stream = RandomStream(seed: 2, name: "uniform")
    var draws = (0..<50_000).map { _ in stream.uniform() }
    #expect(draws.allSatisfy { $0 >= 0 && $0 < 1 })
    draws.sort()
    #expect(kolmogorovDistance(draws) { $0 } < 1.95 / Double(draws.count).squareRoot())
    let bounded = (0..<1000).map { _ in stream.uniform(in: -3 ... -2) }
    #expect(bounded.allSatisfy { $0 >= -3 && $0 <= -2 })
  }

  @Test("Gaussian draws follow N(0, 1): Kolmogorov distance, moments and tails")
  func gaussians() {
    var stream = RandomStream(seed: 3, name: "gaussian")
    let count = 200_000
    var draws = (0..<count).map { _ in stream.gaussian() }
    draws.sort()
    let distance = kolmogorovDistance(draws, NormalDistribution.cumulative)
    #expect(distance < 1.95 / Double(count).squareRoot())
    func moment(_ power: Int) -> Double {
      draws.reduce(0) { total, x in total + (0..<power).reduce(1.0) { p, _ in p * x } }
        / Double(count)
    }
    // five standard errors of each moment
    #expect(abs(moment(1)) < 5 * 0.00224)
    #expect(abs(moment(2) - 1) < 5 * 0.00316)
    #expect(abs(moment(3)) < 5 * 0.00866)
    #expect(abs(moment(4) - 3) < 5 * 0.0219)
    let beyondThree = draws.count { abs($0) > 3 }
    #expect((430...650).contains(beyondThree), "\(beyondThree) of 540 expected beyond ±3")
  }

  @Test("a block of Gaussian draws equals the same draws one by one")
  func gaussianBlocks() {
    var blocks = RandomStream(seed: 4, name: "block")
    var single = blocks
    #expect(blocks.gaussians(7) == (0..<7).map { _ in Float(single.gaussian()) })
    #expect(blocks == single)
    #expect(blocks.gaussians(0).isEmpty)
  }

  @Test("bounded indices are even, also where the bound divides 2⁶⁴ badly")
  func boundedIndices() {
    var stream = RandomStream(seed: 6, name: "index")
    var counts = [Int](repeating: 0, count: 7)
    for index in stream.indices(below: 7, count: 70_000) { counts[index] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 }, "\(counts)")
    // With plain multiplication the lower third of this bound would come up half as often again.
    let bound = Int.max / 4 * 3
    let low = (0..<10_000).count { _ in stream.index(below: bound) < bound / 3 }
    #expect(abs(low - 3333) < 250, "\(low)")
    #expect(stream.index(below: 1) == 0)
    #expect(stream.indices(below: 3, count: 0).isEmpty)
  }

  @Test("each of the six orders of three comes up equally often")
  func permutations() {
    var stream = RandomStream(seed: 8, name: "order")
    var counts: [[Int]: Int] = [:]
    for _ in 0..<12_000 { counts[stream.shuffled(3), default: 0] += 1 }
    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { abs($0 - 2000) < 220 }, "\(counts)")
    #expect(stream.shuffled(0).isEmpty)
    #expect(stream.shuffled(1) == [0])
    #expect(stream.shuffled(100).sorted() == Array(0..<100))
  }

  private func kolmogorovDistance(_ sorted: [Double], _ cumulative: (Double) -> Double) -> Double {
    let count = Double(sorted.count)
    return sorted.enumerated().reduce(0) { worst, next in
      let expected = cumulative(next.element)
      return max(
        worst, expected - Double(next.offset) / count, Double(next.offset + 1) / count - expected)
    }
  }
}
