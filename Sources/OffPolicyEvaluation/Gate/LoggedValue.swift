import Foundation
package import FusionMDP

/// What the behavior itself is worth: the mean discounted return of the sessions that it served.
///
///     v̄ = (1/n)·Σ_i (R_i + c_i·v̄),   R_i = Σ_t γ^t·r_t,   c_i = γ^{T_i} of a session cut after T_i
///                                                                steps, 0 of one that ended
///
/// A session that the log's window cut has shown only a part of its return. To leave it out favours
/// short sessions, to count what it showed is too low, so the rest of it is taken to be worth what a
/// session is worth, which solves to v̄ = Σ R_i / Σ (1 − c_i). That is a guess, so the share of cut
/// sessions stands beside the value.
package struct LoggedValue: Sendable, Equatable {
  /// v̄, in reward units.
  package let value: Double
  /// Lower end of its interval, users being the independent units; −∞ of a single session.
  package let low: Double
  /// Upper end of it.
  package let high: Double
  /// The sessions that it is a mean over, n.
  package let sessions: Int
  /// The share of them that the window cut.
  package let truncatedShare: Double
  /// v̄ plus the influence of each session on it; their mean is v̄. [n]
  package let contributions: [Double]

  /// The value of these sessions of `data`, of all of them by default.
  ///
  /// - Parameter confidence: coverage of the interval.
  /// - Throws: `EvaluationError.noSessions`, `.invalidReward`.
  package init(
    of data: any TransitionSource, sessions chosen: [Int]? = nil, discount: Double,
    confidence: Double = 0.95
  ) throws(EvaluationError) {
    let indices = chosen ?? Array(0..<data.sessionCount)
    guard !indices.isEmpty else { throw .noSessions }
    var returns: [Double] = []
    var tails: [Double] = []
    var cut = 0
    for m in indices {
      let session = data.session(m)
      let rewards = data.batch(at: Array(session)).rewards
      if let step = rewards.firstIndex(where: { !$0.isFinite }) {
        throw .invalidReward(transition: session.lowerBound + step, found: rewards[step])
      }
      returns.append(discountedReturn(of: rewards, discount: discount))
      let isCut = data.sessionEnd(of: m) == .truncated
      cut += isCut ? 1 : 0
      tails.append(isCut ? pow(discount, Double(session.count)) : 0)
    }
    let n = Double(indices.count)
    let whole = n - tails.reduce(0, +)
    // γ < 1 and every session has a step, so `whole` is positive.
    let value = returns.reduce(0, +) / whole
    // Influence of a ratio of sums: n·(R_i − v̄·(1 − c_i)) / Σ (1 − c_j).
    contributions = zip(returns, tails).map { value + n * ($0 - value * (1 - $1)) / whole }
    let clusters = SessionClusters(data, unit: .users)
    let (variance, count) = clusters.varianceOfMean(contributions, of: indices)
    let reach = FitSpread.reach(
      variance, degrees: Double(count - 1), 0, degrees: 0, confidence: confidence)
    self.value = value
    self.sessions = indices.count
    truncatedShare = Double(cut) / n
    low = value - reach
    high = value + reach
  }

}

extension PolicyValueEstimate {
  /// This estimate less what the behavior was worth in the same sessions, paired.
  ///
  /// A session with high rewards raises both: the policy's value through the fit, the behavior's
  /// directly. So each refit is set against the behavior in the sessions that it was made on:
  ///
  ///     D*_b = V̂_b − V̂ + Σ_i k_ib·(c_i − l_i) / Σ_i k_ib − mean(c_i − l_i)
  ///     interval: D̂ ± t_B·√(Σ_b D*_b² / B)
  ///
  /// k_ib is how often refit b drew session i, c_i and l_i the contributions of policy and behavior,
  /// V̂_b read at all initial states. D*_b is the bootstrap's error of the difference about D̂, a known
  /// center, so its B squares have B degrees of freedom. (Efron and Tibshirani, "An Introduction to
  /// the Bootstrap", 1993, chapter 6, with few draws and t.) Without refits the interval is that of
  /// the differences of contributions, groups of sessions being the independent units.
  ///
  /// - Parameter logged: the value of `parts.sessions` of the same data.
  package func difference(
    from logged: LoggedValue, on sessions: EvaluationSessions,
    configuration: FittedQConfiguration = FittedQConfiguration()
  ) -> ValueDifference {
    precondition(
      logged.contributions.count == parts.sessions.count,
      "\(logged.contributions.count) logged sessions, \(parts.sessions.count) of \(estimator)")
    let difference = value - logged.value
    let differences = zip(parts.contributions, logged.contributions).map { $0 - $1 }
    let mean = FitSpread.mean(differences)
    let errors = zip(parts.refits, parts.meansOfDraws(differences)).compactMap { refit, drawn in
      drawn.map { refit - value + $0 - mean }
    }
    let (variance, degrees): (Double, Double)
    if errors.isEmpty {
      let clusters = SessionClusters(sessions.data, unit: configuration.resampling)
      let (between, count) = clusters.varianceOfMean(differences, of: parts.sessions)
      (variance, degrees) = (between, Double(count - 1))
    } else {
      let squares = errors.reduce(0) { $0 + $1 * $1 }
      (variance, degrees) = (squares / Double(errors.count), Double(errors.count))
    }
    let reach = FitSpread.reach(
      variance, degrees: degrees, 0, degrees: 0, confidence: configuration.confidence)
    return ValueDifference(
      estimator: estimator, value: difference, low: difference - reach, high: difference + reach)
  }
}
