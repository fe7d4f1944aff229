import FusionMDP
import SeededRandom

/// A policy that goes only a part of the way from given weights to those of another.
///
///     π(s) = w + c·(π₀(s) − w)
///
/// It has no density of its own.
struct NearerPolicy: FusionPolicy {
  /// π₀.
  let base: any FusionPolicy
  /// w, normalized; [A].
  let reference: [Float]
  /// c, in 0...1.
  let reach: Float

  /// That of the other policy.
  var name: String { base.name }

  /// The size of an action, A.
  var actionSize: Int { base.actionSize }

  /// Decides for B requests.
  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    var actions = base.decide(requests, using: &stream).actions
    for index in actions.indices {
      let weight = reference[index % reference.count]
      actions[index] = min(max(weight + reach * (actions[index] - weight), -1), 1)
    }
    return PolicyDecisions(actions: actions)
  }
}
