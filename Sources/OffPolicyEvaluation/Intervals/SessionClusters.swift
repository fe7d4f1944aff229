import FusionMDP
import SeededRandom

/// The sessions of a data set in groups that are independent of each other and drawn again as a whole.
///
/// A single user's sessions can at least be compared with each other, so where there is one group
/// each of its sessions is one. Of a single session nothing tells how far it could have been
/// otherwise: its variance is ∞.
struct SessionClusters {
  /// The group of each session.
  private let clusterOfSession: [Int]
  /// The sessions of each group.
  let members: [[Int]]

  /// Groups in the order in which they first appear.
  init(_ data: any TransitionSource, unit: FittedQConfiguration.ResamplingUnit) {
    var members: [[Int]] = []
    var clusterOfSession: [Int] = []
    var clusterOfUser: [UInt64: Int] = [:]
    clusterOfSession.reserveCapacity(data.sessionCount)
    for m in 0..<data.sessionCount {
      let user = data.userHash(of: m)
      if unit == .users, let known = clusterOfUser[user] {
        members[known].append(m)
        clusterOfSession.append(known)
      } else {
        clusterOfUser[user] = members.count
        clusterOfSession.append(members.count)
        members.append([m])
      }
    }
    if members.count == 1 {
      members = (0..<data.sessionCount).map { [$0] }
      clusterOfSession = Array(0..<data.sessionCount)
    }
    self.members = members
    self.clusterOfSession = clusterOfSession
  }

  /// How many groups there are.
  var count: Int { members.count }

  /// The sessions of as many groups as there are, drawn with replacement.
  func resampledSessions(using stream: inout RandomStream) -> [Int] {
    stream.indices(below: members.count, count: members.count).flatMap { members[$0] }
  }

  /// Variance of the mean of one value a session, groups being the independent units, and the
  /// number of groups seen:
  ///
  ///     G/(G − 1) · Σ_g (Σ_{i∈g} (v_i − v̄))² / n²,   ∞ of a single group
  func varianceOfMean(
    _ values: [Double], of sessions: [Int]
  ) -> (variance: Double, clusters: Int) {
    let mean = FitSpread.mean(values)
    var sums = [Double](repeating: 0, count: members.count)
    var isSeen = [Bool](repeating: false, count: members.count)
    for (value, m) in zip(values, sessions) {
      sums[clusterOfSession[m]] += value - mean
      isSeen[clusterOfSession[m]] = true
    }
    let count = isSeen.count { $0 }
    guard count > 1 else { return (.infinity, count) }
    let squares = sums.reduce(0) { $0 + $1 * $1 }
    let n = Double(values.count)
    return (Double(count) / Double(count - 1) * squares / (n * n), count)
  }
}
