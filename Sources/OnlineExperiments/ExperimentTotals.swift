/// A log, checked and added up by user, arm and day.
struct ExperimentTotals {
  /// Minutes of each user of the log, in its order.
  private(set) var minutes: [Double]
  /// Days that each user counts for.
  private(set) var userDays: [Double]
  /// Plays of each user.
  private(set) var plays: [Double]
  /// Plays with a positive interaction.
  private(set) var positivePlays: [Double]
  /// Rows of the users of each arm.
  private(set) var members: [[Int]]
  /// The metrics of each arm and day.
  private(set) var daily: [[DailyMetrics]]

  /// Checks and adds up.
  /// - Throws: `ExperimentError` naming the row, user or arm that does not fit.
  init(log: ExperimentLog, denominator: DayDenominator) throws(ExperimentError) {
    guard log.arms.count >= 2 else { throw .tooFewArms(experiment: "", found: log.arms.count) }
    guard !log.days.isEmpty else {
      throw .emptyWindow(first: log.days.lowerBound, end: log.days.upperBound)
    }
    minutes = [Double](repeating: 0, count: log.users.count)
    plays = minutes
    positivePlays = minutes
    let initialDays = denominator == .assignedDays ? Double(log.days.count) : 0
    userDays = [Double](repeating: initialDays, count: log.users.count)
    members = [[Int]](repeating: [], count: log.arms.count)
    daily = []
    let rows = try register(log)
    let sums = try addUp(log, rows: rows, denominator: denominator)
    daily = log.arms.indices.map { arm in
      log.days.indices.map { day in
        let sum = sums[arm][day - log.days.lowerBound]
        let users = denominator == .assignedDays ? members[arm].count : sum.visitors
        return DailyMetrics(
          day: day, adTimeMinutes: users > 0 ? sum.minutes / Double(users) : nil,
          upiRate: sum.plays > 0 ? Double(sum.positivePlays) / Double(sum.plays) : nil)
      }
    }
  }

  /// The row of each user, after checking arms and repetitions.
  private mutating func register(_ log: ExperimentLog) throws(ExperimentError) -> [UInt64: Int] {
    var rows: [UInt64: Int] = [:]
    rows.reserveCapacity(log.users.count)
    for (index, user) in log.users.enumerated() {
      guard log.arms.indices.contains(user.arm) else {
        throw .unknownArm(user: user.user, arm: user.arm, arms: log.arms.count)
      }
      guard rows.updateValue(index, forKey: user.user) == nil else {
        throw .repeatedUser(user: user.user)
      }
      members[user.arm].append(index)
    }
    for (arm, users) in zip(log.arms, members) where users.count < 2 {
      throw .tooFewUsers(arm: arm.name, found: users.count)
    }
    return rows
  }

  /// Sums by arm and day; adds to the users' own sums on the way.
  private mutating func addUp(
    _ log: ExperimentLog, rows: [UInt64: Int], denominator: DayDenominator
  ) throws(ExperimentError) -> [[DaySum]] {
    let empty = [DaySum](repeating: DaySum(), count: log.days.count)
    var sums = [[DaySum]](repeating: empty, count: log.arms.count)
    var seen = Set<Int>()
    seen.reserveCapacity(log.activity.count)
    for (index, entry) in log.activity.enumerated() {
      guard let row = rows[entry.user] else {
        throw .unassignedUser(row: index, user: entry.user)
      }
      guard log.days.contains(entry.day) else {
        throw .dayOutsideWindow(
          row: index, day: entry.day, first: log.days.lowerBound, end: log.days.upperBound)
      }
      guard entry.isValid else {
        throw .invalidUserDay(
          row: index, appMinutes: entry.appMinutes, plays: entry.plays,
          positivePlays: entry.positivePlays)
      }
      let day = entry.day - log.days.lowerBound
      guard seen.insert(row * log.days.count + day).inserted else {
        throw .repeatedUserDay(row: index, user: entry.user, day: entry.day)
      }
      minutes[row] += entry.appMinutes
      plays[row] += Double(entry.plays)
      positivePlays[row] += Double(entry.positivePlays)
      if denominator == .activeDays { userDays[row] += 1 }
      sums[log.users[row].arm][day].add(entry)
    }
    return sums
  }

  private struct DaySum {
    var minutes = 0.0
    var plays = 0
    var positivePlays = 0
    var visitors = 0

    mutating func add(_ entry: UserDay) {
      minutes += entry.appMinutes
      plays += entry.plays
      positivePlays += entry.positivePlays
      visitors += 1
    }
  }
}
