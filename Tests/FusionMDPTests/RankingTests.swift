import FusionMDP
import SeededRandom
import Testing

@Suite("ranking")
struct RankingTests {
  static func bySorting(_ scores: [Float], _ count: Int) -> [Int] {
    Array(
      scores.indices.sorted { scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1) }
        .prefix(count))
  }

  @Test("every array of up to seven scores of three values ranks as a full sort does, for every k")
  func exhaustive() {
    for length in 0...7 {
      var code = [Int](repeating: 0, count: length)
      var more = true
      while more {
        let scores = code.map { Float($0) }
        for count in 0...(length + 1)
        where topCandidates(of: scores, count: count) != Self.bySorting(scores, count) {
          Issue.record("\(scores), k = \(count)")
        }
        more = false
        for position in code.indices {
          code[position] += 1
          if code[position] < 3 {
            more = true
            break
          }
          code[position] = 0
        }
      }
    }
  }

  @Test("a thousand scores with ties and infinities rank as a full sort does")
  func large() {
    var stream = RandomStream(seed: 1, name: "large")
    var scores = (0..<1000).map { _ in Float(stream.index(below: 300)) }
    scores[17] = .infinity
    scores[400] = -.infinity
    for count in [1, 2, 6, 100, 999, 1000] {
      #expect(topCandidates(of: scores, count: count) == Self.bySorting(scores, count))
    }
  }

  @Test("permuting the candidates permutes the ranking")
  func permutation() throws {
    let schema = try TaskSchema(TaskTests.two)
    var stream = RandomStream(seed: 2, name: "permutation")
    let formula = FusionFormula.logSum(biases: [0.1, 1])
    let rows = (0..<40).map { _ in [Float(stream.uniform()), Float(stream.uniform(in: 0...60))] }
    let order = stream.shuffled(40)
    let straight = try formula.rankedCandidates(
      TaskScores(rows.flatMap { $0 }, schema: schema), weights: [1, 0.5], count: 10)
    let permuted = try formula.rankedCandidates(
      TaskScores(order.flatMap { rows[$0] }, schema: schema), weights: [1, 0.5], count: 10)
    #expect(permuted.map { order[$0] } == straight)
  }

  @Test("a fused score that overflows is refused with its item")
  func overflow() throws {
    let schema = try TaskSchema(TaskTests.two)
    let scores = try TaskScores([0.5, 1, 0.5, 1e30], schema: schema)
    #expect(throws: FusionError.fusedScoreNotFinite(item: 1, found: .infinity)) {
      try FusionFormula.powerProduct(biases: [0, 0]).rankedCandidates(
        scores, weights: [1, 2], count: 1)
    }
  }
}
