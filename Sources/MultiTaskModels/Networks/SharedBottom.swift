package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// Shared bottom: hidden layers that all tasks share, one linear tower a task.
///
/// Source: Caruana, "Multitask learning", Machine Learning 28, 1997.
package struct SharedBottom: TaskBody, Equatable {
  /// The sizes; defaults are those of the KuaiRand model.
  package struct Sizes: Sendable, Equatable, Codable {
    /// The widths of the hidden layers.
    package var hidden: [Int]

    /// Sizes of a network.
    package init(hidden: [Int] = [128, 128]) { self.hidden = hidden }
  }

  /// The sizes.
  package let sizes: Sizes
  /// K.
  package let tasks: Int
  /// The names and places of all parameters.
  package let layout: ParameterLayout
  /// All parameters, as `layout` places them.
  package var parameters: [Float]
  private let hidden: [PlacedLayer]
  private let towers: PlacedLayer

  /// A network for I inputs and K tasks, weights uniform in ±1/√inputs of their layer.
  package init(
    inputs: Int, tasks: Int, sizes: Sizes = Sizes(), initializedBy stream: inout RandomStream
  ) {
    precondition(
      inputs > 0 && tasks > 0 && !sizes.hidden.isEmpty && sizes.hidden.allSatisfy { $0 > 0 },
      "impossible sizes: \(sizes)")
    self.sizes = sizes
    self.tasks = tasks
    var layout = ParameterLayout()
    var width = inputs
    var layers: [PlacedLayer] = []
    for (j, next) in sizes.hidden.enumerated() {
      layers.append(
        PlacedLayer("shared\(j)", inputs: width, outputs: next, activation: .relu, in: &layout))
      width = next
    }
    hidden = layers
    towers = PlacedLayer(
      "towers", inputs: width, outputs: tasks, activation: .identity, in: &layout)
    self.layout = layout
    var parameters = [Float](repeating: 0, count: layout.count)
    for layer in hidden + [towers] { layer.initialize(&parameters, using: &stream) }
    self.parameters = parameters
  }

  /// Where the bias of each task's column lies.
  package var logitBiases: [Int] { (0..<tasks).map { towers.biasOffset + $0 } }

  /// The logits of all tasks.  Shapes: x [B, I] → [B, K].
  package func forward(
    _ x: Matrix, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: Pullback) {
    var dropout = dropout.map { Dropout(rate: $0.rate, stream: $0.stream) }
    var value = x
    var passes: [ExpertPass] = []
    for layer in hidden {
      let pass = ExpertPass(layer, value, parameters, &dropout)
      value = pass.visible
      passes.append(pass)
    }
    let (last, logits) = (value, towers(value, parameters))
    let pullback: Pullback = { [passes] logitsGradient, gradient in
      var passed = towers.backward(
        logitsGradient, input: last, output: logits, parameters: parameters,
        parameterGradient: &gradient)
      for pass in passes.reversed() { passed = pass.backward(passed, parameters, &gradient) }
      return passed
    }
    return (logits, pullback)
  }
}
