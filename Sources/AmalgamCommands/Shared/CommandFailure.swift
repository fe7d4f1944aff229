import ArgumentParser

/// A failure of a command, told to the person at the terminal in one message.
///
/// Exit status 2 means that what was asked cannot be understood: flags, values, configuration keys,
/// a named file that is not there or not of its format. 1 means that it was understood and could
/// not be done: a full disk, damaged files, nothing to roll back to.
package struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// Whose fault it is, as an exit status.
  package enum Kind: Int32, Sendable {
    /// It was understood and could not be done.
    case failure = 1
    /// The request itself is wrong.
    case usage = 2
    /// Ctrl-C: the work stopped at a checkpoint. 128 + SIGINT, as shells expect.
    case interrupted = 130
  }

  /// Whose fault it is.
  package let kind: Kind

  /// What was expected, what was found, and where.
  package let description: String

  /// A request that cannot be understood.
  package static func usage(_ message: String) -> CommandFailure {
    CommandFailure(kind: .usage, description: message)
  }

  /// A request that could not be carried out.
  package static func failure(_ message: String) -> CommandFailure {
    CommandFailure(kind: .failure, description: message)
  }

  /// Work stopped by the user at a checkpoint that `--resume` continues from.
  package static func interrupted(_ message: String) -> CommandFailure {
    CommandFailure(kind: .interrupted, description: message)
  }
}
