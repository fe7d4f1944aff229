import Foundation

/// Reads JSON files and says in words for people what is wrong with one, and where.
package enum JSONFile {
  /// Reads a file of one JSON value, whose keys are in snake case if so told.
  ///
  /// - Throws: `DurableFileError`; what cannot be decoded is `.malformed` with the file and the line
  ///   of broken JSON, or the file and the field with what was expected and found there.
  package static func read<Value: Decodable>(
    _ type: Value.Type, from path: String, inSnakeCase: Bool = false
  ) throws -> Value {
    try decode(type, from: DurableFiles.read(path), path: path, inSnakeCase: inSnakeCase)
  }

  /// Decodes one JSON value from bytes; `path` names them in errors.
  ///
  /// - Throws: as `read`.
  package static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8], path: String, inSnakeCase: Bool = false
  ) throws -> Value {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    if inSnakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
    do {
      return try decoder.decode(type, from: data)
    } catch let error as DecodingError {
      if let (line, reason) = brokenLine(in: data) {
        throw DurableFileError.malformed(
          path: line.map { "\(path):\($0)" } ?? path, reason: "not valid JSON: \(reason)")
      }
      throw DurableFileError.malformed(path: path, reason: error.summary)
    }
  }

  /// Why bytes are no JSON, and on which line where the parser knows it; nil if they are JSON.
  private static func brokenLine(in data: Data) -> (line: Int?, reason: String)? {
    do {
      _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      return nil
    } catch {
      let detail = (error as NSError).userInfo["NSDebugDescription"] as? String
      let reason = detail ?? error.localizedDescription
      // The parser counts characters; people look for lines.
      guard let match = reason.firstMatch(of: /(.*) around character (\d+)/),
        let position = Int(match.2), position <= data.count
      else { return (nil, reason) }
      let line = 1 + data.prefix(position).count { $0 == UInt8(ascii: "\n") }
      return (line, "\(match.1) at byte \(position)")
    }
  }
}

extension DecodingError {
  /// The error in one sentence for people: the field by its keys and indices, what was expected
  /// there and what was found.
  package var summary: String {
    switch self {
    case .keyNotFound(let key, let context):
      "\(context.place): key '\(key.stringValue)' is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(context.place): \(context.contrast(to: type))"
    case .dataCorrupted(let context):
      // Foundation says this, without a place, of a number that its type cannot hold.
      context.debugDescription == "The given data was not valid JSON."
        ? "a number does not fit its field (too large, or a fraction for a whole number)"
        : "\(context.place): \(context.debugDescription)"
    @unknown default: "\(self)"
    }
  }
}

extension DecodingError.Context {
  /// Where it is: `fit.intercepts[3]`.
  fileprivate var place: String {
    let keys = codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
    return keys.isEmpty ? "top level" : String(keys.joined().drop { $0 == "." })
  }

  /// Expected and found, without the names of Swift's types where there are words for them.
  fileprivate func contrast(to type: any Any.Type) -> String {
    let expected: String? =
      switch type {
      case is any BinaryInteger.Type: "a whole number"
      case is any BinaryFloatingPoint.Type: "a number"
      case is String.Type: "a text"
      case is Bool.Type: "true or false"
      case is [Any].Type: "a list"
      case is [String: Any].Type: "an object"
      default: nil
      }
    guard let expected,
      let found = debugDescription.firstMatch(of: /found (.+?)(?: value)? instead/)
    else { return debugDescription }
    return "expected \(expected), found \(found.1)"
  }
}
