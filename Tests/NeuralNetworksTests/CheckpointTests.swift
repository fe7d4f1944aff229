import DenseKernels
import DurableFiles
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Networks in safetensors files")
struct CheckpointTests {
  private let path =
    FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-networks-\(UUID().uuidString).safetensors").path

  private func write(_ networks: [(prefix: String, network: MultilayerPerceptron)]) throws {
    let tensors = networks.flatMap { $0.network.namedParameters(prefix: $0.prefix) }
      .map { ($0.name, Tensor($0.values, shape: $0.shape)) }
    try Safetensors.write(tensors, to: path)
  }

  @Test("two networks go through one file to the same bits")
  func roundTrip() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var stream = RandomStream(seed: 1, name: "checkpoint")
    let shape = MultilayerPerceptron.Shape(inputs: 5, hidden: [7, 3], outputs: 2)
    let networks = (0..<2).map { _ in
      MultilayerPerceptron(shape: shape, initializedBy: &stream)
    }
    try write([("critic0.", networks[0]), ("critic1.", networks[1])])
    let file = try Safetensors.read(path)
    for (index, network) in networks.enumerated() {
      var loaded = MultilayerPerceptron(shape: shape, initializedBy: &stream)
      try loaded.load(prefix: "critic\(index).") { name in
        guard file.contains(name) else { return nil }
        let tensor = try file.tensor(name)
        return NamedParameter(name: name, shape: tensor.shape, values: try tensor.floats(name))
      }
      #expect(loaded == network)
    }
  }

  @Test("NumPy reads the file and computes the same outputs from it")
  func numPyForward() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    var stream = RandomStream(seed: 2, name: "checkpoint")
    let network = MultilayerPerceptron(
      shape: .init(inputs: 3, hidden: [6, 4], outputs: 2, outputActivation: .tanh),
      initializedBy: &stream)
    try write([("actor.", network)])
    let input = Matrix(rows: 2, columns: 3, values: [0.5, -1, 2, 1.5, 0.25, -0.75])
    let script = """
      import sys
      import numpy as np
      from safetensors.numpy import load_file
      t = {k: v.astype(np.float64) for k, v in load_file(sys.argv[1]).items()}
      x = np.array([[0.5, -1, 2], [1.5, 0.25, -0.75]])
      for i in range(3):
          x = x @ t[f'actor.layer{i}.weight'] + t[f'actor.layer{i}.bias']
          x = np.tanh(x) if i == 2 else np.maximum(x, 0)
      print(' '.join(repr(float(v)) for v in x.ravel()))
      """
    let numbers = try runPython(script, [path]).split(whereSeparator: \.isWhitespace)
    expectClose(network(input).values, numbers.compactMap { Double($0) }, tolerance: 1e-5)
  }

  /// What the project's Python prints; the test fails if it is not installed.
  private func runPython(_ script: String, _ arguments: [String]) throws -> String {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let python = root.appendingPathComponent(".deps/python/bin/python3").path
    try #require(
      FileManager.default.isExecutableFile(atPath: python),
      "\(python) is missing; 'make setup' installs it with numpy and safetensors")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "python: \(text)")
    return text
  }
}
