public import SeededRandom

/// The requests that a policy answers together.
///
/// Shapes: `states` [B·S], raw (not normalized); `userHashes` [B].
public struct PolicyRequests: Sendable, Equatable {
  /// The raw states [B·S].
  public let states: [Float]
  /// The size of a state, S.
  public let stateSize: Int
  /// The stable hashes of the users' ids [B].
  public let userHashes: [UInt64]

  /// B requests.
  public init(states: [Float], stateSize: Int, userHashes: [UInt64]) {
    precondition(
      states.count == userHashes.count * stateSize,
      "\(states.count) numbers for \(userHashes.count) states of \(stateSize)")
    self.states = states
    self.stateSize = stateSize
    self.userHashes = userHashes
  }

  /// The number of requests, B.
  public var count: Int { userHashes.count }

  /// The requests at these rows, in this order.
  public func selecting(_ rows: [Int]) -> PolicyRequests {
    var selected = [Float]()
    selected.reserveCapacity(rows.count * stateSize)
    for row in rows { selected += states[row * stateSize..<(row + 1) * stateSize] }
    return PolicyRequests(
      states: selected, stateSize: stateSize, userHashes: rows.map { userHashes[$0] })
  }
}

/// What a policy decided for B requests.
///
/// Shapes: `actions` [B·A] in [−1, 1]; `logPropensities` [B].
public struct PolicyDecisions: Sendable, Equatable {
  /// The normalized actions [B·A].
  public var actions: [Float]
  /// The log densities of the actions in nats [B]; nil if deterministic or unknown for all, NaN for
  /// a row where it is unknown.
  public var logPropensities: [Double]?

  /// Decisions with their densities.
  public init(actions: [Float], logPropensities: [Double]? = nil) {
    self.actions = actions
    self.logPropensities = logPropensities
  }
}

/// Chooses normalized fusion weights for requests.
public protocol FusionPolicy: Sendable {
  /// The name in reports and logs.
  var name: String { get }
  /// The size of an action, A.
  var actionSize: Int { get }
  /// Decides for B requests; all randomness comes from `stream`.
  func decide(_ requests: PolicyRequests, using stream: inout RandomStream) -> PolicyDecisions
}
