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
    guard let base = try Yams.compose(yaml: text(of: defaults)) else { return defaults }
    let merged = try merge(base, node, path: [], source: source)
    let result: Configuration
    do {
      result = try YAMLDecoder().decode(Configuration.self, from: Yams.serialize(node: merged))
    } catch let error as DecodingError {
      throw CommandFailure.usage(explain(error, in: node, source: source))
    }
    // What was read and is not written again is a key that nobody knows.
    do {
      if let known = try Yams.compose(yaml: text(of: result)) {
        try refuseUnknownKeys(node, base, known, path: [], source: source)
      }
    } catch EncodingError.invalidValue(let value, let context) {
      // JSON, which a run keeps its configuration in, has no infinity and no NaN.
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw CommandFailure.usage("\(source): \(key): expected a finite number, found \(value)")
    }
    return result
  }

  /// The configuration as YAML that `load` reads again, with its keys in their order and every
  /// number as the shortest decimals that read back as the same bits.
  package static func text(of configuration: some Encodable) throws -> String {
    let yaml = try YAMLEncoder().encode(configuration)
    // Yams writes a Float as the Double that it is; JSON has its shortest decimals.
    let json = String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
    guard let ordered = try Yams.compose(yaml: yaml), let exact = try Yams.compose(yaml: json)
    else { return yaml }
    return try Yams.serialize(node: taking(scalarsOf: exact, ordered), width: -1)
  }

  private static func taking(scalarsOf exact: Node, _ ordered: Node) -> Node {
    switch (ordered, exact) {
    case (.mapping(var members), .mapping(let others)):
      for (key, value) in members {
        members[key] = others[key].map { taking(scalarsOf: $0, value) } ?? value
      }
      return .mapping(members)
    case (.sequence(let items), .sequence(let others)) where items.count == others.count:
      let taken = zip(items, others).map { taking(scalarsOf: $1, $0) }
      return .sequence(Node.Sequence(taken, .implicit, .flow))
    case (.scalar(let scalar), .scalar(let other)) where Double(scalar.string) != nil:
      return .scalar(other)
    default: return ordered
    }
  }

  /// `overlay` with one `key.path=value` pair, as `--set training.steps=100` gives it; `flag` names
  /// it in errors.
  package static func set<Configuration: Codable>(
    _ configuration: Configuration, _ assignment: String, flag: String = "--set"
  ) throws -> Configuration {
    guard let equals = assignment.firstIndex(of: "=") else {
      throw CommandFailure.usage("\(flag) \(assignment): expected key.path=value")
    }
    let keys = assignment[..<equals].split(separator: ".", omittingEmptySubsequences: false)
    let value = String(assignment[assignment.index(after: equals)...])
    guard keys.allSatisfy({ !$0.isEmpty }) else {
      throw CommandFailure.usage("\(flag) \(assignment): expected key.path=value")
    }
    var yaml = ""
    for (depth, key) in keys.enumerated() {
      let indent = String(repeating: "  ", count: depth)
      yaml += indent + key + ":" + (depth == keys.count - 1 ? " \(value)\n" : "\n")
    }
    return try overlay(configuration, yaml: yaml, source: "\(flag) \(assignment)")
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
      known[key] =
        try known[key].map {
          try merge($0, value, path: path + [key.string ?? ""], source: source)
        } ?? value
    }
    return .mapping(known)
  }

  /// Checks that every key of `given` stands in `base`, the defaults, or in `read`, what was made
  /// of it: an optional key without a default stands only there.
  private static func refuseUnknownKeys(
    _ given: Node, _ base: Node?, _ read: Node?, path: [String], source: String
  ) throws {
    if case .sequence(let items) = given {
      for (index, item) in items.enumerated() {
        let other = read?.sequence.flatMap { index < $0.count ? $0[index] : nil }
        try refuseUnknownKeys(item, nil, other, path: path + ["\(index)"], source: source)
      }
    }
    guard case .mapping(let members) = given, base?.mapping ?? read?.mapping != nil else { return }
    let place = path.isEmpty ? "the configuration" : path.joined(separator: ".")
    for (key, value) in members {
      let name = key.string ?? ""
      let (inBase, inRead) = (base?.mapping?[key], read?.mapping?[key])
      guard inBase != nil || inRead != nil else {
        let known = (read?.mapping ?? base?.mapping)?.keys.compactMap(\.string).sorted() ?? []
        throw CommandFailure.usage(
          "\(location(key, source)): unknown key '\(name)' in \(place); "
            + "expected one of: \(known.joined(separator: ", "))")
      }
      try refuseUnknownKeys(value, inBase, inRead, path: path + [name], source: source)
    }
  }

  private static func location(_ node: Node, _ source: String) -> String {
    // One assignment has no lines to tell apart.
    guard !source.hasPrefix("--"), let mark = node.mark else { return source }
    return "\(source):\(mark.line)"
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
