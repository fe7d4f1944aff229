public import SeededRandom

/// Random exploration (paper, section 3.3): actions from a Gaussian without prior knowledge, here
/// around the middle of the box and cut to it, each dimension by itself.
///
/// The density is exact: that of the product of `TruncatedGaussian`s.
public struct RandomExploration: DensityPolicy, Equatable {
  /// The name in reports and logs.
  public let name = "random exploration"
  /// The size of an action, A.
  public let actionSize: Int
  /// The standard deviation before the cut. The paper gives none; 0.5 spans the box and prefers its
  /// inside.
  public let deviation: Double

  /// Exploration over A dimensions.
  public init(actionSize: Int, deviation: Double = 0.5) {
    precondition(actionSize > 0 && deviation > 0, "\(actionSize) dimensions, sd \(deviation)")
    self.actionSize = actionSize
    self.deviation = deviation
  }

  /// Decides for B requests; all randomness comes from `stream`.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    explored(
      around: [Float](repeating: 0, count: requests.count * actionSize),
      actionSize: actionSize, deviation: deviation, using: &stream)
  }

  /// The log densities, in nats, of any actions [B·A] → [B].
  public func logDensities(of actions: [Float]) -> [Double] {
    truncatedGaussianLogDensities(
      of: actions, around: [Float](repeating: 0, count: actions.count), actionSize: actionSize,
      deviation: deviation)
  }
}

extension RandomExploration {
  /// The log densities, in nats, of actions [B·A] → [B]; the request does not matter.
  public func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double] {
    precondition(
      actions.count == requests.count * actionSize,
      "\(actions.count) numbers for \(requests.count) actions of \(actionSize)")
    return logDensities(of: actions)
  }
}

/// Draws around base actions [B·A], each number cut to [−1, 1], with the log density of each row.
func explored(
  around base: [Float], actionSize: Int, deviation: Double, using stream: inout RandomStream
) -> PolicyDecisions {
  var actions = base
  for index in base.indices {
    let gaussian = TruncatedGaussian(mean: Double(base[index]), deviation: deviation)
    actions[index] = Float(gaussian.sample(using: &stream))
  }
  return PolicyDecisions(
    actions: actions,
    logPropensities: truncatedGaussianLogDensities(
      of: actions, around: base, actionSize: actionSize, deviation: deviation))
}

/// The log densities of rows [B·A] of independent truncated Gaussians around `base` [B·A] → [B].
func truncatedGaussianLogDensities(
  of actions: [Float], around base: [Float], actionSize: Int, deviation: Double
) -> [Double] {
  precondition(
    actions.count == base.count && actions.count.isMultiple(of: actionSize),
    "\(actions.count) and \(base.count) numbers for actions of \(actionSize)")
  var result = [Double](repeating: 0, count: actions.count / actionSize)
  for index in actions.indices {
    let gaussian = TruncatedGaussian(mean: Double(base[index]), deviation: deviation)
    result[index / actionSize] += gaussian.logDensity(Double(actions[index]))
  }
  return result
}
