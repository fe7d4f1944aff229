import DurableFiles
import FusionMDP
import PolicyArtifacts

/// What a policy is compared with before it is released.
enum ReleaseReference {
  /// What was logged: the behavior itself.
  case logged
  /// A policy and what results call it.
  case policy(name: String, artifact: PolicyArtifact)

  /// Reads `current`, `logged`, a version of the registry, or the folder of an artifact.
  ///
  /// - Throws: `CommandFailure.usage` where it names nothing; what reading throws.
  init(_ text: String, registry: String?) throws {
    switch text {
    case "logged": self = .logged
    case "current":
      guard let registry else {
        throw CommandFailure.usage(
          "--against current: give --registry, whose current version it is")
      }
      let stored = try PolicyCommand.RegistryOption.open(registry)
      let artifact = try stored.loadCurrent()
      self = .policy(name: "current \(try stored.current ?? "")", artifact: artifact)
    default:
      self = .policy(name: text, artifact: try Self.artifact(text, registry: registry))
    }
  }

  /// The artifact in a folder, or else of a version of the registry.
  static func artifact(_ text: String, registry: String?) throws -> PolicyArtifact {
    if let registry, !DurableFiles.exists("\(text)/\(PolicyArtifact.manifestName)") {
      return try PolicyCommand.RegistryOption.open(registry).load(text)
    }
    return try PolicyArtifact.load(text)
  }

  /// What results call it.
  var name: String {
    switch self {
    case .logged: "logged"
    case .policy(let name, _): name
    }
  }
}
