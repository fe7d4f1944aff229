/// B transitions (s, a, r, s′) side by side.
///
/// Shapes: `states` [B·S], `actions` [B·A], `rewards` [B], `nextStates` [B·S], `bootstraps` [B]:
/// 1 where the return goes on after the step, 0 after a terminal one.
public struct TransitionBatch: Sendable, Equatable {
  /// The number of transitions, B.
  public let count: Int
  /// The size of a state, S.
  public let stateSize: Int
  /// The size of an action, A.
  public let actionSize: Int
  /// The raw or normalized states [B·S].
  public var states: [Float]
  /// The normalized actions [B·A].
  public var actions: [Float]
  /// The rewards [B].
  public var rewards: [Float]
  /// The states one step later; zeros where nothing follows.
  public var nextStates: [Float]
  /// 1 where the return goes on, 0 after a terminal step [B].
  public var bootstraps: [Float]

  /// A batch of `rewards.count` transitions.
  public init(
    stateSize: Int, actionSize: Int, states: [Float], actions: [Float], rewards: [Float],
    nextStates: [Float], bootstraps: [Float]
  ) {
    let rows = rewards.count
    precondition(
      states.count == rows * stateSize && nextStates.count == rows * stateSize
        && actions.count == rows * actionSize && bootstraps.count == rows,
      """
      \(rows) transitions of state size \(stateSize), action size \(actionSize): \(states.count) \
      states, \(actions.count) actions, \(nextStates.count) next states, \
      \(bootstraps.count) bootstraps
      """)
    count = rows
    self.stateSize = stateSize
    self.actionSize = actionSize
    self.states = states
    self.actions = actions
    self.rewards = rewards
    self.nextStates = nextStates
    self.bootstraps = bootstraps
  }
}

/// A fixed data set of sessions, read by transition or by session.
///
/// Transitions 0 ..< `transitionCount` lie session after session, sessions in time order, steps in
/// order. A truncated session whose final state is unknown has lost its last step, which is no
/// transition; sessions left without any are not part of the source.
public protocol TransitionSource: Sendable {
  /// The number of transitions.
  var transitionCount: Int { get }
  /// The number of sessions, M.
  var sessionCount: Int { get }
  /// The size of a state, S.
  var stateSize: Int { get }
  /// The size of an action, A.
  var actionSize: Int { get }
  /// The transitions at these indices, in their order, repeats allowed.
  func batch(at indices: [Int]) -> TransitionBatch
  /// The transitions of session `m`, never empty.
  func session(_ m: Int) -> Range<Int>
  /// The first states of these sessions [n·S].
  func initialStates(of sessions: [Int]) -> [Float]
  /// The logged log densities, in nats, of the actions at these transitions [n]; NaN if unknown.
  func logPropensities(at indices: [Int]) -> [Float]
  /// When session `m` began, in milliseconds since 1970.
  func startTimeMilliseconds(of m: Int) -> Int64
  /// The stable hash of the user of session `m`.
  func userHash(of m: Int) -> UInt64
  /// How the record of session `m` ends.
  func sessionEnd(of m: Int) -> SessionEnd
}
