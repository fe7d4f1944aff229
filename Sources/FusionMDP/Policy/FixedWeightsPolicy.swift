public import SeededRandom

/// The same weights for every user and request: what a search over static weights finds.
public struct FixedWeightsPolicy: FusionPolicy, Equatable {
  /// The name in reports and logs.
  public let name: String
  /// The normalized action [A].
  public let action: [Float]

  /// A policy that always takes `action`, every number of it in [−1, 1].
  public init(name: String = "fixed weights", action: [Float]) {
    precondition(
      action.allSatisfy { $0 >= -1 && $0 <= 1 }, "the action \(action) leaves the box [-1, 1]")
    self.name = name
    self.action = action
  }

  /// The size of an action, A.
  public var actionSize: Int { action.count }

  /// Decides for B requests; all randomness comes from `stream`.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    var actions = [Float]()
    actions.reserveCapacity(requests.count * action.count)
    for _ in 0..<requests.count { actions += action }
    return PolicyDecisions(actions: actions)
  }
}
