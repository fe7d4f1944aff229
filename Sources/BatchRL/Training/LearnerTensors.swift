import DurableFiles
import NeuralNetworks

/// How networks and optimizers stand in a checkpoint.
enum LearnerTensors {
  /// A network's parameters, each with its shape, named `prefix.layer0.weight` and so on.
  static func of(_ network: some ParameterizedNetwork, _ prefix: String) -> [(String, Tensor)] {
    network.namedParameters(prefix: prefix + ".").map {
      ($0.name, Tensor($0.values, shape: $0.shape))
    }
  }

  /// An optimizer's moments and step count.
  static func of(_ optimizer: Adam, _ prefix: String) -> [(String, Tensor)] {
    [
      ("\(prefix).first_moment", Tensor(optimizer.firstMoment)),
      ("\(prefix).second_moment", Tensor(optimizer.secondMoment)),
      ("\(prefix).step_count", Tensor([Int64(optimizer.stepCount)])),
    ]
  }

  /// Fills a network.
  static func load(
    _ network: inout some ParameterizedNetwork, _ prefix: String,
    from stored: (String) throws -> Tensor
  ) throws {
    try network.load(prefix: prefix + ".") { name in
      let tensor = try stored(name)
      return NamedParameter(name: name, shape: tensor.shape, values: try tensor.floats(name))
    }
  }

  /// Fills an optimizer; its learning rate stays.
  static func load(
    _ optimizer: inout Adam, _ prefix: String, from stored: (String) throws -> Tensor
  ) throws {
    func moment(_ name: String) throws -> [Float] {
      let values = try stored(name).floats(name)
      guard values.count == optimizer.firstMoment.count else {
        throw DurableFileError.unexpectedTensor(
          name: name, expected: "\(optimizer.firstMoment.count) values",
          found: "\(values.count)")
      }
      return values
    }
    let countName = "\(prefix).step_count"
    let counts = try stored(countName).int64s(countName)
    guard counts.count == 1, let count = counts.first, count >= 0 else {
      throw DurableFileError.unexpectedTensor(
        name: countName, expected: "one count of at least 0", found: "\(counts)")
    }
    optimizer = Adam(
      learningRate: optimizer.learningRate,
      firstMoment: try moment("\(prefix).first_moment"),
      secondMoment: try moment("\(prefix).second_moment"), stepCount: Int(count))
  }
}
