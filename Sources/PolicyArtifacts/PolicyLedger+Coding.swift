import DurableFiles

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension PolicyLedger {
  /// An entry as one line of JSON with sorted keys.
  ///
  /// - Throws: `EncodingError` for a number that JSON does not know.
  static func line(of entry: Entry) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(entry), as: UTF8.self)
  }

  /// The entry of a line.
  ///
  /// - Throws: `PolicyArtifactError.malformedLedger`, whatever the bytes.
  static func entry(
    _ bytes: [UInt8], _ path: String, line: Int
  ) throws(PolicyArtifactError) -> Entry {
    do {
      return try JSONFile.decode(Entry.self, from: bytes, path: "")
    } catch DurableFileError.malformed(_, let reason) {
      throw .malformedLedger(path: path, line: line, reason: reason)
    } catch {
      throw .malformedLedger(path: path, line: line, reason: "\(error)")
    }
  }
}

extension PolicyLedger.Entry: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, kind, version, source, prediction, observation
    case manifestSHA256 = "manifest_sha256"
    case recordedMilliseconds = "recorded_ms"
  }

  /// What a line tells, as its field `kind` names it.
  private enum Kind: String, Codable {
    case prediction
    case observation
  }

  /// Reads a line, refusing another schema.
  ///
  /// - Throws: `DecodingError` naming the field.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let schema = try container.decode(Int.self, forKey: .schema)
    guard schema == PolicyLedger.schema else {
      throw DecodingError.dataCorruptedError(
        forKey: .schema, in: container,
        debugDescription: "expected \(PolicyLedger.schema), found \(schema)")
    }
    version = try container.decode(String.self, forKey: .version)
    manifestSHA256 = try container.decode(String.self, forKey: .manifestSHA256)
    recordedMilliseconds = try container.decodeIfPresent(
      Int64.self, forKey: .recordedMilliseconds)
    source = try container.decode(String.self, forKey: .source)
    content =
      switch try container.decode(Kind.self, forKey: .kind) {
      case .prediction:
        .prediction(try container.decode(PolicyLedger.Prediction.self, forKey: .prediction))
      case .observation:
        .observation(try container.decode(PolicyLedger.Observation.self, forKey: .observation))
      }
  }

  /// Writes a line.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(PolicyLedger.schema, forKey: .schema)
    try container.encode(version, forKey: .version)
    try container.encode(manifestSHA256, forKey: .manifestSHA256)
    try container.encodeIfPresent(recordedMilliseconds, forKey: .recordedMilliseconds)
    try container.encode(source, forKey: .source)
    switch content {
    case .prediction(let prediction):
      try container.encode(Kind.prediction, forKey: .kind)
      try container.encode(prediction, forKey: .prediction)
    case .observation(let observation):
      try container.encode(Kind.observation, forKey: .kind)
      try container.encode(observation, forKey: .observation)
    }
  }
}
