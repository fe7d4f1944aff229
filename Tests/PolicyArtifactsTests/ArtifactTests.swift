import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import SeededRandom
import Testing

@Suite("policy artifacts")
struct ArtifactTests {
  static let policies: [any FusionPolicy] = [
    SamplePolicies.batchConstrained(), SamplePolicies.network(), SamplePolicies.fixed,
  ]

  @Test("what is written and read decides the same bits and tells the same story")
  func roundTrip() throws {
    for policy in Self.policies {
      let artifact = try SamplePolicies.artifact(policy)
      let loaded = try SamplePolicies.withFolder { folder in
        try artifact.write(to: "\(folder)/policy")
        return try PolicyArtifact.load("\(folder)/policy")
      }
      #expect(SamplePolicies.decisions(loaded.policy) == SamplePolicies.decisions(policy))
      #expect(loaded.policy.name == policy.name)
      #expect(loaded.manifest.policy == artifact.manifest.policy)
      #expect(loaded.manifest.normalizer == artifact.manifest.normalizer)
      #expect(loaded.manifest.fusion == .standard)
      #expect(loaded.manifest.reward == .standard)
      #expect(loaded.manifest.seed == .max)
      #expect(loaded.manifest.evaluation == artifact.manifest.evaluation)
      #expect(loaded.manifest.dataWindow == artifact.manifest.dataWindow)
      #expect(loaded.manifest.configuration["steps"] == .integer(300))
      #expect(loaded.manifest.files.keys.sorted() == ["weights.safetensors"])
    }
  }

  @Test("the same policy is written as the same bytes")
  func sameBytes() throws {
    let artifact = try SamplePolicies.artifact(SamplePolicies.batchConstrained())
    try SamplePolicies.withFolder { folder in
      try artifact.write(to: "\(folder)/a")
      try artifact.write(to: "\(folder)/b")
      for name in ["manifest.json", "weights.safetensors"] {
        #expect(
          try DurableFiles.read("\(folder)/a/\(name)")
            == DurableFiles.read("\(folder)/b/\(name)"))
      }
    }
  }

  @Test("other formulas and bounds survive")
  func otherFusion() throws {
    let schema = try TaskSchema(Array(TaskSchema.standard.tasks[..<2]))
    for formula: FusionFormula in [.weightedSum, .powerProduct(biases: [0.1, 1.0 / 3])] {
      let fusion = try FusionDefinition(
        schema: schema, formula: formula,
        bounds: FusionWeightBounds(lower: [-0.1, 0], upper: [0.7, 1], schema: schema))
      let artifact = try PolicyArtifact(
        policy: FixedWeightsPolicy(action: [0.1, -1]), algorithm: "search", fusion: fusion,
        seed: 0, revision: "")
      let loaded = try SamplePolicies.withFolder { folder in
        try artifact.write(to: "\(folder)/policy")
        return try PolicyArtifact.load("\(folder)/policy")
      }
      #expect(loaded.manifest.fusion == fusion)
    }
  }

  @Test("policies that fit no task list, state or file are refused when the artifact is made")
  func refused() throws {
    #expect(throws: PolicyArtifactError.notStorable(policy: "random exploration")) {
      try SamplePolicies.artifact(RandomExploration(actionSize: 12))
    }
    let error = #expect(throws: PolicyArtifactError.self) {
      try SamplePolicies.artifact(
        FixedWeightsPolicy(name: "short", action: [Float](repeating: 0, count: 11)))
    }
    #expect(
      error?.description == "policy \"short\", field action: expected 12 weights, found 11")
    #expect(throws: PolicyArtifactError.self) {
      try PolicyArtifact(
        policy: SamplePolicies.network(), algorithm: "", stateEncoder: StateEncoder(profileSize: 0),
        seed: 0, revision: "")
    }
  }

  /// Writes a sample, changes it, and gives the error of loading it.
  static func error(
    of policy: any FusionPolicy = SamplePolicies.network(), _ change: (String) throws -> Void
  ) throws -> PolicyArtifactError? {
    try SamplePolicies.withFolder { folder in
      try SamplePolicies.artifact(policy).write(to: "\(folder)/policy")
      try change("\(folder)/policy")
      do {
        _ = try PolicyArtifact.load("\(folder)/policy")
        return nil
      } catch let error as PolicyArtifactError {
        return error
      }
    }
  }

  static func replace(_ old: String, by new: String, in folder: String) throws {
    let path = "\(folder)/manifest.json"
    let text = try DurableFiles.readText(path)
    #expect(text.contains(old), "\(old) is not in the manifest")
    let changed = text.replacingOccurrences(of: old, with: new)
    try SamplePolicies.overwrite(path, with: Array(changed.utf8))
  }

  /// Puts other tensors into the artifact, with the size and hash that the loader finds.
  static func replaceWeights(_ tensors: [(String, Tensor)], in folder: String) throws {
    try Safetensors.write(tensors, to: "\(folder)/weights.safetensors")
    try acceptWeights(in: folder)
  }

  static func acceptWeights(in folder: String) throws {
    for _ in 0..<2 {
      do {
        _ = try PolicyArtifact.load(folder)
      } catch PolicyArtifactError.wrongSize(_, let expected, let found) {
        try replace("\"bytes\" : \(expected)", by: "\"bytes\" : \(found)", in: folder)
      } catch PolicyArtifactError.wrongHash(_, let expected, let found) {
        try replace(expected, by: found, in: folder)
      } catch {}
    }
  }

  @Test("missing files are named")
  func missingFiles() throws {
    for name in ["manifest.json", "weights.safetensors"] {
      let error = try Self.error { try DurableFiles.remove("\($0)/\(name)") }
      guard case .missingFile(let path) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(path.hasSuffix(name))
    }
  }

  @Test("a truncated weights file is told by its size, a flipped bit by its hash")
  func damagedWeights() throws {
    var error = try Self.error { folder in
      let path = "\(folder)/weights.safetensors"
      try DurableFiles.write(Array(DurableFiles.read(path).dropLast(5)), to: path)
    }
    guard case .wrongSize(_, let expected, let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == expected - 5)
    error = try Self.error { folder in
      let path = "\(folder)/weights.safetensors"
      var bytes = try DurableFiles.read(path)
      bytes[bytes.count - 3] ^= 1
      try DurableFiles.write(bytes, to: path)
    }
    guard case .wrongHash(_, let expected, let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(expected != found && expected.count == 64 && found.count == 64)
  }

  @Test("a truncated manifest, another format and a later version are told apart")
  func damagedManifest() throws {
    var error = try Self.error { folder in
      let path = "\(folder)/manifest.json"
      try DurableFiles.write(Array(DurableFiles.read(path).prefix(200)), to: path)
    }
    guard case .malformedManifest = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    error = try Self.error {
      try Self.replace("\"amalgam-policy\"", by: "\"model-zoo\"", in: $0)
    }
    guard case .unknownFormat(_, "amalgam-policy", "model-zoo") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    error = try Self.error {
      try Self.replace("\"format_version\" : 1", by: "\"format_version\" : 2", in: $0)
    }
    guard case .unknownFormatVersion(_, 1, 2) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("a missing or wrong field is named with its place")
  func wrongFields() throws {
    var error = try Self.error { try Self.replace("\"seed\"", by: "\"sead\"", in: $0) }
    guard case .malformedManifest(_, "seed", "the field is missing") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    error = try Self.error {
      try Self.replace("\"polarity\" : \"negative\"", by: "\"polarity\" : \"sour\"", in: $0)
    }
    guard case .malformedManifest(_, "fusion", let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("\"hate\"") && reason.contains("sour"))
    error = try Self.error {
      try Self.replace(
        "\"hidden_activation\" : \"relu\"", by: "\"hidden_activation\" : \"x\"", in: $0)
    }
    guard case .invalidField(_, "policy.network.hidden_activation", _, "\"x\"") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    error = try Self.error { try Self.replace("\"outputs\" : 12", by: "\"outputs\" : 11", in: $0) }
    guard case .invalidField(_, "policy", "actions for 12 tasks", "actions of 11") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("a missing tensor, another shape and a NaN are named, though the hash is right")
  func wrongTensors() throws {
    let weight = Tensor([Float](repeating: 0.1, count: 15), shape: [3, 5])
    let bias = Tensor([Float](repeating: 0, count: 5))
    let last = Tensor([Float](repeating: 0.1, count: 60), shape: [5, 12])
    let lastBias = Tensor([Float](repeating: 0, count: 12))
    func reason(_ tensors: [(String, Tensor)]) throws -> String? {
      let error = try Self.error { try Self.replaceWeights(tensors, in: $0) }
      guard let error else { return nil }
      guard case .invalidTensor(_, let reason) = error else { return "\(error)" }
      return reason
    }
    let complete = [
      ("network.layer0.weight", weight), ("network.layer0.bias", bias),
      ("network.layer1.weight", last), ("network.layer1.bias", lastBias),
    ]
    #expect(try reason(complete) == nil)
    #expect(
      try reason(Array(complete.dropLast())) == "there is no tensor \"network.layer1.bias\"")
    var turned = complete
    turned[0].1 = Tensor([Float](repeating: 0.1, count: 15), shape: [5, 3])
    #expect(
      try reason(turned)
        == "tensor \"network.layer0.weight\": expected shape [3, 5], found [5, 3]")
    var spoiled = complete
    spoiled[1].1 = Tensor([0, .nan, 0, 0, 0] as [Float])
    #expect(try reason(spoiled)?.contains("network.layer0.bias") == true)
    var doubles = complete
    doubles[1].1 = Tensor([0, 0, 0, 0, 0] as [Double])
    #expect(try reason(doubles)?.contains("F32") == true)
  }

  @Test("fixed weights outside the box are refused")
  func fixedOutside() throws {
    let error = try Self.error(of: SamplePolicies.fixed) {
      try Self.replaceWeights([("action", Tensor([Float](repeating: 1.5, count: 12)))], in: $0)
    }
    guard case .invalidTensor(_, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("click") && reason.contains("1.5"))
  }

  @Test("a full disk leaves nothing, or what was there")
  func fullDisk() throws {
    let artifact = try SamplePolicies.artifact(SamplePolicies.network())
    let other = try SamplePolicies.artifact(SamplePolicies.fixed)
    try SamplePolicies.withFolder { folder in
      for room in [0, 1, 100, 1_000, 3_000] {
        #expect(throws: DurableFileError.self) {
          try SimulatedFullDisk.after(bytes: room) { try artifact.write(to: "\(folder)/a") }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      }
      try other.write(to: "\(folder)/a")
      #expect(throws: DurableFileError.self) {
        try SimulatedFullDisk.after(bytes: 1_000) { try artifact.write(to: "\(folder)/a") }
      }
      #expect(try PolicyArtifact.load("\(folder)/a").policy.name == "best static weights")
    }
  }

  @Test("the explanation holds the weights, and contributions that sum to each score")
  func explanation() throws {
    let schema = try TaskSchema(Array(TaskSchema.standard.tasks[..<2]))
    let fusion = try FusionDefinition(
      schema: schema, formula: .weightedSum,
      bounds: FusionWeightBounds(lower: [0, 0], upper: [2, 4], schema: schema))
    let artifact = try PolicyArtifact(
      policy: FixedWeightsPolicy(action: [0, 0.5]), algorithm: "search", fusion: fusion, seed: 0,
      revision: "")
    var stream = RandomStream(seed: 1, name: "explain")
    let scores = try TaskScores([0.5, 0.1, 0.25, 0.5, 0, 0], schema: schema)
    let explanation = try artifact.explain(state: [], scores: scores, count: 2, using: &stream)
    #expect(explanation.weights.map(\.task) == ["click", "long_view"])
    #expect(explanation.weights.map(\.action) == [0, 0.5])
    #expect(explanation.weights.map(\.weight) == [1, 3])
    #expect(explanation.ranking.map(\.index) == [1, 0])
    #expect(explanation.ranking[0].score == 1.75)
    #expect(explanation.ranking[0].contributions == [0.25, 1.5])
    #expect(abs(explanation.ranking[1].score - 0.8) < 1e-6)
    #expect(abs(explanation.ranking[1].contributions[1] - 0.3) < 1e-6)
    #expect(try artifact.weights(forState: [], using: &stream) == [1, 3])
    #expect(throws: FusionError.self) {
      try artifact.explain(
        state: [], scores: TaskScores([], schema: .standard), using: &stream)
    }
  }

  @Test("a state of another length or with a NaN is refused by its feature")
  func invalidState() throws {
    let artifact = try SamplePolicies.artifact(SamplePolicies.network())
    var stream = RandomStream(seed: 1, name: "state")
    #expect(
      throws: PolicyArtifactError.invalidState(reason: "expected 3 features, found 2")
    ) { try artifact.weights(forState: [0, 0], using: &stream) }
    #expect(
      throws: PolicyArtifactError.invalidState(
        reason: "feature 1: expected a finite number, found nan")
    ) { try artifact.weights(forState: [0, .nan, 0], using: &stream) }
    #expect(try artifact.weights(forState: [0, 0, 0], using: &stream).count == 12)
  }
}
