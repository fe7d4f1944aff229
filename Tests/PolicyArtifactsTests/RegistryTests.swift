import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import Testing

@Suite("policy registry")
struct RegistryTests {
  static func withRegistry(_ body: (PolicyRegistry) throws -> Void) throws {
    try SamplePolicies.withFolder { folder in
      try body(PolicyRegistry(folder: "\(folder)/registry"))
    }
  }

  @Test("versions are numbered, listed with their manifests, and never overwritten")
  func add() throws {
    try Self.withRegistry { registry in
      #expect(try registry.versions().isEmpty)
      #expect(try registry.current == nil)
      let artifact = try SamplePolicies.artifact(SamplePolicies.fixed)
      for number in 1...11 { #expect(try registry.add(artifact) == "v\(number)") }
      #expect(try registry.add(artifact, as: "by-hand") == "by-hand")
      #expect(try registry.versions().suffix(3) == ["v10", "v11", "by-hand"])
      try registry.release("v2")
      let entries = try registry.list()
      #expect(entries.count == 12)
      #expect(entries.filter(\.isCurrent).map(\.version) == ["v2"])
      #expect(entries[0].manifest.algorithm == "BatchRL-MTF")
      #expect(
        throws: PolicyArtifactError.versionExists(registry: registry.folder, version: "v2")
      ) { try registry.add(artifact, as: "v2") }
      for name in ["", ".hidden", "a/b", "..", "ü", String(repeating: "x", count: 101)] {
        #expect(throws: PolicyArtifactError.invalidVersionName(name)) {
          try registry.add(artifact, as: name)
        }
      }
    }
  }

  @Test("releases and rollbacks: one step a call, and the history is kept")
  func rollback() throws {
    try Self.withRegistry { registry in
      #expect(throws: PolicyArtifactError.nothingReleased(registry: registry.folder)) {
        try registry.rollback()
      }
      #expect(throws: PolicyArtifactError.nothingReleased(registry: registry.folder)) {
        try registry.loadCurrent()
      }
      for name in ["a", "b", "c", "d"] {
        try registry.add(
          SamplePolicies.artifact(
            FixedWeightsPolicy(name: name, action: [Float](repeating: 0, count: 12))), as: name)
      }
      for name in ["a", "b", "c"] { try registry.release(name) }
      try registry.release("c")
      #expect(try registry.loadCurrent().policy.name == "c")
      #expect(try registry.rollback() == "b")
      #expect(try registry.loadCurrent().policy.name == "b")
      #expect(try registry.rollback() == "a")
      #expect(
        throws: PolicyArtifactError.noEarlierRelease(registry: registry.folder, current: "a")
      ) { try registry.rollback() }
      try registry.release("d")
      #expect(try registry.current == "d")
      #expect(try registry.rollback() == "a")
      #expect(
        try registry.events.map { "\($0.action.rawValue) \($0.version)" } == [
          "release a", "release b", "release c", "rollback b", "rollback a", "release d",
          "rollback a",
        ])
      // Another reader of the same folder sees the same.
      #expect(try PolicyRegistry(folder: registry.folder).current == "a")
    }
  }

  @Test("an unknown or damaged version is not released, and the current one stays")
  func damagedRelease() throws {
    try Self.withRegistry { registry in
      try registry.add(SamplePolicies.artifact(SamplePolicies.fixed))
      try registry.add(SamplePolicies.artifact(SamplePolicies.network()))
      try registry.release("v1")
      #expect(
        throws: PolicyArtifactError.unknownVersion(
          registry: registry.folder, version: "v9", known: ["v1", "v2"])
      ) { try registry.release("v9") }
      let weights = "\(registry.path(of: "v2"))/weights.safetensors"
      try DurableFiles.write(Array(DurableFiles.read(weights).dropLast()), to: weights)
      #expect(throws: PolicyArtifactError.self) { try registry.release("v2") }
      #expect(try registry.current == "v1")
    }
  }

  @Test("a manifest that was changed after its release is not served")
  func changedManifest() throws {
    try Self.withRegistry { registry in
      try registry.add(SamplePolicies.artifact(SamplePolicies.fixed))
      try registry.release("v1")
      try ArtifactTests.replace(
        "\"upper\" : 2", by: "\"upper\" : 3", in: registry.path(of: "v1"))
      let error = #expect(throws: PolicyArtifactError.self) { try registry.loadCurrent() }
      guard case .wrongHash(let path, _, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(path.hasSuffix("v1/manifest.json"))
    }
  }

  @Test("a disk that fills up at any moment leaves the registry as it was")
  func fullDisk() throws {
    try Self.withRegistry { registry in
      try registry.add(SamplePolicies.artifact(SamplePolicies.fixed))
      try registry.add(SamplePolicies.artifact(SamplePolicies.network()))
      try registry.release("v1")
      let next = try SamplePolicies.artifact(SamplePolicies.network(seed: 9))
      for room in stride(from: 0, to: 4_000, by: 500) {
        #expect(throws: DurableFileError.self) {
          try SimulatedFullDisk.after(bytes: room) { try registry.add(next) }
        }
        #expect(try registry.versions() == ["v1", "v2"])
      }
      for room in stride(from: 0, to: 200, by: 40) {
        #expect(throws: DurableFileError.self) {
          try SimulatedFullDisk.after(bytes: room) { try registry.release("v2") }
        }
        #expect(try registry.loadCurrent().policy.name == "best static weights")
      }
      try registry.release("v2")
      #expect(try registry.current == "v2")
    }
  }

  @Test("a pointer that is no JSON, of another schema, or contradicts itself is told")
  func malformedPointer() throws {
    try Self.withRegistry { registry in
      try registry.add(SamplePolicies.artifact(SamplePolicies.fixed))
      let pointers = [
        "", "{", #"{"schema": 2, "events": []}"#,
        #"{"schema": 1, "current": "v1", "events": []}"#,
        #"{"schema": 1, "current": "v1", "events": [{"action": "jump", "version": "v1"}]}"#,
      ]
      for text in pointers {
        try DurableFiles.write(text, to: "\(registry.folder)/current.json")
        let error = #expect(throws: PolicyArtifactError.self) { try registry.current }
        guard case .malformedPointer = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
      }
    }
  }
}
