import FusionMDP
import OffPolicyEvaluation
import SeededRandom

/// A finite Markov decision process whose transition probabilities are tenths.
///
/// A state is its index in one number, an action is −1, 0 or 1; a step may end the session.
struct TabularProblem {
  static let actionCount = 3
  static let ended = -1
  let stateCount: Int
  /// Ten equally likely successors of each (state, action); `ended` ends the session.
  let successors: [[Int]]
  /// Mean reward of each (state, action).
  let rewards: [Double]
  let discount = 0.9

  init(stateCount: Int = 5, seed: UInt64) {
    var stream = RandomStream(seed: seed, name: "tabular")
    self.stateCount = stateCount
    var successors: [[Int]] = []
    var rewards: [Double] = []
    for _ in 0..<(stateCount * Self.actionCount) {
      // Two of ten steps end the session.
      successors.append(
        (0..<10).map { $0 < 2 ? Self.ended : stream.index(below: stateCount) })
      rewards.append(stream.uniform(in: -1...2))
    }
    self.successors = successors
    self.rewards = rewards
  }

  /// V of a deterministic policy by repeated Bellman backups, exact to rounding.
  func values(of policy: [Int]) -> [Double] {
    var values = [Double](repeating: 0, count: stateCount)
    for _ in 0..<2000 {
      values = (0..<stateCount).map { s in
        let pair = s * Self.actionCount + policy[s]
        let next = successors[pair].reduce(0.0) { $0 + ($1 == Self.ended ? 0 : values[$1]) / 10 }
        return rewards[pair] + discount * next
      }
    }
    return values
  }

  static func weight(_ action: Int) -> Float { Float(action - 1) }

  /// A state as policies and networks see it: its index, or an indicator of each state.
  func features(_ state: Int, oneHot: Bool) -> [Float] {
    oneHot ? (0..<stateCount).map { $0 == state ? 1 : 0 } : [Float(state)]
  }

  /// Each (state, action, successor) once: the data's frequencies are the true probabilities.
  func everyTransition(oneHot: Bool = false) throws -> TrajectoryArrays {
    var sessions: [Trajectory] = []
    for s in 0..<stateCount {
      for a in 0..<Self.actionCount {
        for next in successors[s * Self.actionCount + a] {
          sessions.append(
            Trajectory(
              states: features(s, oneHot: oneHot), actions: [Self.weight(a)],
              rewards: [Float(rewards[s * Self.actionCount + a])],
              end: next == Self.ended ? .terminal : .truncated,
              finalState: next == Self.ended ? nil : features(next, oneHot: oneHot),
              userHash: UInt64(sessions.count)))
        }
      }
    }
    return try TrajectoryArrays(
      sessions, stateSize: oneHot ? stateCount : 1, actionSize: 1)
  }

  /// Sessions that begin in states 0 and 1, by a uniform behaviour policy, with noisy rewards.
  ///
  /// `sessionsPerUser` sessions of one user share an offset of every reward of deviation
  /// `userDeviation`, which makes them resemble each other.
  func sessions(
    users: Int, sessionsPerUser: Int = 1, userDeviation: Double = 0,
    using stream: inout RandomStream
  ) throws -> TrajectoryArrays {
    var sessions: [Trajectory] = []
    for user in 0..<users {
      let offset = userDeviation * stream.gaussian()
      for _ in 0..<sessionsPerUser {
        var (states, actions, observed): ([Float], [Float], [Float]) = ([], [], [])
        var s = stream.index(below: 2)
        while s != Self.ended {
          let a = stream.index(below: Self.actionCount)
          let pair = s * Self.actionCount + a
          states.append(Float(s))
          actions.append(Self.weight(a))
          observed.append(Float(rewards[pair] + offset + 0.5 * stream.gaussian()))
          s = successors[pair][stream.index(below: 10)]
        }
        sessions.append(
          Trajectory(
            states: states, actions: actions, rewards: observed, end: .terminal,
            userHash: UInt64(user)))
      }
    }
    return try TrajectoryArrays(sessions, stateSize: 1, actionSize: 1)
  }

  var normalizer: StateNormalizer { .identity(stateSize: 1) }
}

/// One action a state, of states that are indicators.
struct IndicatorPolicy: FusionPolicy {
  let actions: [Int]
  var name: String { "table" }
  var actionSize: Int { 1 }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let size = requests.stateSize
    return PolicyDecisions(
      actions: (0..<requests.count).map { row in
        let state = requests.states[row * size..<(row + 1) * size].firstIndex(of: 1)
        return TabularProblem.weight(actions[(state ?? 0) - row * size])
      })
  }
}

/// One action a state.
struct TablePolicy: FusionPolicy {
  let actions: [Int]
  var name: String { "table" }
  var actionSize: Int { 1 }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    PolicyDecisions(
      actions: requests.states.map { TabularProblem.weight(actions[Int($0)]) })
  }
}

/// The indicator of each (state, action): a linear Q over it is a table.
struct TableFeatures: StateActionFeatures {
  let stateCount: Int
  func count(stateSize: Int, actionSize: Int) -> Int { stateCount * TabularProblem.actionCount }

  func append(
    state: ArraySlice<Float>, action: ArraySlice<Float>, to features: inout [Double]
  ) {
    let start = features.count
    for _ in 0..<count(stateSize: state.count, actionSize: action.count) { features.append(0) }
    let s = Int((state.first ?? 0).rounded())
    let a = Int((action.first ?? 0).rounded()) + 1
    features[start + s * TabularProblem.actionCount + a] = 1
  }
}
