import DenseKernels
import DurableFiles
import NeuralNetworks

extension NetworkRecord {
  /// The largest width that is read; a manifest that asks for more is taken as damaged.
  private static let largestWidth = 1_000_000
  private static let mostLayers = 100

  init(_ shape: MultilayerPerceptron.Shape) {
    self.init(
      inputs: shape.inputs, hidden: shape.hidden, outputs: shape.outputs,
      hiddenActivation: shape.hiddenActivation.rawValue,
      outputActivation: shape.outputActivation.rawValue)
  }

  /// The shape, checked; `field` is where the record stands in the manifest.
  ///
  /// - Throws: `PolicyArtifactError.invalidField`.
  func shape(_ path: String, field: String) throws(PolicyArtifactError)
    -> MultilayerPerceptron.Shape
  {
    try Self.checkWidths([inputs] + hidden + [outputs], path, field: field)
    return MultilayerPerceptron.Shape(
      inputs: inputs, hidden: hidden, outputs: outputs,
      hiddenActivation: try Self.activation(hiddenActivation, path, "\(field).hidden_activation"),
      outputActivation: try Self.activation(outputActivation, path, "\(field).output_activation"))
  }

  /// Checks that layers of these widths can be.
  ///
  /// - Throws: `PolicyArtifactError.invalidField`.
  static func checkWidths(
    _ widths: [Int], _ path: String, field: String
  ) throws(PolicyArtifactError) {
    guard widths.count <= mostLayers else {
      throw .invalidField(
        path: path, field: field, expected: "at most \(mostLayers) layers",
        found: "\(widths.count)")
    }
    for width in widths where !(1...largestWidth).contains(width) {
      throw .invalidField(
        path: path, field: field, expected: "widths of 1 to \(largestWidth)", found: "\(width)")
    }
  }

  private static func activation(
    _ name: String, _ path: String, _ field: String
  ) throws(PolicyArtifactError) -> Activation {
    guard let activation = Activation(rawValue: name) else {
      throw .invalidField(
        path: path, field: field,
        expected: "one of \(Activation.allCases.map(\.rawValue).joined(separator: ", "))",
        found: "\"\(name)\"")
    }
    return activation
  }
}

/// Networks as tensors of a file.
enum StoredNetwork {
  /// The tensors of a network, each named with a prefix.
  static func tensors(
    of network: some ParameterizedNetwork, prefix: String
  ) -> [(String, Tensor)] {
    network.namedParameters(prefix: prefix).map { ($0.name, Tensor($0.values, shape: $0.shape)) }
  }

  /// The network of this shape whose tensors have the prefix.
  ///
  /// Memory is taken only after the file is known to hold tensors of all these shapes.
  ///
  /// - Throws: `PolicyArtifactError.invalidTensor` naming the tensor.
  static func read(
    _ shape: MultilayerPerceptron.Shape, prefix: String, from file: SafetensorsFile
  ) throws(PolicyArtifactError) -> MultilayerPerceptron {
    var count = 0
    var inputs = shape.inputs
    for (index, width) in (shape.hidden + [shape.outputs]).enumerated() {
      try check("\(prefix)layer\(index).weight", [inputs, width], in: file)
      try check("\(prefix)layer\(index).bias", [width], in: file)
      count += (inputs + 1) * width
      inputs = width
    }
    var network = MultilayerPerceptron(
      shape: shape, parameters: [Float](repeating: 0, count: count))
    do {
      try network.load(prefix: prefix) { name in
        let tensor = try file.tensor(name)
        return NamedParameter(
          name: name, shape: tensor.shape, values: try tensor.floats(name))
      }
    } catch {
      throw .invalidTensor(path: file.path, reason: String(describing: error))
    }
    return network
  }

  /// Checks that the file has a tensor of this shape.
  static func check(
    _ name: String, _ expected: [Int], in file: SafetensorsFile
  ) throws(PolicyArtifactError) {
    let found: [Int]
    do {
      found = try file.shape(of: name)
    } catch {
      throw .invalidTensor(path: file.path, reason: "there is no tensor \"\(name)\"")
    }
    guard found == expected else {
      throw .invalidTensor(
        path: file.path, reason: "tensor \"\(name)\": expected shape \(expected), found \(found)")
    }
  }
}
