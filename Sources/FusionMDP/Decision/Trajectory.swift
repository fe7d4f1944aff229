/// How a session's record ends; the raw values are those of the `session_end` tensor.
public enum SessionEnd: UInt8, Sendable, Hashable, CaseIterable {
  /// The user left: nothing follows the last step.
  case terminal = 0
  /// The log was cut: the session went on, so the last step still bootstraps.
  case truncated = 1
}

/// One session: (s_0, a_0, r_1, s_1, a_1, r_2, …), one step a request (paper, fig. 4).
///
/// Shapes: T steps; `states` [T·S], `actions` [T·A] in [−1, 1], `rewards` [T],
/// `logPropensities` [T] in nats (NaN where unknown), `finalState` [S].
public struct Trajectory: Sendable, Equatable {
  /// States at the requests [T·S].
  public var states: [Float]
  /// Normalized actions taken [T·A].
  public var actions: [Float]
  /// Rewards of the requests [T].
  public var rewards: [Float]
  /// Log densities of the actions under the logging policy [T], or nil if all are unknown.
  public var logPropensities: [Float]?
  /// Whether the user left or the log was cut.
  public var end: SessionEnd
  /// The state after the last step of a truncated session, where it is known [S].
  public var finalState: [Float]?
  /// When the session began, in milliseconds since 1970.
  public var startTimeMilliseconds: Int64
  /// The stable hash of the user's id.
  public var userHash: UInt64

  /// A session of T steps.
  public init(
    states: [Float], actions: [Float], rewards: [Float], logPropensities: [Float]? = nil,
    end: SessionEnd, finalState: [Float]? = nil, startTimeMilliseconds: Int64 = 0,
    userHash: UInt64 = 0
  ) {
    self.states = states
    self.actions = actions
    self.rewards = rewards
    self.logPropensities = logPropensities
    self.end = end
    self.finalState = finalState
    self.startTimeMilliseconds = startTimeMilliseconds
    self.userHash = userHash
  }

  /// The number of steps, T.
  public var stepCount: Int { rewards.count }
}

/// What can be wrong with trajectories.
public enum TrajectoryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// An array whose length does not fit the number of steps.
  case length(trajectory: Int, field: String, expected: Int, found: Int)
  /// A number that is NaN or infinite, or an action outside [−1, 1].
  case value(trajectory: Int, step: Int, field: String, expected: String, found: Float)
  /// There is no transition in the data.
  case noTransitions(sessions: Int)

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .length(let trajectory, let field, let expected, let found):
      "trajectory \(trajectory): \(field) has \(found) numbers, expected \(expected)"
    case .value(let trajectory, let step, let field, let expected, let found):
      "trajectory \(trajectory), step \(step): \(field) is \(found), expected \(expected)"
    case .noTransitions(let sessions):
      "\(sessions) sessions hold no transition"
    }
  }
}
