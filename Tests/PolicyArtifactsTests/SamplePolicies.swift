import DenseKernels
import Foundation
import FusionMDP
import NeuralNetworks
import PolicyArtifacts
import SeededRandom

/// Small policies, and a folder that is removed after a test.
enum SamplePolicies {
  static let normalizer = StateNormalizer(mean: [0.5, -1, 0.1], deviation: [2, 1, 0.3])

  /// S = 3, A = 12, random weights.
  static func batchConstrained(seed: UInt64 = 1, candidates: Int = 7) -> BatchConstrainedPolicy {
    var stream = RandomStream(seed: seed, name: "sample policies")
    return BatchConstrainedPolicy(
      name: "sample",
      behaviorModel: ConditionalVAE(
        shape: .init(stateSize: 3, actionSize: 12, latentSize: 5, hidden: [8, 6]),
        initializedBy: &stream),
      perturbation: MultilayerPerceptron(
        shape: .init(inputs: 15, hidden: [9], outputs: 12, outputActivation: .tanh),
        initializedBy: &stream),
      critic: MultilayerPerceptron(
        shape: .init(inputs: 15, hidden: [10, 4], outputs: 1), initializedBy: &stream),
      perturbationBound: 0.15, actionCandidates: candidates, normalizer: normalizer)
  }

  static func network(seed: UInt64 = 2) -> NetworkPolicy {
    var stream = RandomStream(seed: seed, name: "sample policies")
    return NetworkPolicy(
      name: "cloning",
      network: MultilayerPerceptron(
        shape: .init(inputs: 3, hidden: [5], outputs: 12, outputActivation: .tanh),
        initializedBy: &stream),
      normalizer: normalizer)
  }

  static let fixed = FixedWeightsPolicy(
    name: "best static weights", action: (0..<12).map { Float($0) / 11 * 2 - 1 })

  static func requests(_ count: Int, seed: UInt64 = 3) -> PolicyRequests {
    var stream = RandomStream(seed: seed, name: "requests")
    return PolicyRequests(
      states: stream.gaussians(count * 3), stateSize: 3,
      userHashes: (0..<count).map { UInt64($0) })
  }

  static func decisions(_ policy: any FusionPolicy, count: Int = 20) -> [Float] {
    var stream = RandomStream(seed: 4, name: "decisions")
    return policy.decide(requests(count), using: &stream).actions
  }

  static func artifact(_ policy: any FusionPolicy) throws -> PolicyArtifact {
    try PolicyArtifact(
      policy: policy, algorithm: "BatchRL-MTF",
      configuration: .object(["steps": .integer(300), "discount": .number(0.95)]),
      reward: .standard,
      dataWindow: PolicyManifest.DataWindow(
        fromMilliseconds: 1_650_000_000_000, toMilliseconds: 1_650_000_999_999, sessions: 10,
        transitions: 120),
      seed: .max, revision: "0123abc",
      evaluation: [
        PolicyManifest.EvaluationRecord(
          estimator: "fitted_q", value: 4.125, low: 4, high: 4.25, sessions: 10)
      ])
  }

  /// Replaces a file without care for power losses: many file systems flush a file that is cut and
  /// written again, but not one that is removed first, and tests do this thousands of times.
  static func overwrite(_ path: String, with bytes: [UInt8]) throws {
    try FileManager.default.removeItem(atPath: path)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }
}
