import FusionMDP
import SeededRandom

/// The constants that weighted estimators share.
package struct WeightedConfiguration: Sendable, Equatable {
  /// How the interval is made.
  package var interval = IntervalMethod.studentT
  /// Coverage of the interval.
  package var confidence = 0.95
  /// The groups of sessions that are independent of each other.
  package var resampling = FittedQConfiguration.ResamplingUnit.users

  /// Student's t at 95 %, users as clusters: as good as the bootstrap where both were measured, and
  /// without draws.
  package init() {}

  /// What is wrong, in words, or nil.
  package var problem: String? {
    guard confidence > 0 && confidence < 1 else {
      return "confidence: expected a number in (0, 1), found \(confidence)"
    }
    return interval.problem
  }

  func check() {
    if let problem { preconditionFailure("off-policy evaluation, \(problem)") }
  }
}

/// Puts a weighted estimate together: value, interval, diagnostics, parts.
struct WeightedEstimate {
  let name: String
  let configuration: WeightedConfiguration

  /// The estimate that `sums` make, one unit a session of `sessions` (a request where these are
  /// requests).
  ///
  /// - Parameters:
  ///   - logWeights: how much each unit weighs, for the diagnostics; [n].
  ///   - fit: of the model that the estimate leans on, if any.
  /// - Throws: `EvaluationError.noOverlap` where nothing has any weight.
  func estimate(
    on sessions: EvaluationSessions, sums: RatioSums, logWeights: [Double],
    fit: FitDiagnostics? = nil, seed: UInt64
  ) throws -> PolicyValueEstimate {
    guard let value = sums.value(of: 0..<sums.count) else {
      throw EvaluationError.noOverlap(policy: sessions.policyName, estimator: name)
    }
    let requests = sessions.data as? RequestSessions
    // The users of request sessions are the clusters already.
    let clusters = SessionClusters(
      sessions.data, unit: requests == nil ? configuration.resampling : .users)
    let groups = clusters.members
    let contributions = sums.contributions(value: value)
    var stream = RandomStream(seed: seed, name: "off-policy-evaluation").child("interval")
    let found = ClusteredInterval(
      method: configuration.interval, confidence: configuration.confidence
    ).around(
      value, sums: sums, contributions: contributions, groups: groups, using: &stream)
    return PolicyValueEstimate(
      estimator: name, value: value, low: found.low, high: found.high,
      effectiveSampleSize: found.variance > 0
        ? sessions.loggedReturn.variance / found.variance : nil,
      n: sums.count,
      standardErrors: StandardErrors(initialStates: found.variance.squareRoot(), fits: 0),
      fit: fit, weights: try diagnostics(sessions, logWeights: logWeights, clusters: clusters),
      parts: EstimateParts(
        sessions: requests?.sessionOfRequest ?? Array(0..<sums.count),
        contributions: contributions))
  }

  /// How unequal the units' weights are, and the mean of the single requests' weights π/μ.
  private func diagnostics(
    _ sessions: EvaluationSessions, logWeights: [Double], clusters: SessionClusters
  ) throws -> WeightDiagnostics {
    let ratios = try sessions.ratios()
    let weights = ratios.logRatios.map(WeightTerms.weight)
    let owners = (0..<sessions.data.sessionCount).flatMap { m in
      sessions.data.session(m).map { _ in m }
    }
    return WeightDiagnostics(
      effectiveSampleSize: WeightTerms.effectiveSampleSize(logWeights: logWeights),
      largestShare: WeightTerms.largestShare(logWeights: logWeights),
      meanWeight: FitSpread.mean(weights),
      meanWeightError: clusters.varianceOfMean(weights, of: owners).variance.squareRoot(),
      bandwidth: ratios.bandwidth, propensitiesAreFitted: sessions.propensities.areFitted)
  }
}
