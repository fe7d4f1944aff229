public import SeededRandom

/// Mixed Multi-Exploration (paper, section 3.3): random exploration and action-noise exploration on
/// two separate groups of users; the training set takes equal amounts of trajectories of each.
///
/// A user's group depends on the hash of the user and the salt only, so a user never changes it and
/// a logged density is that of the one policy the user met.
public struct MixedExploration: DensityPolicy {
  /// Which exploration a user meets.
  public enum Group: Int, Sendable, Hashable, CaseIterable {
    case random = 0
    case actionNoise = 1
  }

  /// The name in reports and logs.
  public let name = "mixed exploration"
  /// What the first group meets.
  public let random: any FusionPolicy
  /// What the second group meets.
  public let actionNoise: any FusionPolicy
  /// Makes this split independent of other splits of the same users.
  public let salt: UInt64

  /// The two explorations, over the same action size.
  public init(random: any FusionPolicy, actionNoise: any FusionPolicy, salt: UInt64 = 0) {
    precondition(
      random.actionSize == actionNoise.actionSize,
      "action sizes \(random.actionSize) and \(actionNoise.actionSize)")
    self.random = random
    self.actionNoise = actionNoise
    self.salt = salt
  }

  /// The size of an action, A.
  public var actionSize: Int { random.actionSize }

  /// The group of a user: half of the hash space each.
  public func group(ofUser userHash: UInt64) -> Group {
    stableHash(userHash, seed: salt) >> 63 == 0 ? .random : .actionNoise
  }

  /// Decides for B requests; all randomness comes from `stream`.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    var actions = [Float](repeating: 0, count: requests.count * actionSize)
    var densities = [Double](repeating: .nan, count: requests.count)
    for group in Group.allCases {
      let rows = (0..<requests.count).filter {
        self.group(ofUser: requests.userHashes[$0]) == group
      }
      guard !rows.isEmpty else { continue }
      let policy = group == .random ? random : actionNoise
      let decisions = policy.decide(requests.selecting(rows), using: &stream)
      for (position, row) in rows.enumerated() {
        for index in 0..<actionSize {
          actions[row * actionSize + index] = decisions.actions[position * actionSize + index]
        }
        if let known = decisions.logPropensities { densities[row] = known[position] }
      }
    }
    return PolicyDecisions(actions: actions, logPropensities: densities)
  }

  /// The log densities, in nats, of actions [B·A] for B requests → [B]: those of the exploration that
  /// each user meets; NaN where that one has no density of its own.
  public func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double] {
    precondition(
      actions.count == requests.count * actionSize,
      "\(actions.count) numbers for \(requests.count) actions of \(actionSize)")
    var densities = [Double](repeating: .nan, count: requests.count)
    for group in Group.allCases {
      let policy = group == .random ? random : actionNoise
      guard let known = policy as? any DensityPolicy else { continue }
      let rows = (0..<requests.count).filter {
        self.group(ofUser: requests.userHashes[$0]) == group
      }
      guard !rows.isEmpty else { continue }
      let taken = rows.flatMap { actions[$0 * actionSize..<($0 + 1) * actionSize] }
      let found = known.logDensities(of: taken, for: requests.selecting(rows))
      for (position, row) in rows.enumerated() { densities[row] = found[position] }
    }
    return densities
  }

  /// The sessions of a training set with equal amounts of trajectories from each group: all of the
  /// smaller group, and as many of the larger drawn without repeats.
  ///
  /// Shapes: M user hashes, one a session → session indices, ascending.
  public func equalAmounts(
    ofSessionsBy userHashes: [UInt64], using stream: inout RandomStream
  ) -> [Int] {
    var groups: [[Int]] = [[], []]
    for (session, hash) in userHashes.enumerated() {
      groups[group(ofUser: hash).rawValue].append(session)
    }
    let amount = min(groups[0].count, groups[1].count)
    var chosen: [Int] = []
    for group in groups {
      chosen += stream.shuffled(group.count).prefix(amount).map { group[$0] }
    }
    return chosen.sorted()
  }

  /// A source with equal amounts of trajectories from each group.
  public func equalAmounts(
    of source: any TransitionSource, using stream: inout RandomStream
  ) -> SessionSelection {
    let hashes = (0..<source.sessionCount).map { source.userHash(of: $0) }
    return SessionSelection(source, sessions: equalAmounts(ofSessionsBy: hashes, using: &stream))
  }
}
