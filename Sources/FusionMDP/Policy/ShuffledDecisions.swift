public import SeededRandom

/// A control: the decisions of another policy, each given to another user of the same batch.
///
/// Over all users it decides exactly what its base decides, so what it loses against the base is
/// what fitting the weights to the user and the moment is worth. The rows of a batch move on by a
/// number drawn from 1 ..< B, so that none keeps its own; a batch of one request keeps it.
public struct ShuffledDecisions: FusionPolicy {
  /// The policy whose decisions are moved.
  public let base: any FusionPolicy

  /// The decisions of `base`, moved.
  public init(of base: any FusionPolicy) { self.base = base }

  /// The name in reports and logs.
  public var name: String { "\(base.name) shuffled" }

  /// The size of an action, A.
  public var actionSize: Int { base.actionSize }

  /// Decides for B requests; without densities, which depend on who else is in the batch.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let actions = base.decide(requests, using: &stream).actions
    guard requests.count > 1 else { return PolicyDecisions(actions: actions) }
    let first = (1 + stream.index(below: requests.count - 1)) * actionSize
    return PolicyDecisions(actions: Array(actions[first...] + actions[..<first]))
  }
}
