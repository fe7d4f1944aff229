/// Hears how far an estimate is, and may stop it by throwing.
package struct EvaluationProgress {
  private let handler: ((_ round: Int, _ rounds: Int, _ fit: Int) throws -> Void)?

  /// Hears nothing.
  package static var silent: EvaluationProgress { EvaluationProgress() }

  private init() { handler = nil }

  /// Calls `handler` on the calling thread: rounds done, rounds of a fit, index of the fit, counted
  /// as if fits came one after another (0 is the estimate itself, then those of the interval).
  package init(_ handler: @escaping (_ round: Int, _ rounds: Int, _ fit: Int) throws -> Void) {
    self.handler = handler
  }

  /// Tells that `done` rounds of all fits are done.
  func report(done: Int, of rounds: Int) throws {
    try handler?((done - 1) % rounds + 1, rounds, (done - 1) / rounds)
  }
}
