import FusionMDP
import OffPolicyEvaluation
import SeededRandom

/// Log densities by the state's index, whatever the action.
struct ListedDensities: DensityPolicy {
  let densities: [Double]
  var name: String { "listed" }
  var actionSize: Int { 1 }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    PolicyDecisions(actions: [Float](repeating: 0, count: requests.count))
  }

  func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double] {
    requests.states.map { logarithm(densities[Int($0)]) }
  }
}

/// Probabilities of the three actions a state.
struct StochasticTable: DensityPolicy {
  let probabilities: [[Double]]
  var name: String { "stochastic table" }
  var actionSize: Int { 1 }

  func draw(_ state: Int, using stream: inout RandomStream) -> Int {
    let u = stream.uniform()
    let row = probabilities[state]
    return u < row[0] ? 0 : (u < row[0] + row[1] ? 1 : 2)
  }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    PolicyDecisions(
      actions: requests.states.map { TabularProblem.weight(draw(Int($0), using: &stream)) })
  }

  func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double] {
    zip(requests.states, actions).map { state, action in
      logarithm(probabilities[Int(state)][Int(action) + 1])
    }
  }
}

/// Natural logarithm through the module's own density: log x = log density ratio of scale.
func logarithm(_ x: Double) -> Double {
  // ln x = −(ln φ(0; x) − ln φ(0; 1))
  x > 0
    ? NormalDistribution.logDensity(0) - NormalDistribution.logDensity(0, deviation: x) : -.infinity
}

extension TabularProblem {
  /// What the tests of weighted estimators log with, and evaluate.
  static let behavior = StochasticTable(
    probabilities: [[0.4, 0.35, 0.25], [0.3, 0.3, 0.4], [0.25, 0.45, 0.3]])
  static let target = StochasticTable(
    probabilities: [[0.25, 0.35, 0.4], [0.4, 0.3, 0.3], [0.35, 0.25, 0.4]])

  /// V of a stochastic policy by repeated Bellman backups.
  func values(of policy: StochasticTable) -> [Double] {
    var values = [Double](repeating: 0, count: stateCount)
    for _ in 0..<500 {
      values = (0..<stateCount).map { s in
        (0..<Self.actionCount).reduce(0.0) { sum, a in
          let pair = s * Self.actionCount + a
          let next = successors[pair].reduce(0.0) {
            $0 + ($1 == Self.ended ? 0 : values[$1]) / 10
          }
          return sum + policy.probabilities[s][a] * (rewards[pair] + discount * next)
        }
      }
    }
    return values
  }

  /// Sessions of the behavior with its propensities; two a user.
  func loggedSessions(users: Int, using stream: inout RandomStream) throws -> TrajectoryArrays {
    var sessions: [Trajectory] = []
    for user in 0..<users {
      for _ in 0..<2 {
        var (states, actions, observed): ([Float], [Float], [Float]) = ([], [], [])
        var propensities: [Float] = []
        var s = stream.index(below: 2)
        while s != Self.ended {
          let a = Self.behavior.draw(s, using: &stream)
          let pair = s * Self.actionCount + a
          states.append(Float(s))
          actions.append(Self.weight(a))
          propensities.append(Float(logarithm(Self.behavior.probabilities[s][a])))
          observed.append(Float(rewards[pair] + 0.5 * stream.gaussian()))
          s = successors[pair][stream.index(below: 10)]
        }
        sessions.append(
          Trajectory(
            states: states, actions: actions, rewards: observed, logPropensities: propensities,
            end: .terminal, userHash: UInt64(user)))
      }
    }
    return try TrajectoryArrays(sessions, stateSize: 1, actionSize: 1)
  }
}

/// One request a session, one weight, a state in [−1, 1]: r = 1 + s − (a − s/2)² + noise.
struct ContinuousBandit {
  let behavior = RandomExploration(actionSize: 1, deviation: 0.5)
  let target = ActionNoiseExploration(base: ProportionalPolicy(gain: 0.4), deviation: 0.3)

  /// E[r] under a policy whose action is TruncatedGaussian(gain·s, deviation), by midpoints.
  static func value(gain: Double, deviation: Double) -> Double {
    var total = 0.0
    for i in 0..<400 {
      let s = -1 + (Double(i) + 0.5) / 200
      let density = TruncatedGaussian(mean: gain * s, deviation: deviation)
      var (sum, mass) = (0.0, 0.0)
      for j in 0..<2000 {
        let a = -1 + (Double(j) + 0.5) / 1000
        // e^x = φ-ratio: the density relative to its peak.
        let p = NormalDistribution.density((a - density.mean) / deviation)
        sum += p * (1 + s - (a - s / 2) * (a - s / 2))
        mass += p
      }
      total += sum / mass
    }
    return total / 400
  }

  /// `count` sessions, each of another user, with their propensities.
  func sessions(count: Int, using stream: inout RandomStream) throws -> TrajectoryArrays {
    var sessions: [Trajectory] = []
    for user in 0..<count {
      let s = Float(stream.uniform(in: -1...1))
      let decided = behavior.decide(
        PolicyRequests(states: [s], stateSize: 1, userHashes: [UInt64(user)]), using: &stream)
      let a = decided.actions[0]
      let reward = 1 + s - (a - s / 2) * (a - s / 2) + Float(0.3 * stream.gaussian())
      sessions.append(
        Trajectory(
          states: [s], actions: [a], rewards: [reward],
          logPropensities: decided.logPropensities?.map { Float($0) }, end: .terminal,
          userHash: UInt64(user)))
    }
    return try TrajectoryArrays(sessions, stateSize: 1, actionSize: 1)
  }
}

/// Sessions of `steps` requests in A weights under random exploration, one a user.
func exploredSessions(
  users: Int, steps: ClosedRange<Int>, actionSize: Int, seed: UInt64
) throws -> TrajectoryArrays {
  var stream = RandomStream(seed: seed, name: "explored")
  let behavior = RandomExploration(actionSize: actionSize, deviation: 0.5)
  var sessions: [Trajectory] = []
  for user in 0..<users {
    let length = steps.lowerBound + stream.index(below: steps.count)
    let states = (0..<length).map { _ in Float(stream.uniform(in: -1...1)) }
    let decided = behavior.decide(
      PolicyRequests(
        states: states, stateSize: 1,
        userHashes: [UInt64](repeating: UInt64(user), count: length)), using: &stream)
    let rewards = (0..<length).map { step in
      1 + states[step] - decided.actions[step * actionSize] + Float(0.2 * stream.gaussian())
    }
    sessions.append(
      Trajectory(
        states: states, actions: decided.actions, rewards: rewards,
        logPropensities: decided.logPropensities?.map { Float($0) }, end: .terminal,
        userHash: UInt64(user)))
  }
  return try TrajectoryArrays(sessions, stateSize: 1, actionSize: actionSize)
}
