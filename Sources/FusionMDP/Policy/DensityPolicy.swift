/// A policy that can say how likely any action is, not only the one it took.
///
/// Estimators that weigh logged actions by π(a|s)/μ(a|s) need π of actions that another policy took.
public protocol DensityPolicy: FusionPolicy {
  /// The log densities, in nats, of actions [B·A] for B requests → [B]; −∞ for an action that is
  /// never taken, NaN where the density is unknown.
  ///
  /// The density is with respect to the box [−1, 1]^A, of the action for that request alone.
  func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double]
}
