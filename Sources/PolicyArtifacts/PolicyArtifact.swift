import DurableFiles
public import FusionMDP
import NeuralNetworks

/// A policy with all that is needed to serve it and to know where it comes from.
///
/// Written as a folder of `manifest.json` and `weights.safetensors`, once and atomically.
public struct PolicyArtifact: Sendable {
  /// What the policy is and how it was made.
  public internal(set) var manifest: PolicyManifest
  /// The policy, ready to decide.
  public let policy: any FusionPolicy
  /// The SHA-256 of the manifest's file, in hexadecimal digits: it names this artifact and no other,
  /// since the manifest holds the hash of the weights. Nil of one that was not read from a folder.
  public let manifestSHA256: String?

  init(manifest: PolicyManifest, policy: any FusionPolicy, manifestSHA256: String) {
    self.manifest = manifest
    self.policy = policy
    self.manifestSHA256 = manifestSHA256
  }

  /// An artifact of a policy.
  ///
  /// - Parameters:
  ///   - policy: a `BatchConstrainedPolicy`, `NetworkPolicy` or `FixedWeightsPolicy`.
  ///   - revision: the revision of the program's source.
  /// - Throws: `PolicyArtifactError.notStorable` for any other policy, `.invalidField` if its sizes
  ///   do not fit the fusion's tasks or the state encoder.
  public init(
    policy: any FusionPolicy, algorithm: String, configuration: ConfigurationValue = .object([:]),
    fusion: FusionDefinition = .standard, stateEncoder: StateEncoder? = nil,
    reward: SatisfactionReward? = nil, dataWindow: PolicyManifest.DataWindow? = nil,
    seed: UInt64, revision: String, evaluation: [PolicyManifest.EvaluationRecord] = []
  ) throws(PolicyArtifactError) {
    let (record, normalizer) = try Self.record(of: policy)
    self.policy = policy
    manifestSHA256 = nil
    manifest = PolicyManifest(
      policy: record, algorithm: algorithm, configuration: configuration, fusion: fusion,
      stateEncoder: stateEncoder, normalizer: normalizer, reward: reward, dataWindow: dataWindow,
      seed: seed, revision: revision, evaluation: evaluation)
    let place = "policy \"\(policy.name)\""
    guard policy.actionSize == fusion.schema.count else {
      throw .invalidField(
        path: place, field: "action", expected: "\(fusion.schema.count) weights",
        found: "\(policy.actionSize)")
    }
    try manifest.checkSizes(path: place)
  }

  /// The policy, ready to decide.
  public func makePolicy() -> any FusionPolicy { policy }

  private static func record(
    of policy: any FusionPolicy
  ) throws(PolicyArtifactError) -> (PolicyRecord, StateNormalizer?) {
    switch policy {
    case let policy as FixedWeightsPolicy:
      return (.fixedWeights(name: policy.name), nil)
    case let policy as NetworkPolicy:
      return (
        .network(name: policy.name, network: NetworkRecord(policy.network.shape)),
        policy.normalizer
      )
    case let policy as BatchConstrainedPolicy:
      let shape = policy.behaviorModel.shape
      return (
        .batchConstrained(
          BatchConstrainedRecord(
            name: policy.name, stateSize: shape.stateSize, actionSize: shape.actionSize,
            latentSize: shape.latentSize, behaviorHidden: shape.hidden,
            perturbation: NetworkRecord(policy.perturbation.shape),
            critic: NetworkRecord(policy.critic.shape),
            perturbationBound: policy.perturbationBound,
            actionCandidates: policy.actionCandidates)),
        policy.normalizer
      )
    default:
      throw .notStorable(policy: policy.name)
    }
  }

  /// The policy's parameters, as `weights.safetensors` holds them.
  func tensors() -> [(String, Tensor)] {
    switch policy {
    case let policy as FixedWeightsPolicy:
      [("action", Tensor(policy.action))]
    case let policy as NetworkPolicy:
      StoredNetwork.tensors(of: policy.network, prefix: "network.")
    case let policy as BatchConstrainedPolicy:
      StoredNetwork.tensors(of: policy.behaviorModel.encoder, prefix: "encoder.")
        + StoredNetwork.tensors(of: policy.behaviorModel.decoder, prefix: "decoder.")
        + StoredNetwork.tensors(of: policy.perturbation, prefix: "perturbation.")
        + StoredNetwork.tensors(of: policy.critic, prefix: "critic.")
    default: []  // `init` refuses other policies.
    }
  }
}

extension PolicyManifest {
  /// The sizes of the policy's states (nil: any) and actions.
  public var sizes: (state: Int?, action: Int) {
    switch policy {
    case .fixedWeights: (nil, fusion.schema.count)
    case .network(_, let network): (network.inputs, network.outputs)
    case .batchConstrained(let record): (record.stateSize, record.actionSize)
    }
  }

  /// Checks that policy, tasks, state encoder and normalizer fit each other.
  ///
  /// - Throws: `PolicyArtifactError.invalidField`.
  func checkSizes(path: String) throws(PolicyArtifactError) {
    let (state, action) = sizes
    try NetworkRecord.checkWidths([state ?? 1, action], path, field: "policy")
    guard action == fusion.schema.count else {
      throw .invalidField(
        path: path, field: "policy", expected: "actions for \(fusion.schema.count) tasks",
        found: "actions of \(action)")
    }
    if let state {
      guard let normalizer, normalizer.stateSize == state else {
        throw .invalidField(
          path: path, field: "normalizer", expected: "statistics of \(state) features",
          found: normalizer.map { "\($0.stateSize)" } ?? "none")
      }
      if let stateEncoder, stateEncoder.stateSize != state {
        throw .invalidField(
          path: path, field: "state_encoder", expected: "a state of \(state) features",
          found: "\(stateEncoder.stateSize)")
      }
    }
    guard case .batchConstrained(let record) = policy else { return }
    try checkConstants(record, path: path)
    let joined = record.stateSize + record.actionSize
    guard record.perturbation.inputs == joined, record.perturbation.outputs == record.actionSize,
      record.critic.inputs == joined, record.critic.outputs == 1
    else {
      throw .invalidField(
        path: path, field: "policy.batch_constrained",
        expected: "perturbation \(joined) → \(record.actionSize) and critic \(joined) → 1",
        found: """
          \(record.perturbation.inputs) → \(record.perturbation.outputs) and \
          \(record.critic.inputs) → \(record.critic.outputs)
          """)
    }
  }

  private func checkConstants(
    _ record: BatchConstrainedRecord, path: String
  ) throws(PolicyArtifactError) {
    try NetworkRecord.checkWidths(
      [record.latentSize] + record.behaviorHidden, path, field: "policy.batch_constrained")
    guard record.perturbationBound >= 0, record.perturbationBound <= 2 else {
      throw .invalidField(
        path: path, field: "policy.batch_constrained.perturbation_bound",
        expected: "a number in [0, 2]", found: "\(record.perturbationBound)")
    }
    guard (1...100_000).contains(record.actionCandidates) else {
      throw .invalidField(
        path: path, field: "policy.batch_constrained.action_candidates",
        expected: "1 to 100,000", found: "\(record.actionCandidates)")
    }
  }
}
