#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A value of a configuration as JSON holds it: what a learner was configured with is kept in its
/// artifact for people and reports, without this module knowing any learner.
public enum ConfigurationValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([ConfigurationValue])
  case object([String: ConfigurationValue])

  /// The value that `configuration` encodes to.
  ///
  /// - Throws: `EncodingError` if it does not encode to JSON (a NaN, say).
  public init(encoding configuration: some Encodable) throws {
    let data = try JSONEncoder().encode(configuration)
    self = try JSONDecoder().decode(ConfigurationValue.self, from: data)
  }

  /// The value at a key, if this is an object that has it.
  public subscript(key: String) -> ConfigurationValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  /// The value as a number, if it is one.
  public var numericValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .null, .boolean, .text, .list, .object: nil
    }
  }
}

extension ConfigurationValue: Codable {
  /// Reads any JSON value; whole numbers become integers.
  ///
  /// - Throws: `DecodingError` for what is no JSON value.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([ConfigurationValue].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: ConfigurationValue].self))
    }
  }

  /// Writes the JSON value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }
}
