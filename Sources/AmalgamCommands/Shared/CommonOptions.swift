import ArgumentParser
import Foundation

/// Flags that every verb shares.
struct CommonOptions: ParsableArguments {
  @Option(name: .long, help: "A YAML file; absent keys keep their defaults.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Override one key of the configuration.", valueName: "key.path=value"))
  var assignments: [String] = []

  @Flag(name: .long, help: "Print the result as JSON for machines.")
  var json = false

  /// The configuration: defaults, then the file, then `--set` in order.
  ///
  /// - Throws: `CommandFailure.usage` naming file, line and key.
  func configuration<Configuration: Codable>(
    _ defaults: Configuration
  ) throws -> Configuration {
    var result = defaults
    if let config { result = try ConfigurationFile.load(result, from: config) }
    for assignment in assignments { result = try ConfigurationFile.set(result, assignment) }
    return result
  }
}

/// Output for machines.
enum MachineOutput {
  /// A value as one JSON document with sorted keys.
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Prints a value as one JSON document with sorted keys.
  static func print(_ value: some Encodable) throws {
    Swift.print(try text(value), terminator: "")
  }
}
