// BatchRL-MTF: batch-constrained actor–critic over fusion weights.
//
// Source: "Multi-Task Fusion via Reinforcement Learning for Long-Term User Satisfaction in
// Recommender Systems", KDD 2022 (arXiv 2208.04560), algorithm 1 and eqs 3–7; called the paper
// here. Where it is silent: Fujimoto et al., "Off-policy deep reinforcement learning without
// exploration" (BCQ), ICML 2019, and its published code.
//
// | symbol      | name here               | shape          | default, source                     |
// | ----------- | ----------------------- | -------------- | ----------------------------------- |
// | s, s′       | states, nextStates      | [B, S]         | normalized                          |
// | a           | logged                  | [B, A]         | in [−1, 1]                          |
// | r           | batch.rewards           | [B]            |                                     |
// | G_θ = {E, D}| generative              | (S, A) → A     | 2·A latents, BCQ                    |
// | P_ω, P_ω′   | perturbation, its target| (S, A) → A     |                                     |
// | Q_φj, Q_φ′j | critics, their targets  | (S, A) → 1     | two, paper                          |
// | hidden      | hidden                  |                | [256, 256] each, ours               |
// | ρ           | perturbationBound       |                | 0.15, paper                         |
// | γ           | discount                |                | 0.95, paper                         |
// | n           | targetCandidates        |                | 10, BCQ                             |
// | n at policy | actionCandidates        |                | 100, BCQ                            |
// | λ           | minimumWeight           |                | 1, paper's min                      |
// | lr of G     | generativeLearningRate  |                | 1e-3, paper                         |
// | lr of P     | perturbationLearningRate|                | 1e-4, paper                         |
// | lr of Q     | criticLearningRate      |                | 2e-4, paper                         |
// | η_t, L      | softUpdateRate, -Interval|               | 0.05 every 10 steps, paper          |
// | KL weight   | divergenceWeight        |                | 1, paper (eq. 3 has none); BCQ's ¼  |
//
// ## Departures from the paper
//
// * Losses are means over the batch, the paper's are sums: a constant factor, which Adam's step
//   does not feel. (`TemporalDifferenceLossTests`)
// * Latents are clipped to ±0.5 when actions are generated, as BCQ does; the paper does not say.
//   (`ConditionalVAE` tests)
// * Perturbed actions are clipped to [−1, 1], the range of an action. (`PerturbedActionsTests`)
// * Eqs 4 and 5 write Q_φ; here it is Q_φ1, as in BCQ. (`BatchRLMTFTests`)
// * A terminal transition has no bootstrap; the last one of a truncated session has. The paper
//   does not say. (`BootstrapTargetTests`)
// * λ may blend min and max over the critics, as BCQ does; at its default it does nothing.
//   (`BootstrapTargetTests`)

import DenseKernels
package import DurableFiles
package import FusionMDP
import NeuralNetworks
import PolicyArtifacts
package import SeededRandom

/// The paper's learner (algorithm 1).
package struct BatchRLMTF: BatchLearner {
  /// The algorithm's name in files and on the command line.
  package static let algorithm = "batch_rl_mtf"

  /// The constants.
  package let configuration: BatchRLMTFConfiguration
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// The number of threads of a step.
  package var threads = 1

  private var generative: GenerativeTrainer
  private var perturbation: PerturbationTrainer
  private var critics: TwinCritics
  private var guardrail: ValueGuard
  /// Memory that steps use again; holds nothing from one step to the next.
  private var candidates: [CandidateEvaluation] = []

  /// An untrained learner.
  package init(
    stateSize: Int, actionSize: Int,
    configuration: BatchRLMTFConfiguration = BatchRLMTFConfiguration(),
    initializedFrom stream: RandomStream
  ) {
    self.configuration = configuration
    self.stateSize = stateSize
    self.actionSize = actionSize
    generative = GenerativeTrainer(
      stateSize: stateSize, actionSize: actionSize, configuration: configuration,
      initializedFrom: stream)
    perturbation = PerturbationTrainer(
      stateSize: stateSize, actionSize: actionSize, configuration: configuration,
      initializedFrom: stream)
    critics = TwinCritics(
      stateSize: stateSize, actionSize: actionSize, hidden: configuration.hidden,
      learningRate: configuration.criticLearningRate, initializedFrom: stream)
    guardrail = ValueGuard(
      factor: configuration.explosionFactor, discount: configuration.discount)
  }

  /// One step of algorithm 1.
  package mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics {
    let states = Matrix(rows: batch.count, columns: stateSize, values: batch.states)
    let logged = Matrix(rows: batch.count, columns: actionSize, values: batch.actions)
    guardrail.observe(rewards: batch.rewards)

    // min_θ of eq. 3.
    let generation = generative.update(
      states: states, actions: logged, drawingFrom: stream, threads: threads)
    try TrainingDivergence.check(generation.reconstruction, "reconstruction loss", step: number)
    try TrainingDivergence.check(generation.divergence, "divergence of latents", step: number)

    // a′ for s′ and their values (eq. 7); beside it max_ω of eq. 5, which reads other networks.
    let (stateValues, improvement) = evaluateAndImprove(batch, states: states, stream)
    try TrainingDivergence.check(improvement.loss, "perturbation loss", step: number)

    // min_φ of eq. 6; y gets no gradient.
    let targets = BootstrapTarget.targets(
      rewards: batch.rewards, bootstraps: batch.bootstraps, stateValues: stateValues,
      discount: configuration.discount)  // eq. 7, [B]
    let stateActions = Matrix.joiningColumns([states, logged])  // [B, S + A]
    try critics.update(
      CriticTrainer.Objective(stateActions: stateActions, targets: targets), step: number,
      threads: threads)
    let values = ValueStatistics(critics.first.values)
    let policyValues = ValueStatistics(improvement.values)
    try guardrail.check(max(values.largest, policyValues.largest), step: number)

    // x′ ← η·x + (1 − η)·x′ for ω, φ1 and φ2.
    if number.isMultiple(of: configuration.softUpdateInterval) {
      let rate = configuration.softUpdateRate
      perturbation.softUpdate(rate: rate)
      critics.softUpdate(rate: rate)
    }
    return StepMetrics(
      losses: [
        .init("reconstruction", generation.reconstruction),
        .init("divergence", generation.divergence),
        .init("perturbation", improvement.loss),
      ] + critics.losses, dataValues: values, policyValues: policyValues,
      temporalDifferenceError: critics.first.meanAbsoluteError,
      candidateDeviation: CandidateEvaluation.deviation(candidates),
      actions: ActionStatistics(actions: improvement.actions, logged: batch.actions))
  }

  /// The values of the next states under the target networks, and the update of P_ω.
  ///
  /// Both read the generative model after its update and the critics before theirs.
  private mutating func evaluateAndImprove(
    _ batch: TransitionBatch, states: Matrix, _ stream: RandomStream
  ) -> (stateValues: [Float], improvement: PerturbationTrainer.Improvement) {
    let nextStates = Matrix(rows: batch.count, columns: stateSize, values: batch.nextStates)
    let model = generative.model
    let critic = critics.first.network
    let targets = CandidateEvaluation.Networks(
      generative: model, perturbation: perturbation.target, critics: critics.targets,
      perturbationBound: configuration.perturbationBound,
      candidates: configuration.targetCandidates, minimumWeight: configuration.minimumWeight)
    CandidateEvaluation.divide(batch.count, into: &candidates)
    var jobs = [NextStateOrImprovement(improvement: perturbation)]
    jobs += candidates.map { NextStateOrImprovement(candidates: $0) }
    // The jobs hold the only references, so that they change memory in place.
    candidates = []
    perturbation = .placeholder
    ParallelJobs.run(&jobs, threads: threads) { job in
      job.candidates?.evaluate(nextStates, targets, drawingFrom: stream)
      job.improvement?.update(states: states, model: model, critic: critic, drawingFrom: stream)
    }
    if let updated = jobs[0].improvement { perturbation = updated }
    candidates = jobs.compactMap(\.candidates)
    return (candidates.flatMap(\.stateValues), perturbation.latest)
  }

  /// One of the jobs that run side by side in the middle of a step.
  private struct NextStateOrImprovement: Sendable {
    var candidates: CandidateEvaluation?
    var improvement: PerturbationTrainer?
  }

  /// The policy of eq. 4 on raw states.
  package func policy(normalizer: StateNormalizer) -> any FusionPolicy {
    BatchConstrainedPolicy(
      name: Self.algorithm, behaviorModel: generative.model,
      perturbation: perturbation.network, critic: critics.first.network,
      perturbationBound: configuration.perturbationBound,
      actionCandidates: configuration.actionCandidates, normalizer: normalizer)
  }

  /// Q_φ1.
  package func values(states: [Float], actions: [Float]) -> [Float]? {
    critics.values(states: states, actions: actions, stateSize: stateSize)
  }

  /// All networks, slow copies, optimizers and the scale of the rewards.
  package func tensors() -> [(String, Tensor)] {
    generative.tensors() + perturbation.tensors() + critics.tensors() + guardrail.tensors()
  }

  /// Takes over stored tensors.
  package mutating func load(_ stored: (String) throws -> Tensor) throws {
    try generative.load(stored)
    try perturbation.load(stored)
    try critics.load(stored)
    try guardrail.load(stored)
  }
}
