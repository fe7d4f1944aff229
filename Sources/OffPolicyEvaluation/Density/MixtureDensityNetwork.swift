package import DenseKernels
import Foundation
import NeuralNetworks
package import SeededRandom

/// A conditional density of actions given a state: a perceptron whose output is a `BoundedMixture`
/// (Bishop, "Mixture density networks", 1994).
///
/// | Bishop | here | shape | default |
/// | --- | --- | --- | --- |
/// | x | `states`, normalized | [B, S] | |
/// | t | `actions` | [B·A] | |
/// | m | `components` | | 1, 2, 4: held-out likelihood chooses |
/// | z | the perceptron's output | [B, M + 2·M·A] | hidden 64-64 |
/// | α_i, μ_i, σ_i | w, m, σ of `BoundedMixture` | | |
/// | E = −Σ ln Σ α φ | `loss`, mean over the batch (eq. 26) | | |
///
/// ## Departures from the source
///
/// * Each coordinate has a σ of its own and each component is cut to [−1, 1] and normalized, because
///   logged weights live in that box ("integrates to one").
/// * m and log σ pass a tanh, so that no component can leave the box or collapse onto one action,
///   where the likelihood has no bound.
/// * Components begin apart (`ComponentSeeds`), not at 0, where they would all be the same.
/// * Adam with a step that falls along half a cosine, and the parameters of the best held-out
///   likelihood seen on the way, in place of conjugate gradients to convergence.
package struct MixtureDensityNetwork: Sendable {
  let mixture: BoundedMixture
  private(set) var network: MultilayerPerceptron

  /// A network whose components lie around logged actions.
  ///
  /// - Parameters:
  ///   - actions: logged actions [n·A], at least one, that the components begin at.
  package init(
    stateSize: Int, actionSize: Int, components: Int,
    configuration: BehaviorDensityConfiguration, around actions: [Float],
    initializedBy stream: inout RandomStream
  ) {
    mixture = BoundedMixture(
      components: components, actionSize: actionSize,
      deviationRange: configuration.deviationRange)
    network = MultilayerPerceptron(
      shape: .init(inputs: stateSize, hidden: configuration.hidden, outputs: mixture.outputSize),
      initializedBy: &stream)
    let seeds = ComponentSeeds(
      actions, actionSize: actionSize, count: components, using: &stream)
    guard let weight = network.layout.entries.dropLast().last,
      let bias = network.layout.entries.last
    else { return }
    // States matter little at first: the mixture starts as that of all actions together.
    for i in weight.range { network.parameters[i] *= 0.1 }
    network.parameters.replaceSubrange(
      bias.range, with: mixture.output(means: seeds.means, deviations: seeds.deviations))
  }

  /// The same network with other parameters.
  package func with(parameters: [Float]) -> MixtureDensityNetwork {
    var copy = self
    copy.network.parameters = parameters
    return copy
  }

  /// All weights and biases.
  package var parameters: [Float] { network.parameters }

  /// Mean of −log p, in nats (eq. 26), and its gradient by the parameters.
  ///
  /// Shapes: states [B, S], actions [B·A].
  package func loss(states: Matrix, actions: [Float]) -> (value: Double, gradient: [Float]) {
    let (output, tape) = network.forward(states)
    let found = mixture.logDensities(output: output, actions: actions, wantsGradient: true)
    var gradient = [Float](repeating: 0, count: network.layout.count)
    if let outputGradient = found.gradient {
      _ = network.backward(
        outputGradient: outputGradient, tape: tape, parameterGradient: &gradient,
        wantsInputGradient: false)
    }
    return (-found.values.reduce(0, +) / Double(states.rows), gradient)
  }

  /// log p(a | s), in nats.
  ///
  /// Shapes: states [B, S] normalized, actions [B·A] → [B].
  package func logDensities(states: Matrix, actions: [Float]) -> [Double] {
    mixture.logDensities(output: network(states), actions: actions, wantsGradient: false).values
  }

  /// P(A_d ≤ a_d | s), the probability integral transform of each coordinate; [B·A] in [0, 1].
  package func probabilities(states: Matrix, actions: [Float]) -> [Double] {
    mixture.marginalProbabilities(output: network(states), actions: actions)
  }
}

/// Mean and deviation of each coordinate.
struct ActionMoments: Sendable {
  let mean: [Double]
  let deviation: [Double]

  init(_ actions: [Float], actionSize: Int) {
    let count = Double(max(1, actions.count / actionSize))
    var sums = [Double](repeating: 0, count: actionSize)
    for (i, value) in actions.enumerated() { sums[i % actionSize] += Double(value) }
    let mean = sums.map { $0 / count }
    var squares = [Double](repeating: 0, count: actionSize)
    for (i, value) in actions.enumerated() {
      let difference = Double(value) - mean[i % actionSize]
      squares[i % actionSize] += difference * difference
    }
    self.mean = mean
    deviation = squares.map { ($0 / count).squareRoot() }
  }
}
