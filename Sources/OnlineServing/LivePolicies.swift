internal import FusionMDP
internal import Synchronization

/// What a service serves at one moment. A request reads one of these at its start and none else, so
/// each decision is of one version, whatever is released meanwhile.
final class ServingSnapshot: Sendable {
  /// The latest releases, oldest first; the last one is current.
  let releases: [LivePolicy]
  /// Decides beside what is served, and is only logged.
  let shadow: LivePolicy?
  /// Who meets what.
  let plan: ServingPlan?
  /// The switch of exploration.
  let explores: Bool

  /// The released policy, if there is one.
  var current: LivePolicy? { releases.last }

  init(
    releases: [LivePolicy] = [], shadow: LivePolicy? = nil, plan: ServingPlan? = nil,
    explores: Bool = true
  ) {
    self.releases = releases
    self.shadow = shadow
    self.plan = plan
    self.explores = explores
  }
}

/// What is served: released, rolled back and replaced while requests run.
///
/// A request takes a lock for the copy of one reference. A change is checked before the lock, puts
/// a new snapshot in the place of the old one under it, and lets go of the old one after it; requests
/// that run go on with theirs.
package final class LivePolicies: Sendable {
  /// Releases that can be rolled back to are kept in memory, with the current one so many. The
  /// registry on disk knows all.
  package static let releasesKept = 8

  /// What all policies have in common.
  package let contract: ServingContract
  /// What ranks where they cannot.
  package let fallback: StaticWeights
  private let live = Mutex(ServingSnapshot())

  /// Nothing released: all requests are answered by `fallback`.
  ///
  /// - Throws: `OnlineServingError.unfitPolicy` for a fallback of another number of tasks.
  package init(contract: ServingContract, fallback: StaticWeights) throws(OnlineServingError) {
    let count = contract.fusion.schema.count
    guard fallback.action.count == count,
      fallback.weights == contract.fusion.bounds.denormalized(fallback.action)
    else {
      throw .unfitPolicy(
        version: fallback.version, field: "action",
        expected: "\(count) weights within the service's bounds", found: "\(fallback.weights)")
    }
    self.contract = contract
    self.fallback = fallback
  }

  /// The version that is released, nil before the first release.
  package var currentVersion: String? { snapshot.current?.version }

  /// The version that runs in the shadow, if one does.
  package var shadowVersion: String? { snapshot.shadow?.version }

  /// Whether exploration is switched on.
  package var explores: Bool { snapshot.explores }

  var snapshot: ServingSnapshot { live.withLock { $0 } }

  /// Makes a policy the current one.
  /// - Throws: `OnlineServingError.unfitPolicy`; what is served stays as it was.
  package func release(_ policy: LivePolicy) throws(OnlineServingError) {
    try contract.check(policy)
    change { old in
      ServingSnapshot(
        releases: (old.releases + [policy]).suffix(Self.releasesKept), shadow: old.shadow,
        plan: old.plan, explores: old.explores)
    }
  }

  /// Goes one release back.
  /// - Returns: the version that is current now.
  /// - Throws: `OnlineServingError.noEarlierRelease`.
  @discardableResult
  package func rollBack() throws(OnlineServingError) -> String {
    var found: String?
    var current: String?
    change { old in
      current = old.current?.version
      guard old.releases.count > 1 else { return old }
      let releases = Array(old.releases.dropLast())
      found = releases.last?.version
      return ServingSnapshot(
        releases: releases, shadow: old.shadow, plan: old.plan, explores: old.explores)
    }
    guard let found else { throw .noEarlierRelease(current: current) }
    return found
  }

  /// Lets a policy decide beside what is served; nil ends it.
  /// - Throws: `OnlineServingError.unfitPolicy`.
  package func setShadow(_ policy: LivePolicy?) throws(OnlineServingError) {
    if let policy { try contract.check(policy) }
    change { old in
      ServingSnapshot(
        releases: old.releases, shadow: policy, plan: old.plan, explores: old.explores)
    }
  }

  /// Replaces who meets what; nil: all users meet the released policy, nobody explores.
  /// - Throws: `OnlineServingError.unfitPolicy` for a policy of an arm.
  package func setPlan(_ plan: ServingPlan?) throws(OnlineServingError) {
    for entry in plan?.policies ?? [] { try contract.check(entry.policy) }
    change { old in
      ServingSnapshot(
        releases: old.releases, shadow: old.shadow, plan: plan, explores: old.explores)
    }
  }

  /// The kill switch: off, no request that begins later explores.
  package func setExploration(_ explores: Bool) {
    change { old in
      ServingSnapshot(
        releases: old.releases, shadow: old.shadow, plan: old.plan, explores: explores)
    }
  }

  private func change(_ next: (ServingSnapshot) -> ServingSnapshot) {
    // The old snapshot may be the last to hold a policy: it is let go outside of the lock.
    let old = live.withLock { snapshot in
      let old = snapshot
      snapshot = next(old)
      return old
    }
    _ = consume old
  }
}
