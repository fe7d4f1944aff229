import DurableFiles
package import Foundation

/// Writes and reads `results.json`.
package enum ResultsFile {
  /// The text of `results`: keys in the order of the documented layout, every number finite.
  /// - Throws: `ResultsError` naming the place of a number that is not finite.
  package static func text(of results: ReproductionResults) throws(ResultsError) -> String {
    for (index, action) in results.actions.enumerated()
    where action.edges.count != action.counts.count + 1 {
      throw .wrongHistogram(
        path: "actions[\(index)].histogram", edges: action.edges.count,
        counts: action.counts.count)
    }
    return try results.json.rendered() + "\n"
  }

  /// Writes `results` so that a reader sees the old file or the whole new one.
  /// - Throws: `ResultsError`, or the file system's error.
  package static func write(_ results: ReproductionResults, to path: String) throws {
    try DurableFiles.write(text(of: results), to: path)
  }

  /// Reads the file at `path`.
  /// - Throws: `ResultsError` naming the file, the place, what was expected and what was found.
  package static func read(_ path: String) throws -> ReproductionResults {
    try results(from: Data(contentsOf: URL(fileURLWithPath: path)), named: path)
  }

  /// Reads the bytes of a file called `name`.
  /// - Throws: `ResultsError`; an unknown key, a missing key and a wrong kind are all errors.
  package static func results(
    from data: Data, named name: String
  ) throws(ResultsError) -> ReproductionResults {
    do {
      return try JSONDecoder().decode(ReproductionResults.self, from: data)
    } catch let error as StrictDecodingError {
      switch error {
      case .unknownKey(let path, let key):
        throw .unknownKey(file: name, path: place(path), key: key)
      case .unknownSchema(let found):
        throw .unknownSchema(file: name, found: found)
      }
    } catch let error as DecodingError {
      switch error {
      case .keyNotFound(let key, let context):
        throw .missingKey(file: name, path: place(context.codingPath), key: key.stringValue)
      case .typeMismatch(_, let context), .valueNotFound(_, let context):
        throw .wrongValue(
          file: name, path: place(context.codingPath), expected: context.debugDescription)
      case .dataCorrupted(let context):
        if context.codingPath.isEmpty {
          throw .notJSON(file: name, reason: "\(context.debugDescription)")
        }
        throw .wrongValue(
          file: name, path: place(context.codingPath), expected: context.debugDescription)
      @unknown default:
        throw .notJSON(file: name, reason: "\(error)")
      }
    } catch {
      throw .notJSON(file: name, reason: "\(error)")
    }
  }

  private static func place(_ path: [any CodingKey]) -> String {
    guard !path.isEmpty else { return "top level" }
    var text = ""
    for key in path {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return text
  }
}
