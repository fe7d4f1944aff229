/// Some sessions of a source, as a source of their own: a split by time, a group of users, a
/// bootstrap resample (repeats allowed). Holds no copy of the data.
public struct SessionSelection: TransitionSource {
  private let base: any TransitionSource
  private let sessions: [Int]
  private let offsets: [Int]

  /// These sessions of `base`, in this order.
  public init(_ base: any TransitionSource, sessions: [Int]) {
    self.base = base
    self.sessions = sessions
    var offsets = [0]
    offsets.reserveCapacity(sessions.count + 1)
    var total = 0
    for m in sessions {
      total += base.session(m).count
      offsets.append(total)
    }
    self.offsets = offsets
  }

  /// The number of transitions.
  public var transitionCount: Int { offsets[sessions.count] }
  /// The number of sessions, M.
  public var sessionCount: Int { sessions.count }
  /// The size of a state, S.
  public var stateSize: Int { base.stateSize }
  /// The size of an action, A.
  public var actionSize: Int { base.actionSize }

  /// The transitions at these indices, in their order, repeats allowed.
  public func batch(at indices: [Int]) -> TransitionBatch {
    base.batch(at: indices.map(baseIndex))
  }

  /// The transitions of session `m`, never empty.
  public func session(_ m: Int) -> Range<Int> { offsets[m]..<offsets[m + 1] }

  /// The first states of these sessions [n·S].
  public func initialStates(of selected: [Int]) -> [Float] {
    base.initialStates(of: selected.map { sessions[$0] })
  }

  /// The logged log densities at these transitions [n]; NaN if unknown.
  public func logPropensities(at indices: [Int]) -> [Float] {
    base.logPropensities(at: indices.map(baseIndex))
  }

  /// When session `m` began, in milliseconds since 1970.
  public func startTimeMilliseconds(of m: Int) -> Int64 {
    base.startTimeMilliseconds(of: sessions[m])
  }

  /// The stable hash of the user of session `m`.
  public func userHash(of m: Int) -> UInt64 { base.userHash(of: sessions[m]) }

  /// How the record of session `m` ends.
  public func sessionEnd(of m: Int) -> SessionEnd { base.sessionEnd(of: sessions[m]) }

  private func baseIndex(_ transition: Int) -> Int {
    precondition(
      transition >= 0 && transition < transitionCount,
      "transition \(transition) of \(transitionCount)")
    var low = 0
    var high = sessions.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if offsets[middle] <= transition { low = middle } else { high = middle }
    }
    return base.session(sessions[low]).lowerBound + transition - offsets[low]
  }
}
