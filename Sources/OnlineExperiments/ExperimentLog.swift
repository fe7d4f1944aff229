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
