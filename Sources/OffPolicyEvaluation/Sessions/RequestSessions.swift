import FusionMDP

/// Every request of a data set as a session of its own that ends with it: the one-step problem.
///
/// Requests keep their order, so that tables by transition hold for both.
struct RequestSessions: TransitionSource {
  private let base: any TransitionSource
  private let sharingUsers: Bool
  /// The session of the data set that each request belongs to, [N].
  let sessionOfRequest: [Int]

  /// - Parameter sharingUsers: whether a cluster is a user; else it is one of the data set's
  ///   sessions, whose index then stands for the user.
  init(_ base: any TransitionSource, sharingUsers: Bool) {
    self.base = base
    self.sharingUsers = sharingUsers
    sessionOfRequest = (0..<base.sessionCount).flatMap { m in base.session(m).map { _ in m } }
  }

  var transitionCount: Int { base.transitionCount }
  var sessionCount: Int { base.transitionCount }
  var stateSize: Int { base.stateSize }
  var actionSize: Int { base.actionSize }

  func batch(at indices: [Int]) -> TransitionBatch {
    var batch = base.batch(at: indices)
    batch.bootstraps = [Float](repeating: 0, count: batch.count)
    return batch
  }

  func session(_ m: Int) -> Range<Int> { m..<m + 1 }
  func initialStates(of sessions: [Int]) -> [Float] { base.batch(at: sessions).states }
  func logPropensities(at indices: [Int]) -> [Float] { base.logPropensities(at: indices) }
  func startTimeMilliseconds(of m: Int) -> Int64 {
    base.startTimeMilliseconds(of: sessionOfRequest[m])
  }
  func userHash(of m: Int) -> UInt64 {
    sharingUsers ? base.userHash(of: sessionOfRequest[m]) : UInt64(sessionOfRequest[m])
  }
  func sessionEnd(of m: Int) -> SessionEnd { .terminal }
}
