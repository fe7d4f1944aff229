import DenseKernels
public import FusionMDP
package import NeuralNetworks
public import SeededRandom

/// The policy of batch-constrained Q-learning: the best of n generated, slightly perturbed actions.
///
///     π(s) = argmax_{â_i + ξ_i} Q_φ1(s, â_i + ξ_i),   ξ_i = P_ω(s, â_i, ρ),   â_i ~ G_θ(s)
///                                                                           (paper, eq. 4)
///
/// | paper | here | shape | default |
/// | --- | --- | --- | --- |
/// | G_θ | `behaviorModel` | (s, z) → [A] | |
/// | P_ω | `perturbation`, tanh | (s, â) → [A] | |
/// | Q_φ1 | `critic` | (s, a) → [1] | |
/// | ρ | `perturbationBound` | | 0.15 (paper) |
/// | n | `actionCandidates` | | 100 (published BCQ) |
///
/// ## Departures from the paper
///
/// * Perturbed actions are clipped to [−1, 1], the box of the normalized weights, as published BCQ
///   does; the paper does not say. Test: "perturbed actions stay in the box".
/// * Latents are clipped to ±0.5 as in published BCQ. Test: `ConditionalVAE`'s.
///
/// The decision draws, so it has no known density: `logPropensities` is nil.
public struct BatchConstrainedPolicy: FusionPolicy {
  /// The name in reports and logs.
  public let name: String
  /// G_θ.
  package let behaviorModel: ConditionalVAE
  /// P_ω, its output in (−1, 1), scaled by ρ here.
  package let perturbation: MultilayerPerceptron
  /// Q_φ1.
  package let critic: MultilayerPerceptron
  /// ρ.
  public let perturbationBound: Float
  /// n.
  public let actionCandidates: Int
  /// What the networks were trained on.
  public let normalizer: StateNormalizer

  /// About this many candidate rows go through the networks at once: their activations stay in the
  /// cache (8,192 rows took seven times as long a request).
  static let rowsAtOnce = 512

  /// A policy of trained networks, which must fit each other.
  package init(
    name: String, behaviorModel: ConditionalVAE, perturbation: MultilayerPerceptron,
    critic: MultilayerPerceptron, perturbationBound: Float = 0.15, actionCandidates: Int = 100,
    normalizer: StateNormalizer
  ) {
    let stateSize = behaviorModel.shape.stateSize
    let actionSize = behaviorModel.shape.actionSize
    let joined = stateSize + actionSize
    precondition(
      perturbation.shape.inputs == joined && perturbation.shape.outputs == actionSize
        && critic.shape.inputs == joined && critic.shape.outputs == 1
        && normalizer.stateSize == stateSize && actionCandidates > 0 && perturbationBound >= 0,
      """
      behavior model \(behaviorModel.shape), perturbation \(perturbation.shape), critic \
      \(critic.shape), normalizer of \(normalizer.stateSize), \(actionCandidates) candidates, \
      bound \(perturbationBound)
      """)
    self.name = name
    self.behaviorModel = behaviorModel
    self.perturbation = perturbation
    self.critic = critic
    self.perturbationBound = perturbationBound
    self.actionCandidates = actionCandidates
    self.normalizer = normalizer
  }

  /// The size of an action, A.
  public var actionSize: Int { behaviorModel.shape.actionSize }

  /// The size of a state, S.
  public var stateSize: Int { behaviorModel.shape.stateSize }

  /// Decides for B requests, a bounded number of candidate rows at a time.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let statesAtOnce = max(1, Self.rowsAtOnce / actionCandidates)
    var actions = [Float]()
    actions.reserveCapacity(requests.count * actionSize)
    var memory = Memory()
    for start in stride(from: 0, to: requests.count, by: statesAtOnce) {
      let rows = start..<min(start + statesAtOnce, requests.count)
      let states = requests.normalizedStates(rows, by: normalizer)
      actions += bestActions(states, using: &stream, memory: &memory)
    }
    return PolicyDecisions(actions: actions)
  }

  /// What goes from layer to layer, kept from chunk to chunk.
  private struct Memory {
    var generated = Matrix(rows: 0, columns: 0)
    var candidates = Matrix(rows: 0, columns: 0)
    var values = Matrix(rows: 0, columns: 0)
    var pass = SharedInputPass()
  }

  /// Eq. 4 for normalized states [b, S] → [b·A].
  ///
  /// A state's columns go through the first layer of each network once and not once a candidate.
  private func bestActions(
    _ states: Matrix, using stream: inout RandomStream, memory: inout Memory
  ) -> [Float] {
    let n = actionCandidates
    let latents = behaviorModel.sampledLatents(count: states.rows * n, using: &stream)
    behaviorModel.decoder.evaluate(
      shared: states, own: latents, each: n, into: &memory.generated, using: &memory.pass)
    perturbation.evaluate(
      shared: states, own: memory.generated, each: n, into: &memory.candidates,
      using: &memory.pass)  // p [b·n, A]
    for index in memory.candidates.values.indices {
      let moved =
        memory.generated.values[index] + perturbationBound * memory.candidates.values[index]
      memory.candidates.values[index] = min(max(moved, -1), 1)  // â + ξ
    }
    critic.evaluate(
      shared: states, own: memory.candidates, each: n, into: &memory.values,
      using: &memory.pass)  // [b·n, 1]
    let (candidates, values) = (memory.candidates, memory.values.values)

    var actions = [Float]()
    actions.reserveCapacity(states.rows * actionSize)
    for state in 0..<states.rows {
      var best = state * actionCandidates
      for row in best + 1..<(state + 1) * actionCandidates where values[row] > values[best] {
        best = row
      }
      actions += candidates.values[best * actionSize..<(best + 1) * actionSize]
    }
    return actions
  }
}
