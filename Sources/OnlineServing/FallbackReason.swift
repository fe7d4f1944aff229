/// Why a request was answered by the fallback's weights and not by the policy of its user.
package enum FallbackReason: String, Error, Sendable, Hashable, CaseIterable {
  /// The user store did not answer within the budget.
  case storeTimeout = "store_timeout"
  /// The user store answered with an error.
  case storeFailure = "store_failure"
  /// As many calls of the user store as may wait are waiting, so it was not asked.
  case storeBusy = "store_busy"
  /// Nothing is known of the user, and the settings say that such a user gets the fallback.
  case missingUser = "missing_user"
  /// A feature of the state is NaN or infinite.
  case invalidState = "invalid_state"
  /// No policy is released.
  case noPolicy = "no_policy"
  /// The policy decided something that is no action: NaN, outside [−1, 1], or of another size.
  case invalidAction = "invalid_action"
  /// The request's tasks are not those that the policy fuses.
  case unknownTask = "unknown_task"
  /// A task score of the request is NaN, infinite or outside its task's domain.
  case invalidScores = "invalid_scores"
  /// A fused score is NaN or infinite.
  case nonFiniteScores = "non_finite_scores"
}
