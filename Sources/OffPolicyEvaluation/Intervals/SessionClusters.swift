import FusionMDP
import SeededRandom

/// The sessions of a data set in groups that are drawn again as a whole.
struct SessionClusters {
  private let data: any TransitionSource
  /// The group of each session.
  private let clusterOfSession: [Int]
  /// The sessions of each group.
  private let members: [[Int]]

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
    self.data = data
    self.members = members
    self.clusterOfSession = clusterOfSession
  }

  /// The groups, or each session by itself where there is a single group: a single user's sessions
  /// can at least be compared with each other.
  var independentGroups: [[Int]] {
    members.count > 1 ? members : (members.first ?? []).map { [$0] }
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
  ///     G/(G − 1) · Σ_g (Σ_{i∈g} (v_i − v̄))² / n²
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
    guard count > 1 else { return (0, count) }
    let squares = sums.reduce(0) { $0 + $1 * $1 }
    let n = Double(values.count)
    return (Double(count) / Double(count - 1) * squares / (n * n), count)
  }
}
