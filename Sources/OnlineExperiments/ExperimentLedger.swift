/// A metric of an experiment.
package enum ExperimentMetric: String, Sendable, CaseIterable {
  /// Minutes in the app per assigned user and day.
  case adTime = "ADTime"
  /// Plays with a positive interaction over plays.
  case upiRate = "UPIRate"
}

/// The metrics of one day by itself: each user gives one draw, absent users no minutes.
package struct DayEstimates: Sendable, Equatable {
  /// Day number.
  package let day: Int
  /// Minutes per user of each arm; no value with fewer than two users.
  package let adTime: [RatioEstimate]
  /// Plays with a positive interaction over plays of each arm; no value without plays.
  package let upiRate: [RatioEstimate]
}

/// A running experiment's books: sums by user, closed day by day.
///
/// Users may enter on any day and count from then on. Each day is closed once, with the users who
/// entered on it and what users did on it; then the metrics up to that day can be read.
package struct ExperimentLedger: Sendable {
  /// The arms, in the order of their indices.
  package let arms: [ExperimentArm]
  /// The day that is closed next.
  package private(set) var nextDay: Int
  /// Users of each arm.
  package private(set) var users: [Int]
  /// The split of the users, looked at on every day that was closed.
  package private(set) var sampleRatio: SequentialSampleRatio
  /// The days closed, each by itself.
  package private(set) var days: [DayEstimates] = []
  private var rows: [UInt64: Int] = [:]
  private var sums: [UserSum] = []

  private struct UserSum {
    let user: UInt64
    let arm: Int
    let firstDay: Int
    let baseline: UserBaseline?
    var minutes = 0.0
    var plays = 0
    var positivePlays = 0
  }

  /// The books of an experiment whose first day is `firstDay`.
  /// - Throws: `ExperimentError` for fewer than two arms, or arms without a share.
  package init(
    experiment: String, arms: [ExperimentArm], firstDay: Int
  ) throws(ExperimentError) {
    _ = try ExperimentAssignment(experiment: experiment, arms: arms)
    self.arms = arms
    self.nextDay = firstDay
    self.users = [Int](repeating: 0, count: arms.count)
    self.sampleRatio = SequentialSampleRatio(shares: arms.map(\.share))
  }

  /// Closes a day; when it throws, nothing has changed.
  ///
  /// - Parameters:
  ///   - day: `nextDay`.
  ///   - entering: users whose first request under the experiment came on this day. No arm can have
  ///     moved that request, and users lost on the way to an arm show in the split.
  ///   - activity: this day's activity; a user without a row did not come.
  /// - Throws: `ExperimentError` naming the row or user that does not fit.
  /// - Complexity: O(users).
  package mutating func close(
    day: Int, entering: [AssignedUser], activity: [UserDay]
  ) throws(ExperimentError) {
    guard day == nextDay else { throw .dayOutOfOrder(expected: nextDay, found: day) }
    let entrants = try check(entering)
    try check(activity, on: day, entrants: entrants)
    for user in entering {
      rows[user.user] = sums.count
      sums.append(UserSum(user: user.user, arm: user.arm, firstDay: day, baseline: user.baseline))
      users[user.arm] += 1
    }
    for entry in activity {
      guard let row = rows[entry.user] else { continue }
      sums[row].minutes += entry.appMinutes
      sums[row].plays += entry.plays
      sums[row].positivePlays += entry.positivePlays
    }
    sampleRatio.look(at: users)
    days.append(estimates(of: activity, on: day))
    nextDay += 1
  }

  /// The day by itself; users without a row did nothing.
  private func estimates(of activity: [UserDay], on day: Int) -> DayEstimates {
    var minutes = users.map { [Double](repeating: 0, count: $0) }
    var plays = minutes
    var positivePlays = minutes
    var visitors = arms.map { _ in 0 }
    for entry in activity {
      guard let row = rows[entry.user] else { continue }
      let arm = sums[row].arm
      minutes[arm][visitors[arm]] = entry.appMinutes
      plays[arm][visitors[arm]] = Double(entry.plays)
      positivePlays[arm][visitors[arm]] = Double(entry.positivePlays)
      visitors[arm] += 1
    }
    return DayEstimates(
      day: day,
      adTime: minutes.map { Self.ratio($0, [Double](repeating: 1, count: $0.count)) },
      upiRate: zip(positivePlays, plays).map(Self.ratio))
  }

  private static func ratio(_ numerators: [Double], _ denominators: [Double]) -> RatioEstimate {
    numerators.count >= 2
      ? RatioEstimate(numerators: numerators, denominators: denominators)
      : RatioEstimate(value: nil, variance: 0)
  }

  private func check(_ entering: [AssignedUser]) throws(ExperimentError) -> Set<UInt64> {
    var entrants = Set<UInt64>(minimumCapacity: entering.count)
    for user in entering {
      guard arms.indices.contains(user.arm) else {
        throw .unknownArm(user: user.user, arm: user.arm, arms: arms.count)
      }
      guard rows[user.user] == nil, entrants.insert(user.user).inserted else {
        throw .repeatedUser(user: user.user)
      }
    }
    return entrants
  }

  private func check(
    _ activity: [UserDay], on day: Int, entrants: Set<UInt64>
  ) throws(ExperimentError) {
    var seen = Set<UInt64>(minimumCapacity: activity.count)
    for (index, entry) in activity.enumerated() {
      guard entry.day == day else {
        throw .dayOutsideWindow(row: index, day: entry.day, first: day, end: day + 1)
      }
      guard rows[entry.user] != nil || entrants.contains(entry.user) else {
        throw .unassignedUser(row: index, user: entry.user)
      }
      guard entry.isValid else {
        throw .invalidUserDay(
          row: index, appMinutes: entry.appMinutes, plays: entry.plays,
          positivePlays: entry.positivePlays)
      }
      guard seen.insert(entry.user).inserted else {
        throw .repeatedUserDay(row: index, user: entry.user, day: day)
      }
    }
  }

  /// A metric of each arm over all days closed, with its variance over users.
  ///
  /// Adjusted for the pre-period, the covariate of a user is that of `ExperimentAnalysis` weighted
  /// by the user's days d_u, as the metric weights the user: d_u/d̄ · (c_u − Σd·c/Σd). With all users
  /// entering together it is the same. (Days count from entry, so no arm can move them.)
  ///
  /// - Returns: one estimate an arm; without a value where there are fewer than two users or
  ///   nothing to divide by.
  /// - Throws: `ExperimentError.missingBaseline` when the adjustment is asked for.
  /// - Complexity: O(users).
  package func estimates(
    of metric: ExperimentMetric, adjustsForBaseline: Bool
  ) throws(ExperimentError) -> [RatioEstimate] {
    var numerators = arms.map { _ in [Double]() }
    var denominators = numerators
    for arm in arms.indices {
      numerators[arm].reserveCapacity(users[arm])
      denominators[arm].reserveCapacity(users[arm])
    }
    for user in sums {
      switch metric {
      case .adTime:
        numerators[user.arm].append(user.minutes)
        denominators[user.arm].append(Double(nextDay - user.firstDay))
      case .upiRate:
        numerators[user.arm].append(Double(user.positivePlays))
        denominators[user.arm].append(Double(user.plays))
      }
    }
    guard adjustsForBaseline else {
      return zip(numerators, denominators).map(Self.ratio)
    }
    let values = zip(numerators, denominators).map { x, n in
      x.count >= 2 ? RatioEstimate.linearized(numerators: x, denominators: n) : nil
    }
    return BaselineAdjustment.estimates(values: values, covariates: try covariates(for: metric))
  }

  /// The users' weighted covariates by arm, their mean over all users zero.
  private func covariates(for metric: ExperimentMetric) throws(ExperimentError) -> [[Double]] {
    var weighted = 0.0
    var allDays = 0.0
    for user in sums {
      guard let value = user.baseline?.value(for: metric), value.isFinite else {
        throw .missingBaseline(user: user.user)
      }
      let days = Double(nextDay - user.firstDay)
      weighted += days * value
      allDays += days
    }
    guard allDays > 0 else { return arms.map { _ in [] } }
    let center = weighted / allDays
    let meanDays = allDays / Double(sums.count)
    var covariates = arms.map { _ in [Double]() }
    for user in sums {
      let days = Double(nextDay - user.firstDay)
      let value = user.baseline?.value(for: metric) ?? 0
      covariates[user.arm].append(days / meanDays * (value - center))
    }
    return covariates
  }
}

extension UserBaseline {
  /// The covariate of a metric.
  func value(for metric: ExperimentMetric) -> Double {
    switch metric {
    case .adTime: appMinutesPerDay
    case .upiRate: upiRate
    }
  }
}
