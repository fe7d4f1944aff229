import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Known values")
struct TabularTests {
  static func linear(
    _ problem: TabularProblem, conservativeWeight: Double = 0, fits: Int = 2
  ) -> LinearFittedQ {
    var configuration = FittedQConfiguration()
    configuration.discount = problem.discount
    configuration.intervalFits = fits
    return LinearFittedQ(
      configuration: configuration, features: TableFeatures(stateCount: problem.stateCount),
      conservativeWeight: conservativeWeight, ridge: 0)
  }

  @Test("a linear fit equals the exact solve of random tabular MDPs")
  func exact() throws {
    for seed in 0..<20 as Range<UInt64> {
      let problem = TabularProblem(seed: seed)
      var stream = RandomStream(seed: seed, name: "policy")
      let table = stream.indices(below: TabularProblem.actionCount, count: problem.stateCount)
      var estimator = Self.linear(problem)
      estimator.ridge = 1e-9  // resampled sessions may miss a pair
      let estimate = try estimator.estimate(
        policy: TablePolicy(actions: table), data: problem.everyTransition(),
        normalizer: problem.normalizer, seed: seed)
      let truth = problem.values(of: table).reduce(0, +) / Double(problem.stateCount)
      #expect(abs(estimate.value - truth) < 1e-3, "\(estimate.value) against \(truth)")
      #expect(estimate.n == problem.stateCount * 30)
    }
  }

  @Test("a network's fit comes within 0.06 of values that lie 2.5 apart", arguments: [1, 2])
  func network(seed: UInt64) throws {
    // The state's index in one number, so the network has to learn the table.
    let problem = TabularProblem(stateCount: 3, seed: 4)
    var configuration = FittedQConfiguration()
    configuration.discount = problem.discount
    configuration.hidden = [48, 48]
    configuration.learningRate = 1e-3
    configuration.batchSize = 256
    configuration.rounds = 3000
    configuration.averagedShare = 0.5
    configuration.intervalFits = 2
    for table in [[0, 1, 2], [2, 0, 0]] {
      let estimate = try FittedQEvaluation(configuration: configuration).estimate(
        policy: TablePolicy(actions: table), data: problem.everyTransition(),
        normalizer: problem.normalizer, seed: seed)
      let truth = problem.values(of: table).reduce(0, +) / 3
      #expect(abs(estimate.value - truth) < 0.06, "\(estimate.value) against \(truth)")
    }
  }

  @Test("a terminal step does not bootstrap, a truncated one does")
  func ends() throws {
    func value(_ end: SessionEnd) throws -> Double {
      let session = Trajectory(
        states: [0, 1], actions: [0, 0], rewards: [1, 2], end: end,
        finalState: end == .truncated ? [0] : nil)
      var configuration = FittedQConfiguration()
      configuration.discount = 0.5
      return try LinearFittedQ(
        configuration: configuration, features: StateFeatures(), ridge: 0
      ).estimate(
        policy: TablePolicy(actions: [1, 1]),
        data: TrajectoryArrays([session], stateSize: 1, actionSize: 1),
        normalizer: .identity(stateSize: 1), seed: 1
      ).value
    }
    // 1 + ½·2, and V0 = 1 + ½·V1 with V1 = 2 + ½·V0.
    #expect(abs(try value(.terminal) - 2) < 1e-6)
    #expect(abs(try value(.truncated) - 8.0 / 3) < 1e-6)
  }

  @Test("a network comes within 6 % of a linear quadratic regulator's value")
  func regulator() throws {
    // s' = 0.7·s + 0.3·u, r = −(s² + 0.5·u²), u = −0.6·s, so V(s) = −p·s² with
    // p = (1 + 0.5·0.36)/(1 − 0.8·0.52²); no state lies outside [−1, 1].
    let p = 1.18 / (1 - 0.8 * 0.52 * 0.52)
    var stream = RandomStream(seed: 3, name: "regulator")
    var sessions: [Trajectory] = []
    var truth = 0.0
    for _ in 0..<1500 {
      let s = stream.uniform(in: -1...1)
      let u = stream.uniform(in: -1...1)
      truth -= p * s * s / 1500
      sessions.append(
        Trajectory(
          states: [Float(s)], actions: [Float(u)], rewards: [Float(-(s * s + 0.5 * u * u))],
          end: .truncated, finalState: [Float(0.7 * s + 0.3 * u)],
          userHash: UInt64(sessions.count)))
    }
    var configuration = FittedQConfiguration()
    configuration.discount = 0.8
    configuration.hidden = [64, 64]
    configuration.learningRate = 1e-3
    configuration.batchSize = 256
    configuration.rounds = 4000
    configuration.intervalFits = 2
    let estimate = try FittedQEvaluation(configuration: configuration).estimate(
      policy: ProportionalPolicy(gain: -0.6),
      data: TrajectoryArrays(sessions, stateSize: 1, actionSize: 1),
      normalizer: .identity(stateSize: 1), seed: 2)
    #expect(abs(estimate.value - truth) < 0.06 * abs(truth), "\(estimate.value), \(truth)")
    #expect(try #require(estimate.fit).temporalDifferenceError < 0.05)
  }
}

/// The indicator of states 0 and 1.
struct StateFeatures: StateActionFeatures {
  func count(stateSize: Int, actionSize: Int) -> Int { 2 }
  func append(
    state: ArraySlice<Float>, action: ArraySlice<Float>, to features: inout [Double]
  ) {
    features += state.first == 0 ? [1, 0] : [0, 1]
  }
}

/// u = gain·s.
struct ProportionalPolicy: FusionPolicy {
  let gain: Float
  var name: String { "proportional" }
  var actionSize: Int { 1 }
  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    PolicyDecisions(actions: requests.states.map { gain * $0 })
  }
}
