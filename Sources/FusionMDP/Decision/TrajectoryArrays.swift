/// Trajectories in memory, as a source of transitions.
public struct TrajectoryArrays: TransitionSource, Equatable {
  /// The size of a state, S.
  public let stateSize: Int
  /// The size of an action, A.
  public let actionSize: Int
  /// How many trajectories were left without a transition and dropped.
  public let droppedSessionCount: Int

  private var states: [Float] = []
  private var actions: [Float] = []
  private var rewards: [Float] = []
  private var propensities: [Float] = []
  /// Where session m begins [M + 1].
  private var offsets: [Int] = [0]
  private var ends: [SessionEnd] = []
  private var startTimes: [Int64] = []
  private var userHashes: [UInt64] = []
  /// The state after each session's last transition [M·S]; zeros after a terminal one.
  private var lastNextStates: [Float] = []

  /// Sessions in the given order, checked.
  ///
  /// A truncated trajectory without final state loses its last step: what followed it is unknown.
  ///
  /// - Throws: `TrajectoryError` naming trajectory, step and field.
  public init(
    _ trajectories: [Trajectory], stateSize: Int, actionSize: Int
  ) throws(TrajectoryError) {
    self.stateSize = stateSize
    self.actionSize = actionSize
    var dropped = 0
    for (index, trajectory) in trajectories.enumerated() {
      try Self.validate(
        trajectory, at: index, stateSize: stateSize, actionSize: actionSize)
      var steps = trajectory.stepCount
      var following = [Float](repeating: 0, count: stateSize)
      if trajectory.end == .truncated {
        if let final = trajectory.finalState {
          following = final
        } else {
          steps -= 1
          if steps > 0 {
            following = Array(
              trajectory.states[steps * stateSize..<(steps + 1) * stateSize])
          }
        }
      }
      guard steps > 0 else {
        dropped += 1
        continue
      }
      states += trajectory.states[..<(steps * stateSize)]
      actions += trajectory.actions[..<(steps * actionSize)]
      rewards += trajectory.rewards[..<steps]
      propensities +=
        trajectory.logPropensities.map { Array($0[..<steps]) }
        ?? [Float](repeating: .nan, count: steps)
      offsets.append(rewards.count)
      ends.append(trajectory.end)
      startTimes.append(trajectory.startTimeMilliseconds)
      userHashes.append(trajectory.userHash)
      lastNextStates += following
    }
    droppedSessionCount = dropped
  }

  /// The number of transitions.
  public var transitionCount: Int { rewards.count }

  /// The number of sessions, M.
  public var sessionCount: Int { ends.count }

  /// The transitions at these indices, in their order, repeats allowed.
  public func batch(at indices: [Int]) -> TransitionBatch {
    var batchStates = [Float]()
    var batchActions = [Float]()
    var batchRewards = [Float]()
    var nextStates = [Float]()
    var bootstraps = [Float]()
    batchStates.reserveCapacity(indices.count * stateSize)
    nextStates.reserveCapacity(indices.count * stateSize)
    batchActions.reserveCapacity(indices.count * actionSize)
    for index in indices {
      batchStates += states[index * stateSize..<(index + 1) * stateSize]
      batchActions += actions[index * actionSize..<(index + 1) * actionSize]
      batchRewards.append(rewards[index])
      let m = sessionIndex(of: index)
      if index + 1 < offsets[m + 1] {
        nextStates += states[(index + 1) * stateSize..<(index + 2) * stateSize]
        bootstraps.append(1)
      } else {
        nextStates += lastNextStates[m * stateSize..<(m + 1) * stateSize]
        bootstraps.append(ends[m] == .terminal ? 0 : 1)
      }
    }
    return TransitionBatch(
      stateSize: stateSize, actionSize: actionSize, states: batchStates, actions: batchActions,
      rewards: batchRewards, nextStates: nextStates, bootstraps: bootstraps)
  }

  /// The transitions of session `m`, never empty.
  public func session(_ m: Int) -> Range<Int> { offsets[m]..<offsets[m + 1] }

  /// The first states of these sessions [n·S].
  public func initialStates(of sessions: [Int]) -> [Float] {
    sessions.flatMap { states[offsets[$0] * stateSize..<(offsets[$0] + 1) * stateSize] }
  }

  /// The logged log densities at these transitions [n]; NaN if unknown.
  public func logPropensities(at indices: [Int]) -> [Float] { indices.map { propensities[$0] } }

  /// When session `m` began, in milliseconds since 1970.
  public func startTimeMilliseconds(of m: Int) -> Int64 { startTimes[m] }

  /// The stable hash of the user of session `m`.
  public func userHash(of m: Int) -> UInt64 { userHashes[m] }

  /// How the record of session `m` ends.
  public func sessionEnd(of m: Int) -> SessionEnd { ends[m] }

  /// The session of a transition, by bisection.
  private func sessionIndex(of transition: Int) -> Int {
    precondition(
      transition >= 0 && transition < transitionCount,
      "transition \(transition) of \(transitionCount)")
    var low = 0
    var high = sessionCount
    while high - low > 1 {
      let middle = (low + high) / 2
      if offsets[middle] <= transition { low = middle } else { high = middle }
    }
    return low
  }

  private static func validate(
    _ trajectory: Trajectory, at index: Int, stateSize: Int, actionSize: Int
  ) throws(TrajectoryError) {
    let stepCount = trajectory.stepCount
    func length(_ field: String, _ found: Int, _ expected: Int) throws(TrajectoryError) {
      guard found == expected else {
        throw .length(trajectory: index, field: field, expected: expected, found: found)
      }
    }
    try length("states", trajectory.states.count, stepCount * stateSize)
    try length("actions", trajectory.actions.count, stepCount * actionSize)
    if let propensities = trajectory.logPropensities {
      try length("logPropensities", propensities.count, stepCount)
    }
    if let final = trajectory.finalState { try length("finalState", final.count, stateSize) }

    for (position, value) in trajectory.states.enumerated() where !value.isFinite {
      throw .value(
        trajectory: index, step: position / stateSize, field: "state \(position % stateSize)",
        expected: "a finite number", found: value)
    }
    for (position, value) in trajectory.actions.enumerated() where !(abs(value) <= 1) {
      throw .value(
        trajectory: index, step: position / actionSize, field: "action \(position % actionSize)",
        expected: "a number in [-1, 1]", found: value)
    }
    for (step, value) in trajectory.rewards.enumerated() where !value.isFinite {
      throw .value(
        trajectory: index, step: step, field: "reward", expected: "a finite number", found: value)
    }
    for (position, value) in (trajectory.finalState ?? []).enumerated() where !value.isFinite {
      throw .value(
        trajectory: index, step: stepCount, field: "finalState \(position)",
        expected: "a finite number",
        found: value)
    }
  }
}
