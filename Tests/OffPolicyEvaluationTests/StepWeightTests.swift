import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Weights of single steps")
struct StepWeightTests {
  static let stepwise: [EstimatorKind] = [.selfNormalizedPerDecision, .cappedImportanceSampling]

  /// One session a user, with these log ratios and rewards of its steps.
  static func sessions(
    _ steps: [(logRatios: [Double], rewards: [Float])], discount: Double = 0.95
  ) throws -> EvaluationSessions {
    let data = try TrajectoryArrays(
      steps.enumerated().map { user, session in
        Trajectory(
          states: session.rewards.map { _ in 0 }, actions: session.rewards.map { _ in 0 },
          rewards: session.rewards, end: .terminal, userHash: UInt64(user))
      }, stateSize: 1, actionSize: 1)
    return try EvaluationSessions(
      policy: ListedDensities(densities: [1]), data: data, normalizer: .identity(stateSize: 1),
      discount: discount, propensities: .fitted(steps.flatMap { $0.logRatios.map { -$0 } }),
      seed: 1)
  }

  static func estimate(
    _ kind: EstimatorKind, on sessions: EvaluationSessions
  ) throws -> PolicyValueEstimate {
    var configuration = EstimatorConfiguration()
    configuration.interval = .studentT
    configuration.fittedQ.discount = 0.95
    return try kind.make(configuration).estimate(on: sessions, seed: 1)
  }

  /// Σ_{t < n} γ^t at γ = 0.95.
  static func length(_ n: Int) -> Double { (1 - pow(0.95, Double(n))) / 0.05 }

  @Test("late steps that rest on one session are told", arguments: stepwise)
  func lateSteps(kind: EstimatorKind) throws {
    // Ten steps at which all weigh 1, then ten at which one does and the others 1e-3.
    let fall = [Double](repeating: 0, count: 10) + [log(1e-3)] + [Double](repeating: 0, count: 9)
    let sessions = try Self.sessions(
      (0..<1000).map { m in
        (
          m == 0 ? [Double](repeating: 0, count: 20) : fall,
          (0..<20).map { Float(1 + (m + $0) % 3) }
        )
      })
    let estimate = try Self.estimate(kind, on: sessions)
    let weights = try #require(estimate.weights)
    let (early, late) = (Self.length(10), Self.length(20) - Self.length(10))
    let sum = 1 + 999e-3
    let large = early / 1000 + late / sum
    let small = early / 1000 + late * 1e-3 / sum
    let squares = large * large + 999 * small * small
    #expect(abs(weights.largestShare - large / (early + late)) < 1e-9)
    #expect(
      abs(weights.effectiveSampleSize - (early + late) * (early + late) / squares) < 1e-6)
    #expect(abs(weights.largestShare - 0.188) < 0.001 && abs(weights.effectiveSampleSize - 28) < 1)
    let found = estimate.shortcomings(on: sessions).map(\.kind)
    #expect(found.contains(.effectiveSampleSize) && found.contains(.weightShare), "\(found)")
  }

  @Test("a session's share of each step, and of those after its end, by hand")
  func shares() throws {
    // Weights 2, 4 and ½ (over after one step), γ = ½.
    let estimate = try WeightedEstimatorTests.estimate(
      .selfNormalizedPerDecision, on: WeightedEstimatorTests.sessions())
    let weights = try #require(estimate.weights)
    let (long, short) = (2 / 2.5 + 0.5 * 4 / 4.5, 0.5 / 2.5 + 0.5 * 0.5 / 4.5)
    #expect(abs(weights.largestShare - long / 1.5) < 1e-6)
    #expect(
      abs(weights.effectiveSampleSize - 1.5 * 1.5 / (long * long + short * short)) < 1e-6)
  }

  @Test("products beyond every number keep all steps", arguments: stepwise)
  func underflow(kind: EstimatorKind) throws {
    func session(_ ratio: Double, _ reward: Float, steps: Int = 6) -> ([Double], [Float]) {
      ([Double](repeating: ratio, count: steps), [Float](repeating: reward, count: steps))
    }
    // Every return is Σ γ^t, so any self-normalized value is.
    let same = try Self.estimate(kind, on: Self.sessions([session(-150, 1), session(-151, 1)]))
    #expect(abs(same.value - Self.length(6)) < 1e-12, "\(same.value)")
    // At step t the session with reward 0 has e^−(t + 1) of the other's weight.
    let apart = try Self.estimate(kind, on: Self.sessions([session(-150, 1), session(-151, 0)]))
    let expected = (0..<6).reduce(0.0) {
      $0 + pow(0.95, Double($1)) / (1 + exp(-Double($1 + 1)))
    }
    #expect(abs(apart.value - expected) < 1e-12, "\(apart.value)")
    let mean = apart.parts.contributions.reduce(0, +) / 2
    #expect(abs(mean - expected) < 1e-12)
    // A session that was over before the products fell holds all weight from there on.
    let ended = try Self.estimate(
      kind, on: Self.sessions([session(-150, 1), session(-150, 3, steps: 2)]))
    #expect(abs(ended.value - 2 * Self.length(2)) < 1e-12, "\(ended.value)")
  }

  @Test("products above every number are not all equal")
  func overflow() throws {
    let up = [Double](repeating: 150, count: 6)
    let estimate = try Self.estimate(
      .selfNormalizedPerDecision,
      on: Self.sessions([
        (up, [1, 1, 1, 1, 1, 1]), (up.map { $0 - 1 }, [0, 0, 0, 0, 0, 0]),
      ]))
    let expected = (0..<6).reduce(0.0) {
      $0 + pow(0.95, Double($1)) / (1 + exp(-Double($1 + 1)))
    }
    #expect(abs(estimate.value - expected) < 1e-12, "\(estimate.value)")
  }

  @Test("what a cap takes off weights beyond every number is all of them")
  func capBeyondNumbers() throws {
    let sessions = try Self.sessions([
      ([400, 400], [1, 1]), ([401, 401], [0, 0]), ([-900, 0], [0, 0]),
    ])
    let estimate = try Self.estimate(.cappedImportanceSampling, on: sessions)
    #expect(abs(estimate.value - Self.length(2) / 2) < 1e-12, "\(estimate.value)")
    let cap = try #require(estimate.weights?.cap)
    #expect(abs(cap.removedShare - 1) < 1e-12)
    let free = 1 / (1 + exp(1.0)) + 0.95 / (1 + exp(2.0))
    #expect(abs(cap.shift - (free - Self.length(2) / 2)) < 1e-12)
  }

  @Test("sums of weights in logarithms equal plain ones, and a common factor changes nothing")
  func scales() throws {
    var stream = RandomStream(seed: 12, name: "scales")
    let coefficients = [1, 0.5, 0.25, 0.125, 0.0625]
    var units: [(logWeights: [Double], values: [Double])] = []
    var plain = RatioSums(coefficients: coefficients)
    for _ in 0..<60 {
      let length = 1 + stream.index(below: 5)
      let logWeights = stream.gaussians(length).map { 2 * Double($0) }
      let values = stream.gaussians(length).map { Double($0) }
      units.append((logWeights, values))
      let weights = logWeights.map { exp($0) }
      plain.append(
        zip(weights, values).map { $0 * $1 }, over: weights, tail: weights[length - 1])
    }
    let groups = (0..<20).map { [3 * $0, 3 * $0 + 1, 3 * $0 + 2] }
    let drawn = stream.indices(below: 60, count: 60)
    let value = try #require(plain.value(of: 0..<60))
    #expect(abs(plain.shares().reduce(0, +) - 1.9375) < 1e-12)
    for shift in [0, 600, -900] as [Double] {
      let sums = RatioSums(
        coefficients: coefficients,
        units: units.map { ($0.logWeights.map { $0 + shift }, $0.values) })
      #expect(abs(try #require(sums.value(of: 0..<60)) - value) < 1e-12)
      for (own, other) in [
        (sums.contributions(value: value), plain.contributions(value: value)),
        (sums.shares(), plain.shares()), (sums.influences(of: drawn), plain.influences(of: drawn)),
        (
          sums.grouped(groups).influences(of: Array(0..<20)),
          plain.grouped(groups).influences(of: Array(0..<20))
        ),
      ] {
        #expect(zip(own, other).allSatisfy { abs($0 - $1) < 1e-10 })
      }
      let grouped = try #require(sums.grouped(groups).value(of: 0..<20))
      #expect(abs(grouped - value) < 1e-12)
    }
  }
}
