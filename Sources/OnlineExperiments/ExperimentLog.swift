/// What one user did on one day of an experiment; days without a visit need no row.
package struct UserDay: Sendable, Equatable {
  /// Hash of the user, as in the assignment.
  package let user: UInt64
  /// Day number, within the experiment's window.
  package let day: Int
  /// Minutes that the app was open.
  package let appMinutes: Double
  /// Videos played.
  package let plays: Int
  /// Of those, plays with at least one positive interaction (like, follow, comment, forward …).
  package let positivePlays: Int

  /// One user's activity on one day.
  package init(user: UInt64, day: Int, appMinutes: Double, plays: Int, positivePlays: Int) {
    self.user = user
    self.day = day
    self.appMinutes = appMinutes
    self.plays = plays
    self.positivePlays = positivePlays
  }

  /// Whether times and counts are possible.
  var isValid: Bool {
    appMinutes >= 0 && appMinutes.isFinite && positivePlays >= 0 && positivePlays <= plays
  }
}

/// A user's behaviour before the experiment began: covariates that no arm can have moved.
package struct UserBaseline: Sendable, Equatable {
  /// Minutes in the app per day of the pre-period.
  package let appMinutesPerDay: Double
  /// Share of pre-period plays with a positive interaction; for a user without plays, the
  /// population's share.
  package let upiRate: Double

  /// The pre-period means of one user.
  package init(appMinutesPerDay: Double, upiRate: Double) {
    self.appMinutesPerDay = appMinutesPerDay
    self.upiRate = upiRate
  }
}

extension UserBaseline {
  /// The baselines of users from what they did before the experiment.
  ///
  /// A user without plays tells nothing of UPIRate: the covariate is then the share of all plays
  /// of the pre-period, so that no adjustment follows from it (0 would take such a user for one
  /// who plays and never interacts). Without any play the share is 0 for everybody.
  ///
  /// - Parameters:
  ///   - users: hashes [n].
  ///   - days: the length of the pre-period; days without a row count as no minutes.
  ///   - activity: the days of these users; other users' are left out.
  /// - Returns: one baseline a user, in their order.
  package static func preceding(
    users: [UInt64], days: Int, activity: [UserDay]
  ) -> [UserBaseline] {
    precondition(days > 0, "a pre-period of \(days) days")
    var rows: [UInt64: Int] = [:]
    for (row, user) in users.enumerated() { rows[user] = row }
    var minutes = [Double](repeating: 0, count: users.count)
    var plays = [Int](repeating: 0, count: users.count)
    var positive = plays
    for day in activity {
      guard let row = rows[day.user] else { continue }
      minutes[row] += day.appMinutes
      plays[row] += day.plays
      positive[row] += day.positivePlays
    }
    func share(_ positive: Int, _ plays: Int) -> Double? {
      plays > 0 ? Double(positive) / Double(plays) : nil
    }
    let overall = share(positive.reduce(0, +), plays.reduce(0, +)) ?? 0
    return users.indices.map { row in
      UserBaseline(
        appMinutesPerDay: minutes[row] / Double(days),
        upiRate: share(positive[row], plays[row]) ?? overall)
    }
  }
}

/// A user who takes part, whether or not they came.
package struct AssignedUser: Sendable, Equatable {
  /// Hash of the user.
  package let user: UInt64
  /// Index of the arm that the user belongs to.
  package let arm: Int
  /// Pre-period covariates; nil when unknown.
  package let baseline: UserBaseline?

  /// A user of the given arm.
  package init(user: UInt64, arm: Int, baseline: UserBaseline? = nil) {
    self.user = user
    self.arm = arm
    self.baseline = baseline
  }
}

/// Everything that the readout of an experiment needs.
package struct ExperimentLog: Sendable {
  /// The arms, in the order of their indices.
  package let arms: [ExperimentArm]
  /// Every user of the experiment, once.
  package let users: [AssignedUser]
  /// Days that count, first ..< end.
  package let days: Range<Int>
  /// The days on which users came.
  package let activity: [UserDay]

  /// An experiment's log; it is checked when it is read.
  package init(
    arms: [ExperimentArm], users: [AssignedUser], days: Range<Int>, activity: [UserDay]
  ) {
    self.arms = arms
    self.users = users
    self.days = days
    self.activity = activity
  }
}
