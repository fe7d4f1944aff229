import DurableFiles

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder of policy versions with one of them current.
///
///     registry/policies/VERSION/…     an artifact; written once, never changed
///     registry/current.json           every release and rollback so far, the last one counts
///     registry/ledger.jsonl           what was predicted of releases, and observed
///
/// The pointer is one file that is replaced in one step, so a reader finds the old or the next
/// current version and never none. Many may read; one process at a time may write.
public struct PolicyRegistry: Sendable {
  /// The registry's folder.
  public let folder: String

  /// One change of the current version.
  public struct Event: Sendable, Equatable, Codable {
    /// What was done.
    public enum Action: String, Sendable, Codable {
      case release
      case rollback
    }

    /// What was done.
    public var action: Action
    /// The version that was current afterwards.
    public var version: String
    /// The SHA-256 of its manifest, which in turn holds those of its other files: what is served
    /// is what was released.
    public var manifestSHA256: String

    enum CodingKeys: String, CodingKey {
      case action
      case version
      case manifestSHA256 = "manifest_sha256"
    }
  }

  /// A version of the registry.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public var version: String
    /// Its manifest.
    public var manifest: PolicyManifest
    /// Whether it is the current one.
    public var isCurrent: Bool
  }

  struct Pointer: Codable {
    var schema: Int
    var current: String?
    var events: [Event]
  }

  private static let pointerSchema = 1

  /// The registry in `folder`, which is created if it is not there.
  ///
  /// - Throws: `DurableFileError`.
  public init(folder: String) throws {
    self.folder = folder
    try DurableFiles.makeFolders("\(folder)/policies")
  }

  /// The names of all versions: v1, v2 … v10 by number, then others by name.
  ///
  /// - Throws: `DurableFileError`.
  public func versions() throws -> [String] {
    try DurableFiles.names(inFolder: "\(folder)/policies").sorted { a, b in
      switch (Self.number(of: a), Self.number(of: b)) {
      case (let x?, let y?): x != y ? x < y : a < b
      case (_?, nil): true
      case (nil, _?): false
      case (nil, nil): a < b
      }
    }
  }

  /// All versions with their manifests, in the order of `versions()`.
  ///
  /// - Throws: `PolicyArtifactError`, `DurableFileError`.
  public func list() throws -> [Entry] {
    let current = try current
    return try versions().map { version in
      let path = "\(path(of: version))/\(PolicyArtifact.manifestName)"
      guard DurableFiles.exists(path) else { throw PolicyArtifactError.missingFile(path: path) }
      return Entry(
        version: version,
        manifest: try PolicyArtifact.manifest(from: DurableFiles.read(path), path: path),
        isCurrent: version == current)
    }
  }

  /// The current version, or nil before the first release.
  ///
  /// - Throws: `PolicyArtifactError.malformedPointer`, `DurableFileError`.
  public var current: String? {
    get throws { try history().current }
  }

  /// Every release and rollback so far, oldest first.
  ///
  /// - Throws: `PolicyArtifactError.malformedPointer`, `DurableFileError`.
  public var events: [Event] {
    get throws { try history().events }
  }

  /// Stores an artifact, without releasing it.
  ///
  /// - Parameter version: its name; without one it is called v1, v2 … by the next free number.
  /// - Returns: its name.
  /// - Throws: `PolicyArtifactError.invalidVersionName`, `.versionExists`, `DurableFileError`; then
  ///   the registry is as it was.
  @discardableResult
  public func add(_ artifact: PolicyArtifact, as version: String? = nil) throws -> String {
    let known = try versions()
    let name = version ?? "v\((known.compactMap(Self.number).max() ?? 0) + 1)"
    try Self.checkName(name)
    guard !DurableFiles.exists(path(of: name)) else {
      throw PolicyArtifactError.versionExists(registry: folder, version: name)
    }
    try artifact.write(to: path(of: name))
    return name
  }

  /// Reads a version, with all checks of `PolicyArtifact.load`.
  ///
  /// - Throws: `PolicyArtifactError`, `DurableFileError`.
  public func load(_ version: String) throws -> PolicyArtifact {
    try requireVersion(version)
    return try PolicyArtifact.load(path(of: version))
  }

  /// Reads the current version.
  ///
  /// - Throws: `PolicyArtifactError.nothingReleased` and all that `load` throws.
  public func loadCurrent() throws -> PolicyArtifact {
    guard let event = try history().events.last else {
      throw PolicyArtifactError.nothingReleased(registry: folder)
    }
    let found = try manifestHash(of: event.version)
    guard found == event.manifestSHA256 else {
      throw PolicyArtifactError.wrongHash(
        path: "\(path(of: event.version))/\(PolicyArtifact.manifestName)",
        expected: event.manifestSHA256, found: found)
    }
    return try load(event.version)
  }

  /// Makes a version the current one, after reading and checking it; what is predicted of it goes
  /// into the ledger first, so that nothing is released without.
  ///
  /// A version that is current already stays so, and nothing is written.
  ///
  /// - Parameters:
  ///   - prediction: what is predicted of it and where that stands; the evaluation records of its
  ///     manifest if absent.
  ///   - recordedMilliseconds: the time, since 1970.
  /// - Throws: all that `load` and `PolicyLedger.append` throw; then the current version stays.
  public func release(
    _ version: String, prediction: (PolicyLedger.Prediction, source: String)? = nil,
    recordedMilliseconds: Int64? = nil
  ) throws {
    let artifact = try load(version)
    let pointer = try history()
    guard pointer.current != version else { return }
    let (known, source) = prediction ?? (artifact.manifest.prediction, "manifest")
    try ledger.append(
      PolicyLedger.Entry(
        version: version, manifestSHA256: try manifestHash(of: version),
        recordedMilliseconds: recordedMilliseconds, source: source, content: .prediction(known)))
    try write(pointer, adding: .release, of: version)
  }

  /// Goes back to the release before the current one: one step a call.
  ///
  /// After releases A, B, C two calls lead to B, then A; a release of D then stands upon A.
  ///
  /// - Returns: the version that is current afterwards.
  /// - Throws: `PolicyArtifactError.nothingReleased`, `.noEarlierRelease`, and all that `load`
  ///   throws for the earlier version; then the current version stays.
  @discardableResult
  public func rollback() throws -> String {
    let pointer = try history()
    guard let current = pointer.current else {
      throw PolicyArtifactError.nothingReleased(registry: folder)
    }
    let releases = Self.standing(pointer.events)
    guard releases.count >= 2 else {
      throw PolicyArtifactError.noEarlierRelease(registry: folder, current: current)
    }
    let earlier = releases[releases.count - 2]
    _ = try load(earlier)
    try write(pointer, adding: .rollback, of: earlier)
    return earlier
  }

  /// Where a version lies.
  public func path(of version: String) -> String { "\(folder)/policies/\(version)" }

  /// The releases that were not rolled back, oldest first; the last one is current.
  private static func standing(_ events: [Event]) -> [String] {
    var releases: [String] = []
    for event in events {
      switch event.action {
      case .release: releases.append(event.version)
      case .rollback: _ = releases.popLast()
      }
    }
    return releases
  }

  private var pointerPath: String { "\(folder)/current.json" }

  func history() throws -> Pointer {
    guard DurableFiles.exists(pointerPath) else {
      return Pointer(schema: Self.pointerSchema, current: nil, events: [])
    }
    let pointer: Pointer
    do {
      pointer = try JSONFile.read(Pointer.self, from: pointerPath)
    } catch DurableFileError.malformed(let place, let reason) {
      throw PolicyArtifactError.malformedPointer(path: place, reason: reason)
    }
    guard pointer.schema == Self.pointerSchema else {
      throw PolicyArtifactError.malformedPointer(
        path: pointerPath,
        reason: "field schema: expected \(Self.pointerSchema), found \(pointer.schema)")
    }
    guard pointer.current == Self.standing(pointer.events).last else {
      throw PolicyArtifactError.malformedPointer(
        path: pointerPath, reason: "field current: contradicts the events")
    }
    return pointer
  }

  private func write(
    _ pointer: Pointer, adding action: Event.Action, of version: String
  ) throws {
    var pointer = pointer
    pointer.current = version
    pointer.events.append(
      Event(action: action, version: version, manifestSHA256: try manifestHash(of: version)))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try DurableFiles.write(
      Array(try encoder.encode(pointer)) + [UInt8(ascii: "\n")], to: pointerPath)
  }

  /// The SHA-256 of the manifest of the current version, in hexadecimal digits; nil before a release.
  ///
  /// - Throws: `PolicyArtifactError.malformedPointer`, `DurableFileError`.
  public var currentManifestSHA256: String? {
    get throws { try history().events.last?.manifestSHA256 }
  }

  func manifestHash(of version: String) throws -> String {
    let path = "\(path(of: version))/\(PolicyArtifact.manifestName)"
    guard DurableFiles.exists(path) else { throw PolicyArtifactError.missingFile(path: path) }
    return sha256(of: try DurableFiles.read(path))
  }

  func requireVersion(_ version: String) throws {
    try Self.checkName(version)
    guard DurableFiles.exists(path(of: version)) else {
      throw PolicyArtifactError.unknownVersion(
        registry: folder, version: version, known: try versions())
    }
  }

  private static func checkName(_ name: String) throws(PolicyArtifactError) {
    let isName =
      (1...100).contains(name.utf8.count) && !name.hasPrefix(".")
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
    guard isName else { throw .invalidVersionName(name) }
  }

  /// The number n of a version called vn.
  private static func number(of version: String) -> Int? {
    version.hasPrefix("v") ? Int(version.dropFirst()).flatMap { $0 > 0 ? $0 : nil } : nil
  }
}
