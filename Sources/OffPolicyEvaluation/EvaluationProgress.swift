/// Hears how far an estimate is, and may stop it by throwing.
package struct EvaluationProgress {
  private let handler: ((_ round: Int, _ rounds: Int, _ fit: Int) throws -> Void)?

  /// Hears nothing.
  package static var silent: EvaluationProgress { EvaluationProgress() }

  private init() { handler = nil }

  /// Calls `handler` after each round: rounds done, rounds of a fit, index of the fit (0 is the
  /// estimate itself, then those of the interval).
  package init(_ handler: @escaping (_ round: Int, _ rounds: Int, _ fit: Int) throws -> Void) {
    self.handler = handler
  }

  func report(round: Int, of rounds: Int, fit: Int) throws { try handler?(round, rounds, fit) }
}
