/// Where the densities μ(a|s) of the logged actions come from.
package enum BehaviorPropensities: Sendable, Equatable {
  /// From the log, as they were when the actions were taken.
  case logged
  /// From a density that was fitted to the log: one log density, in nats, a transition; [N].
  case fitted([Double])

  /// Whether they were fitted rather than logged.
  package var areFitted: Bool {
    if case .fitted = self { true } else { false }
  }
}

/// How wide a policy without a density of its own is smoothed.
///
/// A deterministic policy takes a logged action with probability zero, so weights need a policy
/// close to it that has a density:
///
///     π_h(a|s) = Π_d TruncatedGaussian(a_d; π_e(s)_d, h)        on the box [−1, 1]^A
///
/// What is estimated is π_h's value, which differs from π_e's by a bias that grows like h². It is
/// normalized on the box, so that E[π_h/μ] = 1 holds at its edges too.
package enum KernelBandwidth: Sendable, Equatable {
  /// The deviation h.
  case fixed(Double)
  /// The smallest h of `grid` under which the weights π_h/μ of single requests have an effective
  /// sample size of at least `leastShare` of the requests; where none has, the one under which it is
  /// largest. Read on at most 2¹⁴ requests, evenly spaced.
  case automatic

  /// 5 % of the requests.
  package static let leastShare = 0.05

  /// The bandwidths that `automatic` chooses from.
  package static let grid = [0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4]

  /// What is wrong, in words, or nil.
  package var problem: String? {
    guard case .fixed(let h) = self, !(h > 0 && h.isFinite) else { return nil }
    return "bandwidth: expected a number above 0, found \(h)"
  }
}
