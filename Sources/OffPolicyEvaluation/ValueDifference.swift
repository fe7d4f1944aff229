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
  /// How often each of `sessions` was drawn for each refit; [refits, n].
  package let draws: [[Int32]]

  /// The parts of one estimate.
  package init(
    sessions: [Int], contributions: [Double], refits: [Double] = [], draws: [[Int32]] = []
  ) {
    precondition(
      sessions.count == contributions.count && refits.count == draws.count
        && draws.allSatisfy { $0.count == sessions.count },
      "\(sessions.count) sessions, \(contributions.count) contributions, \(refits.count) refits, "
        + "draws of \(draws.map(\.count))")
    self.sessions = sessions
    self.contributions = contributions
    self.refits = refits
    self.draws = draws
  }

  /// The mean of one value a session over the sessions of each refit, as often as each was drawn; nil
  /// for a refit that drew none of `sessions`.
  func meansOfDraws(_ values: [Double]) -> [Double?] {
    draws.map { counts in
      let total = counts.reduce(0.0) { $0 + Double($1) }
      let sum = zip(values, counts).reduce(0.0) { $0 + $1.0 * Double($1.1) }
      return total > 0 ? sum / total : nil
    }
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
  ///   - reference: by the same estimator, on the same sessions, with the same seed; where both
  ///     policies are smoothed, by the same bandwidth: else the difference of two biases is in it.
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
    if let own = weights?.bandwidth, let other = reference.weights?.bandwidth {
      precondition(own == other, "\(estimator): policies smoothed by \(own) and by \(other)")
    }
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
