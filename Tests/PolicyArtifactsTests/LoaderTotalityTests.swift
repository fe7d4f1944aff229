import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import SeededRandom
import Testing

/// Whatever bytes stand in an artifact, the loader gives a policy or a typed error.
@Suite("the loader is total")
struct LoaderTotalityTests {
  /// Loads and tells whether it loaded; anything but the two typed errors is recorded.
  static func loads(_ folder: String) -> Bool {
    do {
      let artifact = try PolicyArtifact.load(folder)
      var stream = RandomStream(seed: 1, name: "totality")
      let size = artifact.manifest.normalizer?.stateSize ?? 0
      _ = try artifact.weights(
        forState: [Float](repeating: 0, count: size), using: &stream)
      return true
    } catch is PolicyArtifactError {
      return false
    } catch is DurableFileError {
      return false
    } catch {
      Issue.record("untyped error \(error)")
      return false
    }
  }

  @Test("every number of the manifest replaced by each of many others", arguments: 0..<3)
  func numbers(kind: Int) throws {
    let others = [
      "-1", "0", "2", "1e9", "1e308", "1e999", "9223372036854775807", "18446744073709551616",
      "0.5", "null", "\"x\"", "[]", "{}", "true",
    ]
    try SamplePolicies.withFolder { folder in
      let path = "\(folder)/policy"
      try SamplePolicies.artifact(ArtifactTests.policies[kind]).write(to: path)
      #expect(Self.loads(path))
      let text = try DurableFiles.readText("\(path)/manifest.json")
      var replaced = 0
      for match in text.matches(of: /-?[0-9][0-9.e+\-]*(?=\s*[,\n\]\}])/) {
        for other in others {
          var changed = text
          changed.replaceSubrange(match.range, with: other)
          try SamplePolicies.overwrite("\(path)/manifest.json", with: Array(changed.utf8))
          _ = Self.loads(path)
          replaced += 1
        }
      }
      #expect(replaced > 300)
    }
  }

  @Test("random bytes written over, cut from and put into both files")
  func mutations() throws {
    var stream = RandomStream(seed: 6, name: "mutations")
    try SamplePolicies.withFolder { folder in
      let path = "\(folder)/policy"
      for policy in ArtifactTests.policies {
        try SamplePolicies.artifact(policy).write(to: path)
        for name in ["manifest.json", "weights.safetensors"] {
          let original = try DurableFiles.read("\(path)/\(name)")
          var loaded = 0
          for _ in 0..<150 {
            let bytes = Self.mutated(original, using: &stream)
            try SamplePolicies.overwrite("\(path)/\(name)", with: bytes)
            if Self.loads(path) { loaded += 1 }
          }
          // Whatever differs in the weights is found by size or hash.
          if name == "weights.safetensors" { #expect(loaded == 0) }
          try DurableFiles.write(original, to: "\(path)/\(name)")
        }
      }
    }
  }

  @Test("damaged weights whose hash was made right")
  func mutationsBehindTheHash() throws {
    var stream = RandomStream(seed: 7, name: "behind the hash")
    try SamplePolicies.withFolder { folder in
      let path = "\(folder)/policy"
      try SamplePolicies.artifact(SamplePolicies.network()).write(to: path)
      let weights = try DurableFiles.read("\(path)/weights.safetensors")
      for _ in 0..<100 {
        // Most of the damage goes to the header, where it matters.
        var bytes = Self.mutated(Array(weights[..<360]), using: &stream) + weights[360...]
        if stream.index(below: 4) == 0 { bytes = Self.mutated(bytes, using: &stream) }
        try SamplePolicies.overwrite("\(path)/weights.safetensors", with: bytes)
        try ArtifactTests.acceptWeights(in: path)
        _ = Self.loads(path)
      }
    }
  }

  @Test("random bytes are no manifest")
  func noise() throws {
    var stream = RandomStream(seed: 8, name: "noise")
    for length in 0..<300 {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
      #expect(throws: PolicyArtifactError.self) {
        try PolicyArtifact.manifest(from: bytes, path: "noise")
      }
    }
    let nested = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: PolicyArtifactError.self) {
      try PolicyArtifact.manifest(from: nested, path: "nested")
    }
  }

  static func mutated(_ bytes: [UInt8], using stream: inout RandomStream) -> [UInt8] {
    var result = bytes
    for _ in 0...stream.index(below: 3) {
      guard !result.isEmpty else { break }
      let place = stream.index(below: result.count)
      switch stream.index(below: 4) {
      case 0: result[place] ^= 1 << UInt8(stream.index(below: 8))
      case 1: result.remove(at: place)
      case 2: result.insert(UInt8(truncatingIfNeeded: stream.next()), at: place)
      default: result.removeSubrange(place..<min(place + 20, result.count))
      }
    }
    if result == bytes { result.append(0) }
    return result
  }
}
