import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom

/// A policy around tanh of the first state features, 0.7 times; one a dimension.
struct LeaningPolicy: FusionPolicy {
  let actionSize: Int
  var name: String { "leaning" }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let size = requests.stateSize
    return PolicyDecisions(
      actions: (0..<requests.count).flatMap { row in
        (0..<actionSize).map { Float(tanh(0.7 * Double(requests.states[row * size + $0]))) }
      })
  }
}

/// Logs whose densities are known.
struct DensityLog {
  let source: TrajectoryArrays
  /// log p(a | s) with whatever the state does not hold averaged out, in nats [N].
  let truth: [Double]
  let normalizer: StateNormalizer

  /// Sessions of ten requests, one a user: states of independent N(0, 1), actions of `policy`.
  ///
  /// - Parameters:
  ///   - shift: added to every logged log density.
  ///   - changed: what becomes of each action.
  init(
    policy: any FusionPolicy, users: Int, stateSize: Int = 3, seed: UInt64, shift: Float = 0,
    changed: (Float) -> Float = { $0 },
    truth: ((_ states: [Float], _ actions: [Float]) -> [Double])?
  ) throws {
    var stream = RandomStream(seed: seed, name: "density-log")
    var sessions: [Trajectory] = []
    var exact: [Double] = []
    for user in 0..<users {
      let hash = stableHash(UInt64(user), seed: 5)
      let states = stream.gaussians(10 * stateSize)
      let decided = policy.decide(
        PolicyRequests(
          states: states, stateSize: stateSize,
          userHashes: [UInt64](repeating: hash, count: 10)), using: &stream)
      exact += truth?(states, decided.actions) ?? decided.logPropensities ?? []
      sessions.append(
        Trajectory(
          states: states, actions: decided.actions.map(changed),
          rewards: [Float](repeating: 0, count: 10),
          logPropensities: decided.logPropensities.map { $0.map { Float($0) + shift } },
          end: .terminal, startTimeMilliseconds: Int64(user), userHash: hash))
    }
    source = try TrajectoryArrays(
      sessions, stateSize: stateSize, actionSize: policy.actionSize)
    self.truth = exact
    normalizer = .identity(stateSize: stateSize)
  }

  /// Around a mean that depends on the state, deviation 0.2.
  static func leaning(
    users: Int = 600, actionSize: Int = 2, seed: UInt64, shift: Float = 0,
    changed: (Float) -> Float = { $0 }
  ) throws -> DensityLog {
    try DensityLog(
      policy: ActionNoiseExploration(
        base: LeaningPolicy(actionSize: actionSize), deviation: 0.2),
      users: users, seed: seed, shift: shift, changed: changed, truth: nil)
  }

  /// Half of the users explore at random, half around the leaning policy with deviation 0.1: given
  /// the state alone the density is the mean of the two.
  static func mixed(users: Int = 1000, seed: UInt64) throws -> DensityLog {
    let random = RandomExploration(actionSize: 2)
    let noise = ActionNoiseExploration(base: LeaningPolicy(actionSize: 2))
    return try DensityLog(
      policy: MixedExploration(random: random, actionNoise: noise), users: users, seed: seed
    ) { states, actions in
      var unused = RandomStream(seed: 0, name: "none")
      let base = LeaningPolicy(actionSize: 2).decide(
        PolicyRequests(
          states: states, stateSize: 3,
          userHashes: [UInt64](repeating: 0, count: states.count / 3)), using: &unused
      ).actions
      return zip(
        random.logDensities(of: actions), noise.logDensities(of: actions, given: base)
      ).map { log((exp($0) + exp($1)) / 2) }
    }
  }

  /// How far fitted densities are from the true ones, in nats: the mean of true − fitted, which is
  /// the divergence, and of its absolute value.
  func error(of fitted: [Double]) -> (divergence: Double, absolute: Double) {
    let differences = zip(truth, fitted).map { $0 - $1 }
    let count = Double(truth.count)
    return (
      differences.reduce(0, +) / count, differences.reduce(0) { $0 + abs($1) } / count
    )
  }
}

extension BehaviorDensityConfiguration {
  /// Small enough for a test.
  static var quick: BehaviorDensityConfiguration {
    var configuration = BehaviorDensityConfiguration()
    configuration.hidden = [32]
    configuration.steps = 1200
    configuration.batchSize = 128
    configuration.componentCounts = [1, 3]
    configuration.folds = 2
    return configuration
  }
}
