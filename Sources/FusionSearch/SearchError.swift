/// What can go wrong in a search over fusion weights.
package enum SearchError: Error, Equatable, CustomStringConvertible {
  /// The kernel matrix stayed singular whatever was added to its diagonal.
  case notPositiveDefinite(size: Int)
  /// An outcome was told for a suggestion that is not open.
  case unknownSuggestion(index: Int)
  /// An outcome that is not a finite number.
  case invalidOutcome(index: Int, value: Double)
  /// An outcome measured on no sessions.
  case noSessions(index: Int, sessions: Int)
  /// A saved search that does not fit its own configuration.
  case invalidState(reason: String)
  /// A search that was asked for in a way that none can be.
  case invalidSetting(reason: String)
  /// A generation was asked for while outcomes of the one before it are missing.
  case openGeneration(suggestions: Int)

  /// One line that says what was expected and what was found.
  package var description: String {
    switch self {
    case .notPositiveDefinite(let size):
      "Gaussian process: the \(size) × \(size) kernel matrix is singular; "
        + "are observed values or points not finite?"
    case .unknownSuggestion(let index):
      "search: expected the index of an open suggestion, found \(index)"
    case .invalidOutcome(let index, let value):
      "search, suggestion \(index): expected a finite outcome, found \(value)"
    case .noSessions(let index, let sessions):
      "search, suggestion \(index): expected at least 1 session, found \(sessions)"
    case .invalidState(let reason):
      "saved search: \(reason)"
    case .invalidSetting(let reason):
      reason
    case .openGeneration(let suggestions):
      "search: expected the outcomes of \(suggestions) open suggestions before the next generation"
    }
  }

  /// Checks where a search begins and what it may spend.
  static func check(
    start: [Double], sessionBudget: Int, isInBox: Bool = true
  ) throws(SearchError) {
    guard !start.isEmpty, start.allSatisfy({ isInBox ? (-1...1).contains($0) : $0.isFinite })
    else {
      throw .invalidSetting(
        reason: "start: expected \(isInBox ? "numbers in [−1, 1]" : "finite numbers"), "
          + "found \(start)")
    }
    guard sessionBudget > 0 else {
      throw .invalidSetting(reason: "sessionBudget: expected at least 1, found \(sessionBudget)")
    }
  }
}
