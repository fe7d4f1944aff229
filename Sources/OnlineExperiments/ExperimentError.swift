/// What is wrong with an experiment's definition or with the log that it left.
package enum ExperimentError: Error, Equatable, CustomStringConvertible {
  /// An experiment needs at least two arms.
  case tooFewArms(experiment: String, found: Int)
  /// Every arm needs a name of its own and a finite share above zero.
  case invalidArm(experiment: String, index: Int, name: String, share: Double)
  /// The reference must be one of the arms.
  case unknownReference(index: Int, arms: Int)
  /// The window of an experiment holds at least one day.
  case emptyWindow(first: Int, end: Int)
  /// A user is listed under an arm that does not exist.
  case unknownArm(user: UInt64, arm: Int, arms: Int)
  /// A user is listed twice among the assigned users.
  case repeatedUser(user: UInt64)
  /// An arm has fewer users than a variance needs.
  case tooFewUsers(arm: String, found: Int)
  /// A user-day belongs to nobody who was assigned.
  case unassignedUser(row: Int, user: UInt64)
  /// A user-day lies outside the experiment's window.
  case dayOutsideWindow(row: Int, day: Int, first: Int, end: Int)
  /// The same user-day is listed twice.
  case repeatedUserDay(row: Int, user: UInt64, day: Int)
  /// A user-day holds a negative or non-finite time, or more positive plays than plays.
  case invalidUserDay(row: Int, appMinutes: Double, plays: Int, positivePlays: Int)
  /// The adjustment for the pre-period was asked for, but a user has no finite baseline.
  case missingBaseline(user: UInt64)
  /// A plan of layers, or the stages it is to run at, cannot be carried out.
  case invalidPlan(field: String, expected: String, found: String)
  /// Days are closed one after the other, each once.
  case dayOutOfOrder(expected: Int, found: Int)

  /// One line that names the row, user or arm, what was expected and what was found.
  package var description: String {
    switch self {
    case .tooFewArms(let experiment, let found):
      "experiment \"\(experiment)\": expected at least 2 arms, found \(found)"
    case .invalidArm(let experiment, let index, let name, let share):
      "experiment \"\(experiment)\", arm \(index): expected a name of its own and a finite "
        + "share above 0, found name \"\(name)\" with share \(share)"
    case .unknownReference(let index, let arms):
      "reference arm: expected an index in 0..<\(arms), found \(index)"
    case .emptyWindow(let first, let end):
      "experiment window: expected at least one day, found days \(first)..<\(end)"
    case .unknownArm(let user, let arm, let arms):
      "user \(user): expected an arm in 0..<\(arms), found \(arm)"
    case .repeatedUser(let user):
      "user \(user): expected once among the assigned users, found again"
    case .tooFewUsers(let arm, let found):
      "arm \"\(arm)\": expected at least 2 users, found \(found)"
    case .unassignedUser(let row, let user):
      "user-day \(row): user \(user) is not among the assigned users"
    case .dayOutsideWindow(let row, let day, let first, let end):
      "user-day \(row): expected a day in \(first)..<\(end), found \(day)"
    case .repeatedUserDay(let row, let user, let day):
      "user-day \(row): user \(user) already has a row for day \(day)"
    case .invalidUserDay(let row, let appMinutes, let plays, let positivePlays):
      "user-day \(row): expected finite minutes ≥ 0 and 0 ≤ positive plays ≤ plays, found "
        + "\(appMinutes) minutes, \(positivePlays) positive of \(plays) plays"
    case .missingBaseline(let user):
      "user \(user): the adjustment for the pre-period needs a finite baseline, found none"
    case .invalidPlan(let field, let expected, let found):
      "\(field): expected \(expected), found \(found)"
    case .dayOutOfOrder(let expected, let found):
      "day to close: expected \(expected), found \(found)"
    }
  }
}
