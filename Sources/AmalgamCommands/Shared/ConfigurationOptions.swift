import ArgumentParser
import Foundation

/// Flags that every verb shares.
struct ConfigurationOptions: ParsableArguments {
  @Option(name: .long, help: "A YAML file; absent keys keep their defaults.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Override one key of the configuration.", valueName: "key.path=value"))
  var assignments: [String] = []

  @Flag(name: .long, help: "Print the result as JSON for machines.")
  var json = false

  @Flag(name: .long, help: "Print the configuration that results, as YAML, and stop.")
  var printConfig = false

  /// The configuration: defaults, then the file, then `--set` in order.
  ///
  /// - Throws: `CommandFailure.usage` naming file, line and key; with `--print-config` a clean exit
  ///   that prints it, so ask for the configuration before anything is done.
  func configuration<Configuration: Codable>(
    _ defaults: Configuration
  ) throws -> Configuration {
    var result = defaults
    if let config { result = try ConfigurationFile.load(result, from: config) }
    for assignment in assignments { result = try ConfigurationFile.set(result, assignment) }
    if printConfig {
      let text = try ConfigurationFile.text(of: result)
      throw CleanExit.message(text.trimmingCharacters(in: .newlines))
    }
    return result
  }
}
