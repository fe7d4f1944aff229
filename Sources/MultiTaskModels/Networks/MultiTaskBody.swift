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
