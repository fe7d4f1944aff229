import Foundation
import FusionMDP

/// State features that know the reward of their own request, or what is still to come.
///
/// A feature of the state is as of *before* the request, so all it says about the request's reward
/// it says through what was known then. Two regressions on ranks ask for more (ranks, so that one huge
/// reward proves nothing and any monotone copy is seen):
///
/// 1. *Within sessions*, over requests that have one before them: what the features x_{t−1} and the
///    reward r_{t−1} explain is taken out of the feature x_t, of the reward r_t, of the
///    next reward r_{t+1}, and of whether the session ends here. What is new in an honest x_t is the
///    feedback of request t−1 and the clock; what is new in r_t had not happened yet. Their squared
///    partial correlation is small: it is compared with the thresholds, and told beside that of x_t
///    with r_{t−1} given x_{t−1}, which is large for honest features that react to feedback.
/// 2. *Across sessions*, at their first request: the feature against the session's first reward,
///    return and length, less what the same feature in the user's last session, that session's return,
///    length and last reward and the means of all the user's earlier ones explain. This sees what is constant along a session, and
///    what counts down to its end, where the first test has nothing new to look at.
///
/// What it does not see: a leak of less than the thresholds; a copy of a heavy-tailed reward under noise
/// that is small beside its largest values only; what is constant for a user in the whole log (a mean over
/// all time that includes the future). Where fewer than a hundred sessions have one before them of the same
/// user, the second test has the raw correlation alone: an honest profile explains up to nine tenths of
/// a session by knowing who is active, so that only what is nearly a copy of it is told.
///
/// When it can be wrong: where rewards are a function of what is new in the state at the same moment (a
/// simulator without noise; a context feature, such as the quality of the candidates, that explains more than a
/// third of the reward by itself). With 100 degrees of freedom or more chance alone reaches
/// the lower threshold in fewer than one of 10⁵ features.
enum LeakageChecks {
  /// Rows read at most.
  private static let rows = 50_000
  /// Observations beyond the number of explaining columns.
  private static let freedom = 100

  static func findings(_ data: CheckedTransitions, names: [String]) -> [DataFinding] {
    let ranks = RankedTransitions(data)
    var worst: [Int: Suspicion] = [:]
    for suspicion in withinSessions(data, ranks) + acrossSessions(data, ranks) {
      guard suspicion.excess > 1 else { continue }
      // Errors first, then by how far it is over its own threshold.
      if let held = worst[suspicion.feature], held.weight >= suspicion.weight { continue }
      worst[suspicion.feature] = suspicion
    }
    return worst.values.sorted { $0.feature < $1.feature }
      .map { $0.finding(name: CheckedTransitions.name($0.feature, names), data: data) }
  }

  private struct Suspicion {
    let feature: Int
    let knows: String
    let found: Double
    /// The same statistic with the previous reward, where it was computed.
    let past: Double?
    let threshold: DataChecks.Threshold.Limits

    var excess: Double { found / threshold.warning }
    var isError: Bool { found >= threshold.error }
    /// What counts more of two.
    var weight: (Int, Double) { (isError ? 1 : 0, excess) }

    func finding(name: String, data: CheckedTransitions) -> DataFinding {
      var summary = String(
        format: "state feature \(name) explains %.0f %% of \(knows) beyond what the past explains "
          + "(at most %.0f %% expected of a feature as of before the request", 100 * found,
        100 * threshold.warning)
      if let past { summary += String(format: "; %.0f %% of the reward before it", 100 * past) }
      summary += ")"
      if let factor = LeakageChecks.affineFactor(feature, data) {
        summary += String(format: "; it is %.4g times the request's reward plus a constant", factor)
      }
      return DataFinding(
        check: .leakage, severity: isError ? .error : .warning, summary: summary,
        advice: "leave the feature out, or compute it as of event and arrival time before the "
          + "request")
    }
  }

  private static func withinSessions(
    _ data: CheckedTransitions, _ ranks: RankedTransitions
  ) -> [Suspicion] {
    let size = data.stateSize
    // Explaining: x_{t−1}, r_{t−1}; looked at: x_t; r_t, r_{t+1}, end.
    let width = 2 * size + 4
    let eligible = data.sessions.enumerated().flatMap { m, session in
      session.dropFirst().map { (m, $0) }
    }
    let count = min(eligible.count, rows)
    guard count > size + 1 + freedom else { return [] }
    var table: [Double] = []
    table.reserveCapacity(count * width)
    for position in 0..<count {
      let (m, t) = eligible[position * eligible.count / count]
      let isLast = t == data.sessions[m].upperBound - 1
      table += ranks.state(t - 1)
      table.append(ranks.rewards[t - 1])
      table += ranks.state(t)
      table.append(ranks.rewards[t])
      table.append(isLast ? 0.5 : ranks.rewards[t + 1])
      table.append(isLast && data.ends[m] == .terminal ? 1 : 0)
    }
    var correlations = SweptCorrelations(table, size: width)
    for column in 0..<size { correlations.sweep(column) }
    // Before the last reward explains, what the feature has to do with it.
    let past = (0..<size).map { correlations.squaredPartial(size + 1 + $0, size) }
    correlations.sweep(size)
    let targets = [
      "its own request's reward", "the next request's reward", "whether the session ends",
    ]
    return (0..<size).flatMap { feature in
      targets.enumerated().compactMap { index, knows in
        correlations.squaredPartial(size + 1 + feature, 2 * size + 1 + index).map {
          Suspicion(
            feature: feature, knows: knows, found: $0, past: past[feature],
            threshold: DataChecks.Threshold.leak)
        }
      }
    }
  }

  /// What a feature at a session's start may know of it.
  private static let sessionTargets = [
    "its own request's reward at a session's start", "its session's return",
    "its session's length",
  ]

  private static func acrossSessions(
    _ data: CheckedTransitions, _ ranks: RankedTransitions
  ) -> [Suspicion] {
    let returns = rankScores(
      data.sessions.map { Float(data.rewards[$0].reduce(0) { $0 + Double($1) }) })
    let lengths = rankScores(data.sessions.map { Float($0.count) })
    let pairs = successiveSessions(data, returns: returns, lengths: lengths)
    guard pairs.count > 7 + freedom else {
      return withoutPast(data, returns: returns, lengths: lengths)
    }
    let count = min(pairs.count, rows)
    return (0..<data.stateSize).flatMap { feature -> [Suspicion] in
      var table: [Double] = []
      for position in 0..<count {
        let pair = pairs[position * pairs.count / count]
        let first = data.sessions[pair.session].lowerBound
        let last = data.sessions[pair.previous].upperBound - 1
        table += [
          ranks.states[last * data.stateSize + feature], returns[pair.previous],
          lengths[pair.previous], ranks.rewards[last], pair.meanReturn, pair.meanLength,
          ranks.states[first * data.stateSize + feature], ranks.rewards[first],
          returns[pair.session], lengths[pair.session],
        ]
      }
      var correlations = SweptCorrelations(table, size: 10)
      for column in 0..<6 { correlations.sweep(column) }
      return sessionTargets.enumerated().compactMap { index, knows in
        // Of a session's length and return a feature may know little by being almost constant.
        correlations.squaredPartial(6, 7 + index, tolerance: 1e-4).map {
          Suspicion(
            feature: feature, knows: knows, found: $0, past: nil,
            threshold: DataChecks.Threshold.leakAcrossSessions)
        }
      }
    }
  }

  /// Where users have no earlier sessions: ranks among the sessions' starts, so that a copy of what
  /// a session holds explains all of it.
  private static func withoutPast(
    _ data: CheckedTransitions, returns: [Double], lengths: [Double]
  ) -> [Suspicion] {
    let count = min(data.sessions.count, rows)
    guard count > 7 + freedom else { return [] }
    let chosen = (0..<count).map { $0 * data.sessions.count / count }
    let starts = chosen.map { data.sessions[$0].lowerBound }
    let rewards = rankScores(starts.map { data.rewards[$0] })
    return (0..<data.stateSize).flatMap { feature -> [Suspicion] in
      let values = rankScores(starts.map { data.states[$0 * data.stateSize + feature] })
      let table = chosen.enumerated().flatMap { row, m in
        [values[row], rewards[row], returns[m], lengths[m]]
      }
      let correlations = SweptCorrelations(table, size: 4)
      return sessionTargets.enumerated().compactMap { index, knows in
        correlations.squaredPartial(0, 1 + index).map {
          Suspicion(
            feature: feature, knows: knows, found: $0, past: nil,
            threshold: DataChecks.Threshold.leakWithoutPast)
        }
      }
    }
  }

  /// A session with the one before it and the means of all before it, of the same user.
  private struct SuccessiveSessions {
    let session: Int
    let previous: Int
    let meanReturn: Double
    let meanLength: Double
  }

  private static func successiveSessions(
    _ data: CheckedTransitions, returns: [Double], lengths: [Double]
  ) -> [SuccessiveSessions] {
    var last: [UInt64: (session: Int, returns: Double, lengths: Double, count: Double)] = [:]
    var pairs: [SuccessiveSessions] = []
    for m in data.sessions.indices.sorted(by: {
      (data.startTimes[$0], $0) < (data.startTimes[$1], $1)
    }) {
      var sums = last[data.users[m]] ?? (m, 0, 0, 0)
      if sums.count > 0 {
        pairs.append(
          SuccessiveSessions(
            session: m, previous: sums.session, meanReturn: sums.returns / sums.count,
            meanLength: sums.lengths / sums.count))
      }
      sums = (m, sums.returns + returns[m], sums.lengths + lengths[m], sums.count + 1)
      last[data.users[m]] = sums
    }
    return pairs
  }

  /// b of x = b·r + c where it holds for all requests, else nil.
  private static func affineFactor(_ feature: Int, _ data: CheckedTransitions) -> Double? {
    let values = (0..<data.count).map { data.states[$0 * data.stateSize + feature] }
    let (x, r) = (meanAndDeviation(values), meanAndDeviation(data.rewards))
    guard x.deviation > 0, r.deviation > 0 else { return nil }
    let shared =
      zip(values, data.rewards).reduce(0.0) {
        $0 + (Double($1.0) - x.mean) * (Double($1.1) - r.mean)
      } / Double(data.count)
    let correlation = shared / (x.deviation * r.deviation)
    return abs(correlation) > 0.9999 ? shared / (r.deviation * r.deviation) : nil
  }
}

/// The ranks of states and rewards, 0…1.
private struct RankedTransitions {
  let stateSize: Int
  /// [N·S].
  private(set) var states: [Double]
  /// [N].
  let rewards: [Double]

  init(_ data: CheckedTransitions) {
    stateSize = data.stateSize
    states = [Double](repeating: 0, count: data.count * data.stateSize)
    rewards = rankScores(data.rewards)
    for feature in 0..<data.stateSize {
      let column = (0..<data.count).map { data.states[$0 * data.stateSize + feature] }
      for (row, rank) in rankScores(column).enumerated() {
        states[row * data.stateSize + feature] = rank
      }
    }
  }

  func state(_ row: Int) -> ArraySlice<Double> {
    states[row * stateSize..<(row + 1) * stateSize]
  }
}

/// Ranks as shares of the count, ties in their middle; ½ each where all are the same.
func rankScores(_ values: [Float]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start
    while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
    let rank = (Double(start) + Double(end)) / 2 / Double(order.count)
    for position in start..<end { ranks[order[position]] = rank }
    start = max(end, start + 1)
  }
  return ranks
}
