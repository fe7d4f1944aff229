/// What can go wrong with stored users. No error holds a user's id.
public enum UserStateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is something else than a store of users of this program and this state.
  case foreign(path: String, part: String, expected: String, found: String)
  /// The file, or a user in it, is damaged.
  case corrupt(path: String, part: String, expected: String, found: String)
  /// The database refused an operation: its code and words.
  case database(path: String, operation: String, code: Int, message: String)
  /// Changes wait to be written, as many as may, and writing fails.
  case backlog(path: String, users: Int, reason: String)
  /// The store has been closed.
  case closed(path: String)

  /// One line for people.
  public var description: String {
    switch self {
    case .foreign(let path, let part, let expected, let found):
      "\(path): \(part): expected \(expected), found \(found)"
    case .corrupt(let path, let part, let expected, let found):
      "\(path): damaged: \(part): expected \(expected), found \(found)"
    case .database(let path, let operation, let code, let message):
      "\(path): cannot \(operation): \(message) (SQLite \(code))"
    case .backlog(let path, let users, let reason):
      "\(path): changes of \(users) users wait to be written, no more are taken: \(reason)"
    case .closed(let path): "\(path): the store is closed"
    }
  }

  /// Whether the disk is full, or the file may not grow.
  public var isOutOfSpace: Bool {
    switch self {
    // SQLITE_FULL, SQLITE_IOERR_WRITE.
    case .database(_, _, let code, _): code & 0xFF == 13 || code == 778
    default: false
    }
  }
}
