import FusionMDP

/// One logged session as weighted estimators see it.
struct WeightedSession {
  /// r_t, [T].
  let rewards: ArraySlice<Float>
  /// log w_{0:t}, [T].
  let logWeights: [Double]
  /// γ.
  let discount: Double

  /// G = Σ_t γ^t · r_t; of a session that the log's window cut, up to there.
  var discountedReturn: Double {
    FusionMDP.discountedReturn(of: Array(rewards), discount: discount)
  }

  /// log w_{0:T−1}: the weight of the whole session.
  var logWeight: Double { logWeights[logWeights.count - 1] }

  /// log of Σ_t γ^t·w_{0:t} / Σ_t γ^t: the weight of its steps as a return counts them, 0 where the
  /// policies agree.
  var meanLogWeight: Double {
    WeightTerms.logMeanExp(
      logWeights, measure: Self.powers(of: discount, count: logWeights.count))
  }

  /// 1, γ, γ², …
  static func powers(of discount: Double, count: Int) -> [Double] {
    var power = 1.0
    return (0..<count).map { _ in
      defer { power *= discount }
      return power
    }
  }
}

extension EvaluationSessions {
  /// All sessions with their weights.
  /// - Throws: `EvaluationError` where a propensity is unknown.
  func weightedSessions() throws(EvaluationError) -> [WeightedSession] {
    let ratios = try ratios().logRatios
    return (0..<data.sessionCount).map { m in
      let steps = data.session(m)
      return WeightedSession(
        rewards: rewards[steps], logWeights: WeightTerms.cumulative(ratios[steps]),
        discount: discount)
    }
  }

  /// γ^t for all steps of the longest session.
  var discountPowers: [Double] {
    let longest = (0..<data.sessionCount).reduce(0) { max($0, data.session($1).count) }
    return WeightedSession.powers(of: discount, count: longest)
  }
}
