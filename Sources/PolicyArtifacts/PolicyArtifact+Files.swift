import Crypto
import DurableFiles
import FusionMDP
import NeuralNetworks

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension PolicyArtifact {
  /// The name of the manifest in the artifact's folder.
  public static let manifestName = "manifest.json"
  /// The name of the parameters' file in the artifact's folder.
  public static let weightsName = "weights.safetensors"

  /// Writes the artifact as the folder `path`, in full or not at all; the parent must exist.
  ///
  /// - Throws: `DurableFileError`; then `path` is as it was.
  public func write(to path: String) throws {
    try DurableFiles.writeFolder(at: path) { folder in
      let weights = "\(folder)/\(Self.weightsName)"
      try Safetensors.write(tensors(), to: weights)
      let bytes = try DurableFiles.read(weights)
      var complete = manifest
      complete.files = [
        Self.weightsName: PolicyManifest.FileRecord(bytes: bytes.count, sha256: sha256(of: bytes))
      ]
      try DurableFiles.write(
        Self.manifestText(complete), to: "\(folder)/\(Self.manifestName)")
    }
  }

  /// Reads the artifact in the folder `path` and checks all of it: format, version, sizes, hashes,
  /// names and shapes of tensors, and that every parameter is a finite number.
  ///
  /// - Throws: `PolicyArtifactError`, or `DurableFileError` where a file cannot be read.
  public static func load(_ path: String) throws -> PolicyArtifact {
    let manifestPath = "\(path)/\(manifestName)"
    guard DurableFiles.exists(manifestPath) else {
      throw PolicyArtifactError.missingFile(path: manifestPath)
    }
    let bytes = try DurableFiles.read(manifestPath)
    let manifest = try manifest(from: bytes, path: manifestPath)
    let weights = try verifiedWeights(path, manifest)
    let policy = try policy(of: manifest, weights)
    return PolicyArtifact(
      manifest: manifest, policy: policy, manifestSHA256: sha256(of: bytes))
  }

  private static func manifestText(_ manifest: PolicyManifest) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(manifest)) + [UInt8(ascii: "\n")]
  }

  /// Only what tells whether the rest can be read.
  private struct Header: Decodable {
    var format: String
    var formatVersion: Int

    enum CodingKeys: String, CodingKey {
      case format
      case formatVersion = "format_version"
    }
  }

  /// Parses a manifest and checks that its parts fit; `path` is for messages.
  ///
  /// - Throws: `PolicyArtifactError`, whatever the bytes.
  public static func manifest(
    from bytes: [UInt8], path: String
  ) throws(PolicyArtifactError) -> PolicyManifest {
    let manifest: PolicyManifest
    do {
      let data = Data(bytes)
      let header = try JSONDecoder().decode(Header.self, from: data)
      guard header.format == PolicyManifest.format else {
        throw PolicyArtifactError.unknownFormat(
          path: path, expected: PolicyManifest.format, found: header.format)
      }
      guard (1...PolicyManifest.formatVersion).contains(header.formatVersion) else {
        throw PolicyArtifactError.unknownFormatVersion(
          path: path, readable: PolicyManifest.formatVersion, found: header.formatVersion)
      }
      manifest = try JSONDecoder().decode(PolicyManifest.self, from: data)
    } catch let error as PolicyArtifactError {
      throw error
    } catch let error as DecodingError {
      throw malformed(error, path: path)
    } catch {
      throw .malformedManifest(path: path, field: "", reason: "\(error)")
    }
    try manifest.checkSizes(path: path)
    return manifest
  }

  private static func malformed(_ error: DecodingError, path: String) -> PolicyArtifactError {
    let (keys, reason): ([any CodingKey], String) =
      switch error {
      case .keyNotFound(let key, let context):
        (context.codingPath + [key], "the field is missing")
      case .typeMismatch(_, let context), .valueNotFound(_, let context),
        .dataCorrupted(let context):
        (context.codingPath, context.debugDescription)
      @unknown default: ([], "\(error)")
      }
    let field = keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      .joined(separator: ".")
    return .malformedManifest(path: path, field: field, reason: reason)
  }

  private static func verifiedWeights(
    _ folder: String, _ manifest: PolicyManifest
  ) throws -> SafetensorsFile {
    let path = "\(folder)/\(weightsName)"
    guard let record = manifest.files[weightsName] else {
      throw PolicyArtifactError.malformedManifest(
        path: "\(folder)/\(manifestName)", field: "files.\(weightsName)",
        reason: "the field is missing")
    }
    guard DurableFiles.exists(path) else { throw PolicyArtifactError.missingFile(path: path) }
    let bytes = try DurableFiles.read(path)
    guard bytes.count == record.bytes else {
      throw PolicyArtifactError.wrongSize(
        path: path, expected: record.bytes, found: bytes.count)
    }
    let hash = sha256(of: bytes)
    guard hash == record.sha256 else {
      throw PolicyArtifactError.wrongHash(path: path, expected: record.sha256, found: hash)
    }
    return try Safetensors.read(path)
  }

  private static func policy(
    of manifest: PolicyManifest, _ file: SafetensorsFile
  ) throws -> any FusionPolicy {
    let path = file.path
    switch manifest.policy {
    case .fixedWeights(let name):
      try StoredNetwork.check("action", [manifest.fusion.schema.count], in: file)
      let action = try file.tensor("action").floats("action")
      do {
        try manifest.fusion.bounds.validate(action: action, schema: manifest.fusion.schema)
      } catch {
        throw PolicyArtifactError.invalidTensor(
          path: path, reason: "tensor \"action\": \(error.description)")
      }
      return FixedWeightsPolicy(name: name, action: action)
    case .network(let name, let record):
      let shape = try record.shape(path, field: "policy.network")
      return NetworkPolicy(
        name: name, network: try StoredNetwork.read(shape, prefix: "network.", from: file),
        normalizer: try normalizer(of: manifest, path))
    case .batchConstrained(let record):
      return try batchConstrained(record, manifest, file)
    }
  }

  private static func batchConstrained(
    _ record: BatchConstrainedRecord, _ manifest: PolicyManifest, _ file: SafetensorsFile
  ) throws -> BatchConstrainedPolicy {
    let field = "policy.batch_constrained"
    let shape = ConditionalVAE.Shape(
      stateSize: record.stateSize, actionSize: record.actionSize, latentSize: record.latentSize,
      hidden: record.behaviorHidden)
    return BatchConstrainedPolicy(
      name: record.name,
      behaviorModel: ConditionalVAE(
        shape: shape,
        encoder: try StoredNetwork.read(shape.encoder, prefix: "encoder.", from: file),
        decoder: try StoredNetwork.read(shape.decoder, prefix: "decoder.", from: file)),
      perturbation: try StoredNetwork.read(
        record.perturbation.shape(file.path, field: "\(field).perturbation"),
        prefix: "perturbation.", from: file),
      critic: try StoredNetwork.read(
        record.critic.shape(file.path, field: "\(field).critic"), prefix: "critic.", from: file),
      perturbationBound: record.perturbationBound, actionCandidates: record.actionCandidates,
      normalizer: try normalizer(of: manifest, file.path))
  }

  private static func normalizer(
    of manifest: PolicyManifest, _ path: String
  ) throws(PolicyArtifactError) -> StateNormalizer {
    guard let normalizer = manifest.normalizer else {
      throw .invalidField(
        path: path, field: "normalizer", expected: "statistics of the state", found: "none")
    }
    return normalizer
  }
}

/// The SHA-256 of bytes in lower-case hexadecimal digits.
func sha256(of bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  var text = ""
  for byte in SHA256.hash(data: bytes) {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return text
}
