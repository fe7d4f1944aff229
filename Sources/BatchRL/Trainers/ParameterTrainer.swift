import DurableFiles
import NeuralNetworks

/// A few parameters that belong to no network, and their optimizer: the log-temperature of soft
/// actor-critic (Haarnoja et al. 2018), CQL's multiplier (Kumar et al. 2020), log σ of IQL.
struct ParameterTrainer: Sendable {
  private(set) var values: [Float]
  private var optimizer: Adam

  init(_ values: [Float], learningRate: Float) {
    self.values = values
    optimizer = Adam(parameterCount: values.count, learningRate: learningRate)
  }

  /// One step down the gradient, and back into the range.
  mutating func update(gradient: [Float], within range: ClosedRange<Float>) {
    optimizer.step(&values, gradient: gradient)
    // A NaN stays one, for the caller to find.
    for i in values.indices where !range.contains(values[i]) && !values[i].isNaN {
      values[i] = values[i] < range.lowerBound ? range.lowerBound : range.upperBound
    }
  }

  func tensors(_ name: String) -> [(String, Tensor)] {
    [(name, Tensor(values))] + LearnerTensors.of(optimizer, name + ".optimizer")
  }

  mutating func load(_ name: String, _ stored: (String) throws -> Tensor) throws {
    let found = try stored(name).floats(name)
    guard found.count == values.count else {
      throw DurableFileError.unexpectedTensor(
        name: name, expected: "\(values.count) values", found: "\(found.count)")
    }
    values = found
    try LearnerTensors.load(&optimizer, name + ".optimizer", from: stored)
  }
}
