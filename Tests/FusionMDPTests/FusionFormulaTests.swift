import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite("fusion formulas")
struct FusionFormulaTests {
  static let formulas: [FusionFormula] = [
    .logSum(biases: [0.5, 0.75, 1]), .weightedSum, .powerProduct(biases: [0.5, 0.75, 1]),
  ]

  /// The formulas over again in Double, as the paper writes them.
  static func reference(_ formula: FusionFormula, _ o: [Double], _ w: [Double]) -> Double {
    switch formula {
    case .logSum(let b):
      zip(zip(o, w), b).reduce(0) { $0 + $1.0.1 * log($1.0.0 + Double($1.1)) }
    case .weightedSum:
      zip(o, w).reduce(0) { $0 + $1.0 * $1.1 }
    case .powerProduct(let b):
      zip(zip(o, w), b).reduce(1) { $0 * pow($1.0.0 + Double($1.1), $1.0.1) }
    }
  }

  @Test("hand-worked scores")
  func literals() {
    let o: [Float] = [0.5, 0.25, 3]
    let w: [Float] = [1, 2, 0.5]
    // 1·log 1 + 2·log 1 + ½·log 4 = log 2
    #expect(abs(Self.formulas[0].fusedScore(of: o, weights: w) - 0.6931472) < 1e-6)
    // 0.5 + 0.5 + 1.5
    #expect(Self.formulas[1].fusedScore(of: o, weights: w) == 2.5)
    // 1¹ · 1² · 4^½
    #expect(abs(Self.formulas[2].fusedScore(of: o, weights: w) - 2) < 1e-6)
    // Weights below zero: (0.5+0.5)·(0.25+0.75)·(3+1)^−1
    #expect(abs(Self.formulas[2].fusedScore(of: o, weights: [7, 3, -1]) - 0.25) < 1e-6)
    // log(0.1+0.1) = −1.6094379
    let small = FusionFormula.logSum(biases: [0.1])
    #expect(abs(small.fusedScore(of: [0.1], weights: [2]) + 3.2188758) < 1e-6)
  }

  @Test("a batch gives what each candidate gives alone, and features may be computed once")
  func batch() {
    var stream = RandomStream(seed: 3, name: "batch")
    for formula in Self.formulas {
      for itemCount in [0, 1, 2, 7, 33] {
        let candidates = (0..<itemCount * 3).map { _ in Float(stream.uniform()) }
        let weights = (0..<3).map { _ in Float(stream.uniform(in: -2...2)) }
        let fused = formula.fusedScores(candidates: candidates, weights: weights)
        #expect(fused.count == itemCount)
        let features = formula.features(of: candidates, taskCount: 3)
        #expect(formula.fusedScores(features: features, weights: weights) == fused)
        for item in 0..<itemCount {
          let row = Array(candidates[item * 3..<item * 3 + 3])
          #expect(formula.fusedScore(of: row, weights: weights) == fused[item])
          let expected = Self.reference(formula, row.map(Double.init), weights.map(Double.init))
          #expect(abs(Double(fused[item]) - expected) < 1e-5 * max(1, abs(expected)))
        }
      }
    }
  }

  @Test("gradients equal central differences in Double", arguments: formulas)
  func gradients(formula: FusionFormula) {
    var stream = RandomStream(seed: 5, name: "gradients")
    for _ in 0..<20 {
      let o = (0..<3).map { _ in Float(stream.uniform()) }
      let w = (0..<3).map { _ in Float(stream.uniform(in: -2...2)) }
      let byWeights = formula.gradientWithRespectToWeights(scores: o, weights: w)
      let byScores = formula.gradientWithRespectToScores(scores: o, weights: w)
      for index in 0..<3 {
        let h = 1e-5
        var (up, down) = (w.map(Double.init), w.map(Double.init))
        up[index] += h
        down[index] -= h
        let x = o.map(Double.init)
        var expected =
          (Self.reference(formula, x, up) - Self.reference(formula, x, down)) / (2 * h)
        #expect(abs(Double(byWeights[index]) - expected) < 1e-4 * max(1, abs(expected)))
        (up, down) = (x, x)
        up[index] += h
        down[index] -= h
        let v = w.map(Double.init)
        expected = (Self.reference(formula, up, v) - Self.reference(formula, down, v)) / (2 * h)
        #expect(abs(Double(byScores[index]) - expected) < 1e-4 * max(1, abs(expected)))
      }
    }
  }

  @Test("contributions sum to the score, or to its logarithm for the product")
  func contributions() {
    let o: [Float] = [0.3, 0.9, 12]
    let w: [Float] = [1.5, -0.5, 0.25]
    for formula in Self.formulas {
      let parts = formula.contributions(scores: o, weights: w)
      var score = formula.fusedScore(of: o, weights: w)
      if case .powerProduct = formula { score = log(score) }
      #expect(abs(parts.reduce(0, +) - score) < 1e-5)
    }
    // 1.5·log 0.8, −0.5·log 1.65, 0.25·log 13
    let parts = Self.formulas[0].contributions(scores: o, weights: w)
    #expect(abs(parts[0] + 0.33471533) < 1e-6)
    #expect(abs(parts[1] + 0.25038764) < 1e-6)
    #expect(abs(parts[2] - 0.64123734) < 1e-6)
  }

  @Test(
    "the score grows with a prediction of positive weight and falls with one of negative weight",
    arguments: formulas)
  func monotone(formula: FusionFormula) {
    var stream = RandomStream(seed: 7, name: "monotone")
    for _ in 0..<50 {
      var o = (0..<3).map { _ in Float(stream.uniform(in: 0...0.9)) }
      let w = (0..<3).map { _ in
        Float(stream.uniform(in: 0.1...2)) * (stream.next() & 1 == 0 ? 1 : -1)
      }
      let before = formula.fusedScore(of: o, weights: w)
      for task in 0..<3 {
        let old = o[task]
        o[task] += 0.1
        let after = formula.fusedScore(of: o, weights: w)
        #expect(w[task] > 0 ? after > before : after < before)
        o[task] = old
      }
    }
  }

  @Test("the product ranks like the logarithmic sum with the same biases")
  func sameRanking() {
    var stream = RandomStream(seed: 11, name: "ranking")
    let candidates = (0..<60).map { _ in Float(stream.uniform()) }
    let w: [Float] = [0.7, 1.3, -0.4]
    let a = Self.formulas[0].fusedScores(candidates: candidates, weights: w)
    let b = Self.formulas[2].fusedScores(candidates: candidates, weights: w)
    #expect(topCandidates(of: a, count: 20) == topCandidates(of: b, count: 20))
  }

  @Test("the standard biases have one entry a task and pass validation")
  func standardFormula() throws {
    try FusionFormula.standard.validate(schema: .standard)
    #expect(FusionFormula.standard.biases?.count == 12)
  }

  @Test("biases, weights and logarithms that cannot be are refused with their place")
  func validation() throws {
    let schema = try TaskSchema(TaskTests.two)
    let zeros: [Float] = [0, 0]
    #expect(throws: FusionError.biasCount(found: 3, tasks: 2)) {
      try Self.formulas[0].validate(schema: schema)
    }
    #expect(throws: FusionError.invalidBias(task: "watch_time", found: -1)) {
      try FusionFormula.logSum(biases: [0, -1]).validate(schema: schema)
    }
    let free = FusionFormula.powerProduct(biases: zeros)
    #expect(throws: FusionError.noLogarithm(item: 1, task: "watch_time", score: 0, bias: 0)) {
      try free.validate(scores: [0.5, 1, 0.5, 0], weights: [1, 1], schema: schema)
    }
    try free.validate(scores: [0.5, 1, 0.5, 2], weights: [1, 1], schema: schema)
    #expect(throws: FusionError.weightCount(found: 1, tasks: 2)) {
      try FusionFormula.weightedSum.validate(scores: [0, 0], weights: [1], schema: schema)
    }
    #expect(throws: FusionError.weightNotFinite(task: "watch_time", found: .infinity)) {
      try FusionFormula.weightedSum.validate(
        scores: [0, 0], weights: [1, .infinity], schema: schema)
    }
  }
}
