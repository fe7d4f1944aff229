package import FusionMDP

/// The true value of something on a platform, with the interval of its roll-out.
package struct TrueValue: Sendable, Equatable {
  /// The value.
  package var value: Double
  /// Bounds of the 95 % interval, clustered by user.
  package var low: Double
  /// See `low`.
  package var high: Double
  /// What the value is a mean over: sessions, user-days or plays.
  package var count: Double

  /// A ratio of sums over users, with the interval from the users' residuals.
  ///
  ///     v = Σ_u y_u / Σ_u n_u,   var v ≈ U/(U − 1) · Σ_u (y_u − v·n_u)² / (Σ_u n_u)²
  ///
  /// Without a single case the value is 0 and nothing stands behind it: `count` is 0.
  ///
  /// Shapes: `sums`, `counts` [users].
  package init(sums: [Double], counts: [Double]) {
    precondition(sums.count == counts.count, "\(sums.count) sums, \(counts.count) counts")
    let total = counts.reduce(0, +)
    guard total > 0 else {
      self.init(value: 0, low: 0, high: 0, count: 0)
      return
    }
    let value = sums.reduce(0, +) / total
    let userCount = Double(sums.count)
    let squares = zip(sums, counts).reduce(0) { sum, pair in
      let residual = pair.0 - value * pair.1
      return sum + residual * residual
    }
    let half =
      userCount > 1
      ? 1.959964 * (userCount / (userCount - 1) * squares).squareRoot() / total : .infinity
    self.init(value: value, low: value - half, high: value + half, count: total)
  }
}

/// What a policy is worth on a platform: truth for tests and reports.
package enum PlatformObjective: String, Sendable, CaseIterable {
  /// Discounted return of a session: the paper's "long-term user satisfaction per session".
  case sessionReturn
  /// App minutes a user and day (ADTime).
  case appMinutes
  /// Plays with a positive interaction over plays (UPIRate).
  case positiveRate
  /// Requests a session.
  case sessionLength
}

extension PlatformRun {
  /// Sums and counts by user, in the order of `users`: a value is Σ sums / Σ counts.
  ///
  /// Shapes: [users], [users].
  package func totals(
    _ objective: PlatformObjective, users: [Int]
  ) -> (sums: [Double], counts: [Double]) {
    var rows: [Int: Int] = [:]
    for (row, user) in users.enumerated() { rows[user] = row }
    var sums = [Double](repeating: 0, count: users.count)
    var counts = sums
    func add(_ user: Int, _ sum: Double, _ count: Double) {
      guard let row = rows[user] else { return }
      sums[row] += sum
      counts[row] += count
    }
    switch objective {
    case .sessionReturn:
      for session in sessions { add(session.user, session.discountedReturn, 1) }
    case .sessionLength:
      for session in sessions { add(session.user, Double(session.requests), 1) }
    case .appMinutes:
      for day in userDays { add(day.user, day.appMinutes, 1) }
    case .positiveRate:
      for day in userDays { add(day.user, Double(day.positivePlays), Double(day.plays)) }
    }
    return (sums, counts)
  }

  /// The true value of the run's policy.
  package func trueValue(_ objective: PlatformObjective) -> TrueValue {
    var users: [Int] = []
    for day in userDays where day.day == 0 { users.append(day.user) }
    let (sums, counts) = totals(objective, users: users)
    return TrueValue(sums: sums, counts: counts)
  }

  /// The difference of this run's value to another's, of the same users: both ratios linearized and
  /// paired by user, which is tight when the runs had the same seed.
  package func difference(to other: PlatformRun, _ objective: PlatformObjective) -> TrueValue {
    var users: [Int] = []
    for day in userDays where day.day == 0 { users.append(day.user) }
    let mine = totals(objective, users: users)
    let others = other.totals(objective, users: users)
    let value = TrueValue(sums: mine.sums, counts: mine.counts).value
    let otherValue = TrueValue(sums: others.sums, counts: others.counts).value
    let n = mine.counts.reduce(0, +)
    let m = others.counts.reduce(0, +)
    let userCount = Double(users.count)
    var squares = 0.0
    for row in users.indices {
      let residual =
        (mine.sums[row] - value * mine.counts[row]) / n
        - (others.sums[row] - otherValue * others.counts[row]) / m
      squares += residual * residual
    }
    let half = 1.959964 * (userCount / max(userCount - 1, 1) * squares).squareRoot()
    let difference = value - otherValue
    return TrueValue(value: difference, low: difference - half, high: difference + half, count: n)
  }
}

extension TrueValue {
  init(value: Double, low: Double, high: Double, count: Double) {
    self.value = value
    self.low = low
    self.high = high
    self.count = count
  }
}

extension SimulatedPlatform {
  /// The true value of a policy per session, by roll-out.
  ///
  ///     E Σ_t γ^t · r_t over the sessions that begin within the days
  package func sessionReturn(
    of policy: any FusionPolicy, users: [Int]? = nil, from state: PlatformState, days: Int,
    seed: UInt64, reward: SatisfactionReward = .standard, discount: Double = 0.95,
    threads: Int = 1
  ) -> TrueValue {
    run(
      policy: policy, users: users, from: state, days: days, seed: seed, reward: reward,
      discount: discount, threads: threads
    ).trueValue(.sessionReturn)
  }
}
