import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom

/// One fit of a mixture density network on the transitions of some users.
struct DensityFit: Sendable {
  /// The transitions, normalized: states [N, S], actions [N·A].
  struct Data: Sendable {
    let states: Matrix
    let actions: [Float]
    let actionSize: Int

    func actions(at rows: some Sequence<Int>) -> [Float] {
      rows.flatMap { actions[$0 * actionSize..<($0 + 1) * actionSize] }
    }
  }

  /// The network of the best held-out likelihood, and that likelihood's mean in nats.
  struct Fitted: Sendable {
    let network: MixtureDensityNetwork
    let heldOutLogDensity: Double
  }

  /// How often the held-out likelihood is looked at.
  static let looks = 25
  /// At most this many held-out transitions are read at a look.
  private static let heldOutTransitions = 8192

  let data: Data
  let configuration: BehaviorDensityConfiguration

  /// Fits on the rows of `training`; `heldOut` chooses when.
  ///
  /// - Throws: `BehaviorDensityError.diverged`, and what `onLook` throws.
  func run(
    components: Int, training: [Int], heldOut: [Int], stream: RandomStream,
    onLook: () throws -> Void
  ) throws -> Fitted {
    var initialization = stream.child("initialization")
    var batches = stream.child("batches")
    var network = MixtureDensityNetwork(
      stateSize: data.states.columns, actionSize: data.actionSize, components: components,
      configuration: configuration, around: data.actions(at: training),
      initializedBy: &initialization)
    var parameters = network.parameters
    var optimizer = Adam(
      parameterCount: parameters.count, learningRate: configuration.learningRate)
    let stride = max(1, heldOut.count / Self.heldOutTransitions)
    let watched = heldOut.indices.filter { $0.isMultiple(of: stride) }.map { heldOut[$0] }
    let watchedStates = data.states.gatherRows(watched)
    let watchedActions = data.actions(at: watched)
    var best = Fitted(network: network, heldOutLogDensity: -.infinity)
    let steps = configuration.steps
    for look in 0..<Self.looks {
      for step in steps * look / Self.looks..<steps * (look + 1) / Self.looks {
        let rows = batches.indices(below: training.count, count: configuration.batchSize)
          .map { training[$0] }
        let (loss, slope) = network.loss(
          states: data.states.gatherRows(rows), actions: data.actions(at: rows))
        guard loss.isFinite else {
          throw BehaviorDensityError.diverged(components: components, step: step, loss: loss)
        }
        var gradient = slope
        GradientClipping.clip(&gradient, maximumNorm: 10)
        let progress = Double(step) / Double(steps)
        optimizer.learningRate =
          configuration.learningRate * Float(0.5 * (1 + cos(progress * Double.pi)))
        optimizer.step(&parameters, gradient: gradient)
        network = network.with(parameters: parameters)
      }
      let values = network.logDensities(states: watchedStates, actions: watchedActions)
      let mean = values.reduce(0, +) / Double(values.count)
      if mean > best.heldOutLogDensity {
        best = Fitted(network: network, heldOutLogDensity: mean)
      }
      try onLook()
    }
    return best
  }
}
