/// What can be wrong with what a service is told to serve. Nothing of it reaches a request.
package enum OnlineServingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A policy that the service cannot serve.
  case unfitPolicy(version: String, field: String, expected: String, found: String)
  /// There is no release before the current one in memory.
  case noEarlierRelease(current: String?)
  /// A plan that cannot be carried out.
  case invalidPlan(field: String, expected: String, found: String)

  /// The error in one sentence for people.
  package var description: String {
    switch self {
    case .unfitPolicy(let version, let field, let expected, let found):
      "policy \"\(version)\", \(field): expected \(expected), found \(found)"
    case .noEarlierRelease(let current):
      "there is no release before \(current.map { "\"\($0)\"" } ?? "the first") to roll back to"
    case .invalidPlan(let field, let expected, let found):
      "\(field): expected \(expected), found \(found)"
    }
  }
}
