/// The constants of BatchRL-MTF; the defaults are the paper's, or as the algorithm's file says.
package struct BatchRLMTFConfiguration: LearnerConfiguration {
  /// The widths of the hidden layers of every network.
  package var hidden = [256, 256]
  /// The size of the latent, in sizes of an action.
  package var latentsPerAction = 2
  /// γ, in 0..<1.
  package var discount: Float = 0.95
  /// ρ: how far a perturbation may move a generated action, a dimension.
  package var perturbationBound: Float = 0.15
  /// Adam's step size for the generative model.
  package var generativeLearningRate: Float = 1e-3
  /// Adam's step size for the perturbation network.
  package var perturbationLearningRate: Float = 1e-4
  /// Adam's step size for the critics.
  package var criticLearningRate: Float = 2e-4
  /// η: how far the slow copies move at a time.
  package var softUpdateRate: Float = 0.05
  /// L: the steps between moves of the slow copies.
  package var softUpdateInterval = 10
  /// n: the candidates a next state in training.
  package var targetCandidates = 10
  /// n: the candidates a state at the policy.
  package var actionCandidates = 100
  /// λ of λ·min + (1 − λ)·max over the critics.
  package var minimumWeight: Float = 1
  /// The weight of the divergence in eq. 3.
  ///
  /// With 1 a latent is of use only where it explains more than ½ of squared distance in an
  /// action; below that the generative model tends to the mean of the logged actions, and the
  /// candidates to one. The published BCQ corresponds to ¼.
  package var divergenceWeight: Float = 1
  /// Training stops when |Q| exceeds this many times max(1, max |r|) / (1 − γ), which no true
  /// value exceeds once.
  package var explosionFactor: Float = 10

  /// The defaults.
  package init() {}

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    SettingRanges.widths("hidden", hidden)
      ?? SettingRanges.discount(discount)
      ?? SettingRanges.notNegative([("divergenceWeight", divergenceWeight)])
      ?? SettingRanges.counts([
        ("latentsPerAction", latentsPerAction), ("softUpdateInterval", softUpdateInterval),
        ("targetCandidates", targetCandidates), ("actionCandidates", actionCandidates),
      ])
      ?? SettingRanges.shares([
        ("perturbationBound", perturbationBound), ("softUpdateRate", softUpdateRate),
        ("minimumWeight", minimumWeight),
      ])
      ?? SettingRanges.positive([
        ("generativeLearningRate", generativeLearningRate),
        ("perturbationLearningRate", perturbationLearningRate),
        ("criticLearningRate", criticLearningRate), ("explosionFactor", explosionFactor),
      ])
  }
}
