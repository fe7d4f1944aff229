import Foundation
import Testing

/// What the binary says of itself: every verb with its flags, read from its own description.
struct VerbDescription: Sendable {
  /// The words that call it: `policy list`.
  let name: String
  /// Its flags and options, without help and version: `--registry`.
  let flags: [String]
  /// Those that must be given.
  let requiredFlags: [String]
  /// Its positional arguments.
  let positionals: [String]
  /// Whether it has verbs below it.
  let isGroup: Bool

  /// Every verb, groups too.
  static let all: [VerbDescription] = {
    do {
      let dump = try AmalgamProcess(["--experimental-dump-help"])
      let root = try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command
      return (root.subcommands ?? []).flatMap { collect($0, above: []) }
    } catch {
      Issue.record("\(error)")
      return []
    }
  }()

  private struct Dump: Decodable {
    struct Command: Decodable {
      let commandName: String
      let subcommands: [Command]?
      let arguments: [Argument]?
    }
    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
      }
      let kind: String
      let names: [Name]?
      let valueName: String?
      let isOptional: Bool
    }
    let command: Command
  }

  private static func collect(_ command: Dump.Command, above: [String]) -> [VerbDescription] {
    if command.commandName == "help" { return [] }
    let path = above + [command.commandName]
    let arguments = command.arguments ?? []
    let long = arguments.map { argument in
      (argument.names ?? []).filter { $0.kind == "long" }.map { "--\($0.name)" }
    }
    let own = zip(arguments, long).filter { _, names in
      !names.contains("--help") && !names.contains("--version")
    }
    let verb = VerbDescription(
      name: path.joined(separator: " "), flags: own.flatMap(\.1).sorted(),
      requiredFlags: own.filter { !$0.0.isOptional }.flatMap(\.1),
      positionals: arguments.filter { $0.kind == "positional" }.compactMap(\.valueName),
      isGroup: command.subcommands?.isEmpty == false)
    return [verb] + (command.subcommands ?? []).flatMap { collect($0, above: path) }
  }

  /// A call of the verb with something for all that it requires.
  var callWithPlaceholders: [String] {
    let words = name.split(separator: " ").map(String.init)
    // What the verbs themselves require of flags that the parser does not.
    let either = flags.contains("--policy") && flags.contains("--registry")
    let more = either ? ["--policy", "x"] : []
    let arms = flags.contains("--arm") ? ["--arm", "a=x", "--arm", "b=y"] : []
    let seen = flags.contains("--experiment") && flags.contains("--log") ? ["--log", "x"] : []
    return words + requiredFlags.flatMap { [$0, "placeholder"] } + more + arms + seen
      + positionals.map { _ in "x" }
  }
}

@Suite("help and exit statuses")
struct HelpTests {
  @Test("--help of every verb ends well and names every flag")
  func help() throws {
    #expect(VerbDescription.all.count >= 8)
    for verb in VerbDescription.all {
      let help = try AmalgamProcess(verb.name.split(separator: " ").map(String.init) + ["--help"])
      #expect(help.status == 0 && help.errors == "", "\(verb.name)")
      for flag in verb.flags { #expect(help.output.contains(flag), "\(verb.name) \(flag)") }
      for name in verb.positionals { #expect(help.output.contains("<\(name)>"), "\(verb.name)") }
    }
  }

  @Test("nothing, and a group alone, show what there is")
  func groups() throws {
    for arguments in [[], ["policy"]] {
      let shown = try AmalgamProcess(arguments)
      #expect(shown.status == 0)
      #expect(shown.output.contains("SUBCOMMANDS"))
    }
  }

  @Test("an unknown flag, an unknown verb and a missing argument are wrong usage, in every verb")
  func wrongUsage() throws {
    try AmalgamProcess(["polish"]).expectError(2, saying: "polish")
    try AmalgamProcess(["--loud"]).expectError(2, saying: "--loud")
    for verb in VerbDescription.all where !verb.isGroup {
      try AmalgamProcess(verb.callWithPlaceholders + ["--no-such-flag"])
        .expectError(2, saying: "--no-such-flag")
      if !verb.requiredFlags.isEmpty || !verb.positionals.isEmpty {
        let bare = try AmalgamProcess(verb.name.split(separator: " ").map(String.init))
        bare.expectError(2, saying: "Error: ", "Usage: amalgam \(verb.name)")
      }
    }
  }

  @Test("--version is a version")
  func version() throws {
    let version = try AmalgamProcess(["--version"])
    #expect(version.status == 0)
    #expect(version.output.firstMatch(of: /^\d+\.\d+\.\d+\n$/) != nil)
  }

  @Test("a configuration is refused by file, line and key, in every verb that takes one")
  func configurations() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("wrong.yaml")
    try Data("# none\nthisKeyIsUnknown: 1\n".utf8).write(to: URL(fileURLWithPath: path))
    // `simulate fit` reads its platform first: that is where its configuration begins.
    let verbs = VerbDescription.all.filter {
      $0.flags.contains("--config") && $0.name != "simulate fit"
    }
    #expect(!verbs.isEmpty)
    for verb in verbs {
      let call = verb.callWithPlaceholders
      try AmalgamProcess(call + ["--config", path])
        .expectError(2, saying: "error: \(path):2: unknown key 'thisKeyIsUnknown'", "expected one")
      try AmalgamProcess(call + ["--config", scratch.file("none.yaml")])
        .expectError(2, saying: "none.yaml: cannot be read")
      try AmalgamProcess(call + ["--set", "a.b"]).expectError(2, saying: "expected key.path=value")
    }
  }
}
