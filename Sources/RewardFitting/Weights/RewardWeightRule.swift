import FusionMDP

/// How coefficients become weights.
///
/// 1. A coefficient is taken a unit of its signal. Where play time enters as log(1 + m), that is
///    its mean marginal effect: b · mean of 1/(1 + m) over the sessions of the pooled fit, also where
///    b is that within users.
/// 2. A signal whose interval holds zero weighs nothing, or what it does in the standard reward.
/// 3. The others are multiplied by one number c > 0, so that their sum over a session spreads
///    as widely (standard deviation over the same sessions) as with the standard reward's weights for
///    the same signals. Q values keep their scale, and no coefficient changes its sign.
///
/// Intervals are multiplied by the same numbers, which are taken as known.
struct RewardWeightRule {
  let configuration: RewardFitConfiguration
  /// The signals of the sessions, in their order.
  let signals: [String]
  /// The sessions of the pooled fit of the outcome that gives the weights.
  let sessions: [FeedbackSession]

  /// The weights of all signals of the domain; none where no interval excludes zero.
  func weights(of fit: OutcomeFit, _ findings: inout [String]) -> [FittedWeight] {
    guard let result = fit[configuration.estimate] else { return [] }
    var kept: [(signal: FeedbackSignal, effect: Double)] = []
    for term in result.terms {
      guard let signal = FeedbackSignal(rawValue: term.name), !term.holdsZero else { continue }
      kept.append((signal, term.estimate * unit(of: signal)))
    }
    for term in result.terms where signals.contains(term.name) {
      if FeedbackSignal(rawValue: term.name) == nil, !term.holdsZero {
        findings.append(
          "\(term.name): has a coefficient, but is no signal that a reward can weigh")
      }
    }
    let scale = scale(of: kept)
    guard scale > 0 else { return [] }
    if let play = kept.first(where: { $0.signal == .playMinutes }), play.effect < 0 {
      findings.append(
        "play_minutes has a negative weight: this reward pays for shorter sessions; do not train "
          + "on it")
    }
    return FeedbackSignal.allCases.map { signal in
      guard let term = result[signal.rawValue] else {
        return FittedWeight(
          signal: signal.rawValue, weight: 0, low: nil, high: nil, source: .notFitted)
      }
      let factor = scale * unit(of: signal)
      let isStandard = configuration.uncertainWeight == .standard
      let prior = Double(SatisfactionReward.standard[signal])
      return FittedWeight(
        signal: signal.rawValue,
        weight: term.holdsZero ? (isStandard ? prior : 0) : term.estimate * factor,
        low: term.low * factor, high: term.high * factor,
        source: term.holdsZero ? (isStandard ? .standard : .zero) : .fitted)
    }
  }

  /// What a coefficient is multiplied by to be a unit of its signal.
  private func unit(of signal: FeedbackSignal) -> Double {
    guard signal == .playMinutes, configuration.playTransform == .log1p,
      let place = signals.firstIndex(of: signal.rawValue)
    else { return 1 }
    return sessions.reduce(0) { $0 + 1 / (1 + $1.signals[place]) } / Double(sessions.count)
  }

  /// c of the third step; 0 where nothing spreads.
  private func scale(of kept: [(signal: FeedbackSignal, effect: Double)]) -> Double {
    let fitted = deviation(kept)
    guard fitted > 0 else { return 0 }
    return deviation(kept.map { ($0.signal, Double(SatisfactionReward.standard[$0.signal])) })
      / fitted
  }

  /// The standard deviation over the sessions of Σ effect · v.
  private func deviation(_ weighed: [(signal: FeedbackSignal, effect: Double)]) -> Double {
    let places = weighed.compactMap { signal, effect in
      signals.firstIndex(of: signal.rawValue).map { (place: $0, effect: effect) }
    }
    let values = sessions.map { session in
      places.reduce(0) { $0 + $1.effect * session.signals[$1.place] }
    }
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(max(1, values.count))).squareRoot()
  }
}
