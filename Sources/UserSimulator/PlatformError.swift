/// What can be wrong with the data that a platform is built from.
package enum PlatformError: Error, Sendable, Equatable {
  /// Two lists that must have the same length.
  case count(what: String, expected: Int, found: Int)
  /// A value of one user that is out of range.
  case user(index: Int, field: String, expected: String, found: String)
  /// A value of one video that is out of range.
  case video(index: Int, field: String, expected: String, found: String)
  /// A row of the impression model that is no row of scores and probabilities.
  case impression(user: Int, video: Int, field: String, expected: String, found: String)
  /// An assumption or a setting that is out of range.
  case setting(name: String, expected: String, found: String)
}

extension PlatformError: CustomStringConvertible {
  /// The error in one sentence for people.
  package var description: String {
    switch self {
    case .count(let what, let expected, let found):
      "\(what): expected \(expected), found \(found)"
    case .user(let index, let field, let expected, let found):
      "user \(index), \(field): expected \(expected), found \(found)"
    case .video(let index, let field, let expected, let found):
      "video \(index), \(field): expected \(expected), found \(found)"
    case .impression(let user, let video, let field, let expected, let found):
      "user \(user), video \(video), \(field): expected \(expected), found \(found)"
    case .setting(let name, let expected, let found):
      "\(name): expected \(expected), found \(found)"
    }
  }
}
