import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Conservatism")
struct ConservatismTests {
  /// One state; of four sessions three took action −1 and one action 1; the reward is 1.
  static func twoActions() throws -> TrajectoryArrays {
    try TrajectoryArrays(
      [-1, -1, -1, 1].enumerated().map { index, action in
        Trajectory(
          states: [0], actions: [action], rewards: [1], end: .terminal, userHash: UInt64(index))
      }, stateSize: 1, actionSize: 1)
  }

  @Test("on a table the value falls by alpha times the chi-square distance to the data")
  func chiSquare() throws {
    // Where ∂(α·R + T)/∂Q = 0: Q(a) = r − α·(π_e(a)/π_b(a) − 1).
    func value(_ action: Float, _ weight: Double) throws -> Double {
      let sessions = try EvaluationSessions(
        policy: FixedWeightsPolicy(action: [action]), data: Self.twoActions(),
        normalizer: .identity(stateSize: 1), seed: 1)
      return try LinearFittedQ(
        features: SignFeatures(), conservativeWeight: weight, ridge: 1e-12
      ).estimate(on: sessions, seed: 1).value
    }
    for weight in [0.01, 0.1, 0.2] {
      #expect(abs(try value(1, weight) - (1 - 3 * weight)) < 1e-6)
      #expect(abs(try value(-1, weight) - (1 - weight / 3)) < 1e-6)
    }
    #expect(abs(try value(1, 0) - 1) < 1e-6)
  }

  /// Sessions of a request or two under Gaussian actions around 0; the reward peaks at 0.2.
  static func continuous(seed: UInt64) throws -> TrajectoryArrays {
    var stream = RandomStream(seed: seed, name: "continuous")
    let behavior = RandomExploration(actionSize: 2, deviation: 0.25)
    var sessions: [Trajectory] = []
    for index in 0..<1000 {
      let states = (0..<2).map { _ in Float(stream.uniform(in: -1...1)) }
      let actions = behavior.decide(
        PolicyRequests(states: states, stateSize: 1, userHashes: [1, 1]), using: &stream
      ).actions
      let rewards = (0..<2).map { step in
        let (a, b) = (actions[2 * step] - 0.2, actions[2 * step + 1])
        return 1 + 0.3 * states[step] - a * a - b * b + Float(0.1 * stream.gaussian())
      }
      sessions.append(
        Trajectory(
          states: states, actions: actions, rewards: rewards, end: .terminal,
          userHash: UInt64(index)))
    }
    return try TrajectoryArrays(sessions, stateSize: 1, actionSize: 2)
  }

  static var quick: FittedQConfiguration {
    var configuration = FittedQConfiguration()
    configuration.hidden = [32, 32]
    configuration.learningRate = 1e-3
    configuration.batchSize = 128
    configuration.rounds = 800
    configuration.intervalFits = 2
    return configuration
  }

  @Test("the gap to FQE grows with alpha and with the distance from the data")
  func gapGrows() throws {
    let data = try Self.continuous(seed: 1)
    let weights = [0.02, 0.08, 0.3]
    let distances: [Float] = [0, 0.4, 0.7, 1]
    var gaps: [[Double]] = []
    for distance in distances {
      let sessions = try EvaluationSessions(
        policy: FixedWeightsPolicy(action: [-distance, distance]), data: data,
        normalizer: .identity(stateSize: 1), seed: 1)
      let fitted = try FittedQEvaluation(configuration: Self.quick).estimate(
        on: sessions, seed: 1)
      gaps.append(
        try weights.map { weight in
          let conservative = try ConservativeEstimator(
            configuration: Self.quick, conservativeWeight: weight
          ).estimate(on: sessions, seed: 1)
          return fitted.value - conservative.value
        })
    }
    for (row, gap) in gaps.enumerated() {
      for column in 1..<weights.count {
        #expect(gap[column] > gap[column - 1], "distance \(distances[row]): gaps \(gap)")
      }
    }
    for column in weights.indices {
      for row in 1..<distances.count {
        #expect(gaps[row][column] > gaps[row - 1][column], "alpha \(weights[column]): \(gaps)")
      }
    }
  }

  @Test("near the data the gap is a small part of what it is far away")
  func nearBehavior() throws {
    let data = try Self.continuous(seed: 2)
    var configuration = Self.quick
    configuration.policySamples = 8
    func gap(_ policy: any FusionPolicy) throws -> (gap: Double, value: Double) {
      let sessions = try EvaluationSessions(
        policy: policy, data: data, normalizer: .identity(stateSize: 1),
        samples: configuration.policySamples, seed: 1)
      let fitted = try FittedQEvaluation(configuration: configuration)
        .estimate(on: sessions, seed: 1)
      let conservative = try ConservativeEstimator(
        configuration: configuration, conservativeWeight: 0.1
      ).estimate(on: sessions, seed: 1)
      return (fitted.value - conservative.value, fitted.value)
    }
    let behavior = try gap(RandomExploration(actionSize: 2, deviation: 0.25))
    let far = try gap(FixedWeightsPolicy(action: [-1, 1]))
    #expect(far.gap > 0)
    #expect(abs(behavior.gap) < 0.05 * far.gap, "\(behavior.gap) against \(far.gap)")
    // The behaviour's own value is the mean logged return.
    let logged = try EvaluationSessions(
      policy: FixedWeightsPolicy(action: [0, 0]), data: data,
      normalizer: .identity(stateSize: 1), seed: 1
    ).loggedReturn.mean
    #expect(abs(behavior.value - logged) < 0.03 * logged, "\(behavior.value), \(logged)")
  }
}

/// The indicator of a negative and of a positive action.
struct SignFeatures: StateActionFeatures {
  func count(stateSize: Int, actionSize: Int) -> Int { 2 }
  func append(
    state: ArraySlice<Float>, action: ArraySlice<Float>, to features: inout [Double]
  ) {
    features += (action.first ?? 0) < 0 ? [1, 0] : [0, 1]
  }
}
