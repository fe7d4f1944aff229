/// Why a reward could not be fitted.
public enum RewardFitError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A configuration value out of its range.
  case configuration(field: String, expected: String, found: String)
  /// Lines of the log that do not fit its schema: the first of them.
  case invalidLog(String)
  /// A log without a session.
  case emptyLog(String)
  /// No session whose outcome is known: why.
  case noOutcome(String)
  /// Errors are clustered by user, and there is only one.
  case oneUser(sessions: Int)
  /// Fewer sessions than columns.
  case tooFewSessions(Int, columns: Int)
  /// Every column is constant.
  case nothingVaries([String])
  /// A file of user activity that cannot be used: which, and why.
  case activity(file: String, String)
  /// No signal that a reward can weigh has an interval without zero.
  case nothingToWeigh(String)

  /// Whether what was asked is at fault, and not the log.
  public var isAboutInput: Bool {
    switch self {
    case .configuration, .activity: true
    default: false
    }
  }

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .configuration(let field, let expected, let found):
      "reward fit: \(field): \(expected) expected, found \(found)"
    case .invalidLog(let text): text
    case .emptyLog(let log): "\(log): no session in it"
    case .noOutcome(let reason): reason
    case .oneUser(let sessions):
      "at least 2 users expected, as errors are clustered by user; found \(sessions) usable "
        + "sessions of 1 user"
    case .tooFewSessions(let sessions, let columns):
      "more than \(columns + 1) usable sessions expected for \(columns) columns, found "
        + "\(sessions)"
    case .nothingVaries(let names):
      "at least one column that varies expected, found only constant ones: "
        + names.joined(separator: ", ")
    case .activity(let file, let reason): "\(file): \(reason)"
    case .nothingToWeigh(let reason): reason
    }
  }
}
