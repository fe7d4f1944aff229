package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// Multi-gate mixture of experts (MMoE).
///
/// Source: Ma, Zhao, Yi, Chen, Hong, Chi, "Modeling task relationships in multi-task learning
/// with multi-gate mixture-of-experts", KDD 2018, eqs 5–7: experts f_i shared by all tasks, one
/// gate g^k and one tower h^k a task, y_k = h^k(Σ_i g^k(x)_i · f_i(x)).
///
/// ## Departures from the paper
/// * A tower is one hidden layer at most (`towerWidth`, 0 for none). Held by
///   `TaskBodyTests`: logits equal those of the plain Double reference.
/// * Hidden outputs of experts may be dropped while training. `TaskBodyTests`: dropout.
package struct MixtureOfExperts: TaskBody, Equatable {
  /// The sizes; defaults are those of the KuaiRand model.
  package struct Sizes: Sendable, Equatable, Codable {
    /// H, the width of an expert.
    package var width: Int
    /// n, the number of experts.
    package var experts: Int
    /// The hidden width of a tower; 0 makes it linear.
    package var towerWidth: Int

    /// Sizes of a network.
    package init(width: Int = 64, experts: Int = 6, towerWidth: Int = 16) {
      self.width = width
      self.experts = experts
      self.towerWidth = towerWidth
    }
  }

  /// The sizes.
  package let sizes: Sizes
  /// K.
  package let tasks: Int
  /// The names and places of all parameters.
  package let layout: ParameterLayout
  /// All parameters, as `layout` places them.
  package var parameters: [Float]
  private let experts: [PlacedLayer]
  private let gates: [PlacedLayer]
  private let hiddenTowers: [PlacedLayer]
  private let towers: [PlacedLayer]

  /// A network for I inputs and K tasks, weights uniform in ±1/√inputs of their layer.
  package init(
    inputs: Int, tasks: Int, sizes: Sizes = Sizes(), initializedBy stream: inout RandomStream
  ) {
    precondition(
      inputs > 0 && tasks > 0 && sizes.width > 0 && sizes.experts > 0 && sizes.towerWidth >= 0,
      "impossible sizes: \(sizes)")
    self.sizes = sizes
    self.tasks = tasks
    var layout = ParameterLayout()
    experts = (0..<sizes.experts).map { e in
      PlacedLayer(
        "expert\(e)", inputs: inputs, outputs: sizes.width, activation: .relu, in: &layout)
    }
    gates = (0..<tasks).map { k in
      PlacedLayer(
        "task\(k).gate", inputs: inputs, outputs: sizes.experts, activation: .identity,
        in: &layout)
    }
    let hidden = sizes.towerWidth
    hiddenTowers = (0..<(hidden > 0 ? tasks : 0)).map { k in
      PlacedLayer(
        "tower\(k).hidden", inputs: sizes.width, outputs: hidden, activation: .relu, in: &layout)
    }
    towers = (0..<tasks).map { k in
      PlacedLayer(
        "tower\(k)", inputs: hidden > 0 ? hidden : sizes.width, outputs: 1,
        activation: .identity, in: &layout)
    }
    self.layout = layout
    var parameters = [Float](repeating: 0, count: layout.count)
    for layer in experts + gates + hiddenTowers + towers {
      layer.initialize(&parameters, using: &stream)
    }
    self.parameters = parameters
  }

  /// Where the bias of each tower lies.
  package var logitBiases: [Int] { towers.map(\.biasOffset) }

  /// What the backward pass of one task reads.
  private struct TaskPass {
    let gateLogits: Matrix
    let tape: ExpertMixture.Tape
    let mixture: Matrix
    let hidden: Matrix
    let output: Matrix
  }

  private func pass(_ k: Int, _ x: Matrix, _ hidden: [Matrix]) -> TaskPass {
    let gateLogits = gates[k](x, parameters)
    let (mixture, tape) = ExpertMixture.forward(gateLogits: gateLogits, experts: hidden)  // eq. 6
    let tower = hiddenTowers.isEmpty ? mixture : hiddenTowers[k](mixture, parameters)
    return TaskPass(
      gateLogits: gateLogits, tape: tape, mixture: mixture, hidden: tower,
      output: towers[k](tower, parameters))
  }

  /// The logits of all tasks.  Shapes: x [B, I] → [B, K].
  package func forward(
    _ x: Matrix, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: Pullback) {
    var dropout = dropout.map { Dropout(rate: $0.rate, stream: $0.stream) }
    let experts = experts.map { ExpertPass($0, x, parameters, &dropout) }
    let hidden = experts.map(\.visible)
    let passes = (0..<tasks).map { pass($0, x, hidden) }
    let pullback: Pullback = { logitsGradient, gradient in
      var hiddenGradients = hidden.map { Matrix(rows: $0.rows, columns: $0.columns) }
      var inputGradient = Matrix(rows: x.rows, columns: x.columns)
      for (k, pass) in passes.enumerated() {
        var passed = towers[k].backward(
          logitsGradient.columns(k..<k + 1), input: pass.hidden, output: pass.output,
          parameters: parameters, parameterGradient: &gradient)
        if !hiddenTowers.isEmpty {
          passed = hiddenTowers[k].backward(
            passed, input: pass.mixture, output: pass.hidden, parameters: parameters,
            parameterGradient: &gradient)
        }
        let gateGradient = ExpertMixture.backward(
          outputGradient: passed, tape: pass.tape, experts: hidden,
          expertGradients: &hiddenGradients)
        inputGradient.accumulate(
          gates[k].backward(
            gateGradient, input: x, output: pass.gateLogits, parameters: parameters,
            parameterGradient: &gradient))
      }
      for (expert, hiddenGradient) in zip(experts, hiddenGradients) {
        inputGradient.accumulate(expert.backward(hiddenGradient, parameters, &gradient))
      }
      return inputGradient
    }
    return (.joiningColumns(passes.map(\.output)), pullback)
  }
}
