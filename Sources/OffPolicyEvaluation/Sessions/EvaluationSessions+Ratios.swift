import FusionMDP
import SeededRandom
import Synchronization

/// π(a|s)/μ(a|s) of every logged request.
struct ImportanceRatios: Sendable {
  /// log π(a|s) − log μ(a|s), [N]; −∞ where the policy never takes the action.
  let logRatios: [Double]
  /// The deviation that the policy is smoothed by; nil for one with a density of its own.
  let bandwidth: Double?
}

/// Holds ratios once they have been asked for; all estimators of one policy share them.
final class RatioCache: Sendable {
  private let known = Mutex<ImportanceRatios?>(nil)

  /// What is held, else what `make` gives.
  func value(
    _ make: () throws(EvaluationError) -> ImportanceRatios
  ) throws(EvaluationError) -> ImportanceRatios {
    if let held = known.withLock({ $0 }) { return held }
    let made = try make()
    known.withLock { $0 = made }
    return made
  }
}

extension EvaluationSessions {
  /// log μ(a|s) of every logged request, in nats; [N].
  ///
  /// - Throws: `EvaluationError` where one is unknown or no density.
  package func behaviorLogDensities() throws(EvaluationError) -> [Double] {
    let count = data.transitionCount
    var densities: [Double]
    switch propensities {
    case .fitted(let fitted):
      guard fitted.count == count else {
        throw .propensityCount(expected: count, found: fitted.count)
      }
      densities = fitted
    case .logged:
      densities = data.logPropensities(at: Array(0..<count)).map { Double($0) }
      let unknown = densities.count { $0.isNaN }
      guard unknown == 0 else { throw .unknownPropensities(unknown: unknown, transitions: count) }
    }
    for (index, density) in densities.enumerated() where !density.isFinite {
      throw .invalidPropensity(transition: index, found: density)
    }
    return densities
  }

  /// log π(a|s) of every logged request, in nats; [N]: the policy's own density, else π_h's.
  ///
  /// - Parameter bandwidth: h; not read for a policy with a density of its own.
  package func policyLogDensities(bandwidth: Double) -> [Double] {
    actions.logDensities
      ?? actions.smoothedLogDensities(
        of: loggedActions, at: Array(0..<data.transitionCount), bandwidth: bandwidth)
  }

  /// Whether the policy has a density of its own, so that nothing is smoothed.
  package var policyHasDensity: Bool { actions.logDensities != nil }

  /// The deviation that the policy is smoothed by; nil for one with a density of its own.
  ///
  /// - Throws: `EvaluationError` where a propensity is unknown.
  package func bandwidthInUse() throws(EvaluationError) -> Double? { try ratios().bandwidth }

  /// The ratios of all requests, made once.
  /// - Throws: `EvaluationError` where a propensity is unknown.
  func ratios() throws(EvaluationError) -> ImportanceRatios {
    try cache.value { () throws(EvaluationError) in
      let behavior = try behaviorLogDensities()
      let bandwidth = policyHasDensity ? nil : chosenBandwidth(behavior)
      let policy = policyLogDensities(bandwidth: bandwidth ?? 0)
      for (index, density) in policy.enumerated() where !(density < .infinity) {
        throw .invalidDensity(policy: policyName, transition: index, found: density)
      }
      return ImportanceRatios(
        logRatios: zip(policy, behavior).map { $0 - $1 }, bandwidth: bandwidth)
    }
  }

  /// The rule of `KernelBandwidth`.
  private func chosenBandwidth(_ behavior: [Double]) -> Double {
    switch bandwidth {
    case .fixed(let h): return h
    case .automatic:
      let count = min(data.transitionCount, 1 << 14)
      let rows = (0..<count).map { $0 * data.transitionCount / count }
      var best = (bandwidth: KernelBandwidth.grid[0], size: -1.0)
      for h in KernelBandwidth.grid {
        let densities = actions.smoothedLogDensities(of: loggedActions, at: rows, bandwidth: h)
        let size = WeightTerms.effectiveSampleSize(
          logWeights: zip(densities, rows).map { $0 - behavior[$1] })
        if size >= KernelBandwidth.leastShare * Double(count) { return h }
        if size > best.size { best = (h, size) }
      }
      return best.bandwidth
    }
  }

  /// The same sessions under π_h, of which each state has `draws` actions; for a policy with a
  /// density of its own, the sessions as they are.
  func smoothed(draws: Int, using stream: inout RandomStream) throws(EvaluationError) -> Self {
    guard let bandwidth = try ratios().bandwidth else { return self }
    var smoothed = self
    smoothed.actions = actions.smoothed(bandwidth: bandwidth, draws: draws, using: &stream)
    return smoothed
  }
}
