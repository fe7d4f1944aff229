/// What is wrong with results that are to be written or were read.
package enum ResultsError: Error, Equatable, CustomStringConvertible {
  /// A number that JSON cannot hold.
  case notFinite(path: String, found: Double)
  /// The text is not JSON.
  case notJSON(file: String, reason: String)
  /// The file has another layout version.
  case unknownSchema(file: String, found: Int)
  /// A key that the layout does not have.
  case unknownKey(file: String, path: String, key: String)
  /// A key that the layout has and the file lacks.
  case missingKey(file: String, path: String, key: String)
  /// A value of the wrong kind.
  case wrongValue(file: String, path: String, expected: String)
  /// A histogram whose edges do not fit its counts.
  case wrongHistogram(path: String, edges: Int, counts: Int)

  /// One line that names the file, the place, what was expected and what was found.
  package var description: String {
    switch self {
    case .notFinite(let path, let found):
      "results, \(path): expected a finite number, found \(found)"
    case .notJSON(let file, let reason):
      "\(file): expected JSON: \(reason)"
    case .unknownSchema(let file, let found):
      "\(file): expected \"schema\" \(ReproductionResults.schema), found \(found)"
    case .unknownKey(let file, let path, let key):
      "\(file), \(path): unknown key \"\(key)\""
    case .missingKey(let file, let path, let key):
      "\(file), \(path): expected the key \"\(key)\""
    case .wrongValue(let file, let path, let expected):
      "\(file), \(path): \(expected)"
    case .wrongHistogram(let path, let edges, let counts):
      "results, \(path): expected \(counts + 1) edges for \(counts) counts, found \(edges)"
    }
  }
}
