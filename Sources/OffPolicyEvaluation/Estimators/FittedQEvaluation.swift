package import FusionMDP

/// Fitted Q evaluation: regresses the return of a policy on logged transitions, round by round.
///
/// Source: Le, Voloshin and Yue, "Batch Policy Learning under Constraints", ICML 2019, with the
/// constants of Algorithm 2 of "Multi-Task Fusion via Reinforcement Learning for Long-Term User
/// Satisfaction in Recommender Systems" (KDD 2022). It is eq. 10 of that paper without its
/// regulariser:
///
///     Q̂_{k+1} = argmin ½·E_D (Q(s, a) − r − γ·Q_k(s', π_e(s')))²,   V̂ = E_{s~d0} Q̂(s, π_e(s))
///
/// and so it is `ConservativeEstimator` with α = 0, whose table of symbols holds here too. With the
/// same seed both see the same batches, so that their difference is the regulariser's work alone.
///
/// ## Departures from the paper
///
/// * Those of `ConservativeEstimator`.
/// * Le et al. solve each round's regression to its end; here a round is one step of Adam on a
///   mini-batch, as in Algorithm 2. `LinearFittedQ` solves the rounds' limit exactly.
package struct FittedQEvaluation: PolicyValueEstimator {
  private let estimator: ConservativeEstimator

  /// Name in results.
  package var name: String { estimator.name }

  /// An estimator with the paper's constants unless told otherwise.
  package init(configuration: FittedQConfiguration = FittedQConfiguration()) {
    var estimator = ConservativeEstimator(configuration: configuration, conservativeWeight: 0)
    estimator.name = "fitted Q"
    self.estimator = estimator
  }

  /// Evaluates `policy` on the test sessions `data`.
  /// - Throws: `EvaluationError`, or what `progress` throws.
  package func estimate(
    policy: any FusionPolicy, data: any TransitionSource, normalizer: StateNormalizer,
    seed: UInt64, progress: EvaluationProgress = .silent
  ) throws -> PolicyValueEstimate {
    try estimator.estimate(
      policy: policy, data: data, normalizer: normalizer, seed: seed, progress: progress)
  }

  /// Evaluates a policy whose decisions are known already.
  /// - Throws: `EvaluationError.diverged`, or what `progress` throws.
  package func estimate(
    on sessions: EvaluationSessions, seed: UInt64, progress: EvaluationProgress
  ) throws -> PolicyValueEstimate {
    try estimator.estimate(on: sessions, seed: seed, progress: progress)
  }
}
