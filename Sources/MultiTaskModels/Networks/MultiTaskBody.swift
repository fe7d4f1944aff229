package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// ∂L/∂logits [B, K] ↦ ∂L/∂x [B, I]; adds ∂L/∂parameters to the flat gradient on the way.
package typealias Pullback = (_ logitsGradient: Matrix, _ gradient: inout [Float]) -> Matrix

/// The shared part of a multi-task model: inputs x [B, I] to one logit a task [B, K].
package protocol TaskBody: ParameterizedNetwork {
  /// The logits, and how a gradient goes back through this very pass.
  ///
  /// - Parameter dropout: rate and stream of the entries to drop; nil outside training.
  func forward(
    _ x: Matrix, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: Pullback)
  /// Where the biases of the logits lie, one a task, so that they can start at base rates.
  var logitBiases: [Int] { get }
}

/// The architectures that can be chosen, with their sizes.
package enum TaskArchitecture: Sendable, Equatable, Codable {
  /// Progressive layered extraction.
  case progressiveExtraction(ProgressiveExtraction.Sizes)
  /// Multi-gate mixture of experts.
  case mixtureOfExperts(MixtureOfExperts.Sizes)
  /// One network for all tasks.
  case sharedBottom(SharedBottom.Sizes)

  /// The name on the command line: `ple`, `mmoe` or `shared_bottom`.
  package var name: String {
    switch self {
    case .progressiveExtraction: "ple"
    case .mixtureOfExperts: "mmoe"
    case .sharedBottom: "shared_bottom"
    }
  }

  /// The default sizes of an architecture by its name, nil if there is none of that name.
  package init?(named name: String) {
    switch name {
    case "ple": self = .progressiveExtraction(.init())
    case "mmoe": self = .mixtureOfExperts(.init())
    case "shared_bottom": self = .sharedBottom(.init())
    default: return nil
    }
  }

  /// How many parameters a body has, without making one; sizes are at most 4096 each.
  package func parameterCount(inputs: Int, tasks: Int) -> Int {
    func layer(_ inputs: Int, _ outputs: Int) -> Int { (inputs + 1) * outputs }
    switch self {
    case .progressiveExtraction(let sizes):
      let experts = sizes.sharedExperts + tasks * sizes.taskExperts
      let gates = tasks * (sizes.sharedExperts + sizes.taskExperts)
      // Of the last level nothing reads the shared stream, so it has no shared gate.
      func level(_ inputs: Int, isLast: Bool) -> Int {
        experts * layer(inputs, sizes.width) + layer(inputs, gates + (isLast ? 0 : experts))
      }
      let first = level(inputs, isLast: sizes.levels == 1)
      let between = max(sizes.levels - 2, 0) * level(sizes.width, isLast: false)
      let last = sizes.levels > 1 ? level(sizes.width, isLast: true) : 0
      return first + between + last + tasks * layer(sizes.width, 1)
    case .mixtureOfExperts(let sizes):
      let tower =
        sizes.towerWidth > 0
        ? layer(sizes.width, sizes.towerWidth) + layer(sizes.towerWidth, 1)
        : layer(sizes.width, 1)
      return sizes.experts * layer(inputs, sizes.width) + tasks * layer(inputs, sizes.experts)
        + tasks * tower
    case .sharedBottom(let sizes):
      let widths = [inputs] + sizes.hidden + [tasks]
      return zip(widths, widths.dropFirst()).reduce(0) { $0 + layer($1.0, $1.1) }
    }
  }

  /// A body of this architecture with fresh parameters.
  package func body(
    inputs: Int, tasks: Int, initializedBy stream: inout RandomStream
  ) -> any TaskBody {
    switch self {
    case .progressiveExtraction(let sizes):
      ProgressiveExtraction(inputs: inputs, tasks: tasks, sizes: sizes, initializedBy: &stream)
    case .mixtureOfExperts(let sizes):
      MixtureOfExperts(inputs: inputs, tasks: tasks, sizes: sizes, initializedBy: &stream)
    case .sharedBottom(let sizes):
      SharedBottom(inputs: inputs, tasks: tasks, sizes: sizes, initializedBy: &stream)
    }
  }
}
