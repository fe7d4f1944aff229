/// One way to say what a policy is worth from logged sessions.
///
/// Estimators share `EvaluationSessions`: what the log holds and what the policy would do there.
package protocol PolicyValueEstimator: Sendable {
  /// The name in results.
  var name: String { get }

  /// What the policy of `sessions` is worth.
  ///
  /// - Throws: `EvaluationError`, or what `progress` throws.
  func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate
}

extension PolicyValueEstimator {
  /// What the policy of `sessions` is worth, without progress.
  ///
  /// - Throws: `EvaluationError`.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64
  ) throws -> PolicyValueEstimate {
    try estimate(on: sessions, seed: seed, progress: .silent)
  }
}
