/// What can be wrong with a stored policy or a registry; each case names the file and what was
/// expected and found.
public enum PolicyArtifactError: Error, Sendable, Equatable {
  /// A file of the artifact is not there.
  case missingFile(path: String)
  /// The manifest is no JSON, or a field is missing or of the wrong kind.
  case malformedManifest(path: String, field: String, reason: String)
  /// The manifest is of another format.
  case unknownFormat(path: String, expected: String, found: String)
  /// The manifest is of a format version that this program does not read.
  case unknownFormatVersion(path: String, readable: Int, found: Int)
  /// A field holds what cannot be, or contradicts another.
  case invalidField(path: String, field: String, expected: String, found: String)
  /// A file is shorter or longer than the manifest says.
  case wrongSize(path: String, expected: Int, found: Int)
  /// A file's content is not what the manifest says.
  case wrongHash(path: String, expected: String, found: String)
  /// The tensors do not make the networks that the manifest describes.
  case invalidTensor(path: String, reason: String)
  /// This kind of policy has no stored form.
  case notStorable(policy: String)
  /// A registry has no such version.
  case unknownVersion(registry: String, version: String, known: [String])
  /// A registry has another artifact under this version.
  case versionExists(registry: String, version: String)
  /// A name that is no version.
  case invalidVersionName(String)
  /// Nothing was ever released.
  case nothingReleased(registry: String)
  /// A version that was never released cannot have been observed.
  case neverReleased(registry: String, version: String)
  /// There is no release before the current one.
  case noEarlierRelease(registry: String, current: String)
  /// The registry's pointer file cannot be understood.
  case malformedPointer(path: String, reason: String)
  /// A line of the registry's ledger cannot be understood.
  case malformedLedger(path: String, line: Int, reason: String)
  /// The policy decided something that is no action.
  case invalidDecision(policy: String, reason: String)
  /// The state is not one the policy can read.
  case invalidState(reason: String)
}

extension PolicyArtifactError: CustomStringConvertible {
  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .missingFile(let path):
      "\(path): the file is missing"
    case .malformedManifest(let path, let field, let reason):
      field.isEmpty ? "\(path): \(reason)" : "\(path), field \(field): \(reason)"
    case .unknownFormat(let path, let expected, let found):
      "\(path), field format: expected \"\(expected)\", found \"\(found)\""
    case .unknownFormatVersion(let path, let readable, let found):
      "\(path), field format_version: this program reads 1 to \(readable), found \(found)"
    case .invalidField(let path, let field, let expected, let found):
      "\(path), field \(field): expected \(expected), found \(found)"
    case .wrongSize(let path, let expected, let found):
      "\(path): expected \(expected) bytes, found \(found)"
    case .wrongHash(let path, let expected, let found):
      "\(path): expected the SHA-256 \(expected), found \(found)"
    case .invalidTensor(let path, let reason):
      "\(path): \(reason)"
    case .notStorable(let policy):
      "the policy \"\(policy)\" has no stored form"
    case .unknownVersion(let registry, let version, let known):
      """
      \(registry): there is no version "\(version)"; there \
      \(known.isEmpty ? "is none" : "are \(known.joined(separator: ", "))")
      """
    case .versionExists(let registry, let version):
      "\(registry): the version \"\(version)\" exists; versions are never overwritten"
    case .invalidVersionName(let name):
      """
      "\(name)" is no version name: expected 1 to 100 of a-z, A-Z, 0-9, '.', '_', '-', not \
      starting with '.'
      """
    case .nothingReleased(let registry):
      "\(registry): no policy was released"
    case .neverReleased(let registry, let version):
      "\(registry): the version \"\(version)\" was never released, so nobody met it"
    case .noEarlierRelease(let registry, let current):
      "\(registry): \"\(current)\" is the earliest release, there is nothing to roll back to"
    case .malformedPointer(let path, let reason):
      "\(path): \(reason)"
    case .malformedLedger(let path, let line, let reason):
      "\(path):\(line): \(reason)"
    case .invalidDecision(let policy, let reason):
      "the policy \"\(policy)\" decided no action: \(reason)"
    case .invalidState(let reason):
      "the state cannot be used: \(reason)"
    }
  }
}
