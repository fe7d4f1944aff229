public import SeededRandom

/// Action-noise exploration: a learned policy's action plus Gaussian noise.
///
///     π_ep(s) = π*(s) + ε,   ε ~ N(0, 0.1)        (paper, eq. 8)
///
/// ## Departures from the paper
///
/// * 0.1 is read as the standard deviation (as a variance the noise would be 0.32, a third of the
///   box, where "near the optimal policy" no longer holds).
/// * The noise is cut to the box and its density normalized, so that logged densities are exact.
///
/// The density is that of the noise given the base action: exact for a deterministic base, and
/// conditional on the drawn base action for a base that draws by itself.
public struct ActionNoiseExploration: DensityPolicy {
  /// The policy that noise is added to.
  public let base: any FusionPolicy
  /// The standard deviation of the noise before the cut.
  public let deviation: Double

  /// Noise around `base`.
  public init(base: any FusionPolicy, deviation: Double = 0.1) {
    precondition(deviation > 0, "action noise with deviation \(deviation)")
    self.base = base
    self.deviation = deviation
  }

  /// The name in reports and logs.
  public var name: String { "\(base.name) + action noise" }

  /// The size of an action, A.
  public var actionSize: Int { base.actionSize }

  /// Decides for B requests; all randomness comes from `stream`.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let decided = base.decide(requests, using: &stream).actions
    return explored(
      around: decided, actionSize: actionSize, deviation: deviation, using: &stream)
  }

  /// The log densities, in nats, of actions [B·A] given what the base decided [B·A] → [B].
  public func logDensities(of actions: [Float], given baseActions: [Float]) -> [Double] {
    truncatedGaussianLogDensities(
      of: actions, around: baseActions, actionSize: actionSize, deviation: deviation)
  }

  /// The log densities, in nats, of actions [B·A] for B requests → [B].
  ///
  /// Exact where the base is deterministic and decides on each request by itself. For a base that
  /// draws it is the density given one draw of the base, from a stream that begins anew at every call:
  /// where actions are asked about in several calls, the base draws the same for each.
  public func logDensities(of actions: [Float], for requests: PolicyRequests) -> [Double] {
    var stream = RandomStream(seed: 0, name: "action-noise-density")
    return logDensities(of: actions, given: base.decide(requests, using: &stream).actions)
  }
}
