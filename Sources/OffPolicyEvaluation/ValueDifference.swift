/// What an estimate is a mean of, so that two of them on the same sessions can be subtracted.
package struct EstimateParts: Sendable, Equatable {
  /// The sessions of the data set, by index, that the value is a mean over; [n].
  package let sessions: [Int]
  /// What each of these sessions contributes, in reward units: the value is their mean. Of an
  /// estimator that is no plain mean, its value plus the session's influence on it; [n].
  package let contributions: [Double]
  /// The value by fits on resampled sessions; fit i of every policy sees the same resample and
  /// seed. Empty for an estimator that fits nothing.
  package let refits: [Double]

  /// The parts of one estimate.
  package init(sessions: [Int], contributions: [Double], refits: [Double] = []) {
    precondition(
      sessions.count == contributions.count,
      "\(sessions.count) sessions, \(contributions.count) contributions")
    self.sessions = sessions
    self.contributions = contributions
    self.refits = refits
  }
}

/// How much more one policy is worth than another, by one estimator on the same sessions.
package struct ValueDifference: Sendable, Equatable {
  /// Name of the estimator.
  package let estimator: String
  /// V̂(policy) − V̂(reference), in the rewards' own units.
  package let value: Double
  /// Lower end of the interval.
  package let low: Double
  /// Upper end of the interval.
  package let high: Double
}

extension PolicyValueEstimate {
  /// This estimate less `reference`, paired: what both share (which sessions began, which sessions
  /// were drawn again for a refit) cancels out.
  ///
  /// - Parameters:
  ///   - reference: by the same estimator, on the same sessions, with the same seed.
  ///   - sessions: the data of either policy.
  ///   - configuration: the unit that is drawn again, and the interval's coverage.
  package func difference(
    from reference: PolicyValueEstimate, on sessions: EvaluationSessions,
    configuration: FittedQConfiguration = FittedQConfiguration()
  ) -> ValueDifference {
    precondition(
      estimator == reference.estimator && parts.sessions == reference.parts.sessions
        && parts.refits.count == reference.parts.refits.count,
      "\(estimator) and \(reference.estimator) were not made on the same sessions")
    let clusters = SessionClusters(sessions.data, unit: configuration.resampling)
    let (first, count) = clusters.varianceOfMean(
      zip(parts.contributions, reference.parts.contributions).map { $0 - $1 }, of: parts.sessions)
    let refits = zip(parts.refits, reference.parts.refits).map { $0 - $1 }
    let second = refits.count > 1 ? FitSpread.variance(refits) : 0
    let reach = FitSpread.reach(
      first, degrees: Double(count - 1), second, degrees: Double(refits.count - 1),
      confidence: configuration.confidence)
    let difference = value - reference.value
    return ValueDifference(
      estimator: estimator, value: difference, low: difference - reach, high: difference + reach)
  }
}
