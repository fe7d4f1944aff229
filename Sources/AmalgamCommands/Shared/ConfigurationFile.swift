import Foundation
import Yams

/// Reads YAML configurations strictly: absent keys keep their defaults, unknown keys are errors.
package enum ConfigurationFile {
  /// Overlays the YAML file at `path` on `defaults`.
  ///
  /// - Throws: `CommandFailure.usage` naming file, line and key.
  package static func load<Configuration: Codable>(
    _ defaults: Configuration, from path: String
  ) throws -> Configuration {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw CommandFailure.usage("\(path): cannot be read: \(error.localizedDescription)")
    }
    return try overlay(defaults, yaml: text, source: path)
  }

  /// Overlays YAML text on `defaults`; `source` names it in errors.
  package static func overlay<Configuration: Codable>(
    _ defaults: Configuration, yaml: String, source: String
  ) throws -> Configuration {
    let node: Node?
    do {
      node = try Yams.compose(yaml: yaml)
    } catch let error as YamlError {
      throw CommandFailure.usage("\(source): not valid YAML: \(error)")
    }
    guard let node, node.null == nil else { return defaults }
    let encoded = try YAMLEncoder().encode(defaults)
    guard let base = try Yams.compose(yaml: encoded) else { return defaults }
    let merged = try merge(base, node, path: [], source: source)
    do {
      return try YAMLDecoder().decode(Configuration.self, from: Yams.serialize(node: merged))
    } catch let error as DecodingError {
      throw CommandFailure.usage(explain(error, in: node, source: source))
    }
  }

  /// `overlay` with one `key.path=value` pair, as `--set training.steps=100` gives it.
  package static func set<Configuration: Codable>(
    _ configuration: Configuration, _ assignment: String
  ) throws -> Configuration {
    guard let equals = assignment.firstIndex(of: "=") else {
      throw CommandFailure.usage("--set \(assignment): expected key.path=value")
    }
    let keys = assignment[..<equals].split(separator: ".").map(String.init)
    let value = String(assignment[assignment.index(after: equals)...])
    guard !keys.isEmpty else {
      throw CommandFailure.usage("--set \(assignment): expected key.path=value")
    }
    var yaml = ""
    for (depth, key) in keys.enumerated() {
      let indent = String(repeating: "  ", count: depth)
      yaml += indent + key + ":" + (depth == keys.count - 1 ? " \(value)\n" : "\n")
    }
    return try overlay(configuration, yaml: yaml, source: "--set \(assignment)")
  }

  private static func merge(
    _ base: Node, _ overlay: Node, path: [String], source: String
  ) throws -> Node {
    guard case .mapping(var known) = base else { return overlay }
    let place = path.isEmpty ? "the configuration" : path.joined(separator: ".")
    guard case .mapping(let given) = overlay else {
      throw CommandFailure.usage("\(location(overlay, source)): \(place): expected keys and values")
    }
    for (key, value) in given {
      let name = key.string ?? ""
      guard let current = known[key] else {
        let expected = known.keys.compactMap(\.string).sorted().joined(separator: ", ")
        throw CommandFailure.usage(
          "\(location(key, source)): unknown key '\(name)' in \(place); "
            + "expected one of: \(expected)")
      }
      known[key] = try merge(current, value, path: path + [name], source: source)
    }
    return .mapping(known)
  }

  private static func location(_ node: Node, _ source: String) -> String {
    node.mark.map { "\(source):\($0.line)" } ?? source
  }

  private static func explain(_ error: DecodingError, in root: Node, source: String) -> String {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return "\(source): \(error)"
    }
    var node = root
    for key in context.codingPath {
      if let index = key.intValue, let sequence = node.sequence, index < sequence.count {
        node = sequence[index]
      } else if let next = node.mapping?[Node(key.stringValue)] {
        node = next
      }
    }
    let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
    let found = node.scalar.map { "'\($0.string)'" } ?? "a list or mapping"
    return "\(location(node, source)): \(keys): found \(found); \(context.debugDescription)"
  }
}
