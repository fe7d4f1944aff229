package import DenseKernels

/// B transitions as a fit sees them: normalized states, scaled rewards, the policy's actions.
package struct EvaluationBatch {
  /// s, [B, S].
  package let states: Matrix
  /// a of the log, [B, A].
  package let actions: Matrix
  /// π_e(s), [B, A].
  package internal(set) var policyActions: Matrix
  /// r/c, [B].
  package let rewards: [Float]
  /// s', [B, S].
  package let nextStates: Matrix
  /// π_e(s'), [B, A].
  package internal(set) var nextPolicyActions: Matrix
  /// 1 where the return goes on, 0 after a terminal step; [B].
  package let bootstraps: [Float]

  /// A batch of the given parts.
  package init(
    states: Matrix, actions: Matrix, policyActions: Matrix, rewards: [Float], nextStates: Matrix,
    nextPolicyActions: Matrix, bootstraps: [Float]
  ) {
    self.states = states
    self.actions = actions
    self.policyActions = policyActions
    self.rewards = rewards
    self.nextStates = nextStates
    self.nextPolicyActions = nextPolicyActions
    self.bootstraps = bootstraps
  }
}
