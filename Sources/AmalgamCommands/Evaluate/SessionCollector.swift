import FusionMDP
import UserSimulator

/// Gathers the requests of a platform's run into sessions.
///
/// Sessions of a run are played to their ends, so every one is terminal.
struct SessionCollector {
  private let reward: SatisfactionReward
  private var open: [Int: (session: Int, trajectory: Trajectory)] = [:]
  private var finished: [Trajectory] = []

  /// Gathers sessions that are rewarded so.
  init(reward: SatisfactionReward) { self.reward = reward }

  /// Adds a request; each user's come in time order.
  mutating func add(_ served: ServedRequest) {
    var signals = [Float](repeating: 0, count: FeedbackSignal.count)
    for feedback in served.feedback {
      for (index, value) in feedback.signals.enumerated() { signals[index] += value }
    }
    if let known = open[served.user], known.session != served.session {
      finished.append(known.trajectory)
      open[served.user] = nil
    }
    var current =
      open[served.user]?.trajectory
      ?? Trajectory(
        states: [], actions: [], rewards: [], logPropensities: [], end: .terminal,
        startTimeMilliseconds: served.timeMilliseconds, userHash: served.userHash)
    current.states += served.state
    current.actions += served.action
    current.rewards.append(reward(signals))
    current.logPropensities?.append(served.logPropensity.map { Float($0) } ?? .nan)
    open[served.user] = (served.session, current)
  }

  /// All sessions in time order.
  ///
  /// - Throws: `TrajectoryError`.
  func sessions(stateSize: Int, actionSize: Int) throws(TrajectoryError) -> TrajectoryArrays {
    let all = (finished + open.values.map(\.trajectory)).sorted {
      ($0.startTimeMilliseconds, $0.userHash) < ($1.startTimeMilliseconds, $1.userHash)
    }
    return try TrajectoryArrays(all, stateSize: stateSize, actionSize: actionSize)
  }
}
