import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// A policy of squashed Gaussians and its optimizer (soft actor-critic, Haarnoja et al. 2018).
struct StochasticActorTrainer: Sendable {
  /// What an update measured before it changed the network.
  struct Improvement: Sendable {
    /// mean (α·log π(a) − min_j Q_φj(s, a)).
    var loss: Double
    /// min_j Q_φj(s, a) [B].
    var values: [Float]
    /// a [B·A].
    var actions: [Float]
    /// The mean of log π(a), in nats.
    var logDensity: Double
  }

  /// s → means and log σ, 2A columns.
  private(set) var network: MultilayerPerceptron
  private var optimizer: Adam
  private var tape = MultilayerPerceptron.Tape()

  init(
    stateSize: Int, actionSize: Int, hidden: [Int], learningRate: Float,
    initializedFrom stream: RandomStream
  ) {
    var stream = stream.child("actor")
    network = MultilayerPerceptron(
      shape: .init(inputs: stateSize, hidden: hidden, outputs: 2 * actionSize),
      initializedBy: &stream)
    optimizer = Adam(parameterCount: network.layout.count, learningRate: learningRate)
  }

  /// The most likely actions before the squashing: tanh μ(s) as a network.
  var mode: MultilayerPerceptron {
    network.keepingOutputs(network.shape.outputs / 2, activation: .tanh)
  }

  /// One action a state.
  ///
  /// Shapes: states [B, S].
  func draw(at states: Matrix, from stream: RandomStream) -> SquashedGaussian {
    var stream = stream
    let output = network(states)
    return SquashedGaussian(
      output: output, noise: stream.gaussians(output.values.count / 2))
  }

  /// One step of min_π (1/B) Σ (α·log π(a) − min_j Q_φj(s, a)), a ~ π(s), by the drawn noise.
  mutating func update(
    states: Matrix, critics: [MultilayerPerceptron], temperature: Float,
    drawingFrom stream: RandomStream
  ) -> Improvement {
    var stream = stream
    network.forward(states, tape: &tape)
    let drawn = SquashedGaussian(
      output: tape.output, noise: stream.gaussians(tape.output.values.count / 2))
    let stateActions = Matrix.joiningColumns([states, drawn.actions])
    let passes = critics.map { $0.forward(stateActions) }
    let values =
      states.rows == 0
      ? []
      : passes[0].output.values.indices.map { row in
        // Comparisons with a NaN would hide it.
        passes.reduce(Float.infinity) {
          let value = $1.output.values[row]
          return value.isNaN || value < $0 ? value : $0
        }
      }
    let objective = ValueObjective.lossAndGradient(
      values: Matrix(rows: values.count, columns: 1, values: values))
    var actionGradient = Matrix(rows: states.rows, columns: drawn.actions.columns)
    var taken = [Bool](repeating: false, count: values.count)
    for (critic, pass) in zip(critics, passes) {
      // A row's gradient passes through the critic that is the smaller one there.
      var own = objective.gradient
      for row in values.indices {
        let isSmaller = !taken[row] && pass.output.values[row] == values[row]
        if isSmaller { taken[row] = true } else { own.values[row] = 0 }
      }
      actionGradient.add(
        critic.inputGradient(outputGradient: own, tape: pass.tape)
          .columns(states.columns..<stateActions.columns))
    }
    var gradient = network.zeroGradient()
    _ = network.backward(
      outputGradient: drawn.outputGradient(
        actionGradient: actionGradient, densityGradient: temperature / Float(values.count)),
      tape: tape, parameterGradient: &gradient, wantsInputGradient: false)
    optimizer.step(&network.parameters, gradient: gradient)
    let logDensity = drawn.logDensities.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    return Improvement(
      loss: Double(temperature) * logDensity + objective.loss, values: values,
      actions: drawn.actions.values, logDensity: logDensity)
  }

  func tensors() -> [(String, Tensor)] {
    LearnerTensors.of(network, "actor") + LearnerTensors.of(optimizer, "actor.optimizer")
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    try LearnerTensors.load(&network, "actor", from: stored)
    try LearnerTensors.load(&optimizer, "actor.optimizer", from: stored)
  }
}
