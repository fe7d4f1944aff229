import AmalgamCommands
import Testing

private struct Sample: Codable, Equatable {
  struct Training: Codable, Equatable {
    var steps = 300_000
    var hidden = [256, 256]
  }
  var seed = 1
  var label: String? = nil
  var training = Training()
}

@Suite("configuration files")
struct ConfigurationFileTests {
  @Test("absent keys keep their defaults")
  func overlaysDefaults() throws {
    let yaml = "training:\n  steps: 10\n"
    let read = try ConfigurationFile.overlay(Sample(), yaml: yaml, source: "a.yaml")
    #expect(read.training.steps == 10)
    #expect(read.training.hidden == [256, 256])
    #expect(read.seed == 1)
  }

  @Test("an empty file is the defaults")
  func emptyFile() throws {
    #expect(try ConfigurationFile.overlay(Sample(), yaml: "", source: "a.yaml") == Sample())
  }

  @Test("an unknown key is named with its line and the keys that exist")
  func unknownKey() {
    let yaml = "seed: 2\ntraining:\n  step: 10\n"
    let error = #expect(throws: CommandFailure.self) {
      try ConfigurationFile.overlay(Sample(), yaml: yaml, source: "a.yaml")
    }
    #expect(error?.kind == .usage)
    #expect(
      error?.description
        == "a.yaml:3: unknown key 'step' in training; expected one of: hidden, steps")
  }

  @Test("a value of the wrong type is named with file, line, key and what was found")
  func wrongType() {
    let error = #expect(throws: CommandFailure.self) {
      try ConfigurationFile.overlay(
        Sample(), yaml: "seed: 2\ntraining:\n  steps: many\n", source: "a.yaml")
    }
    #expect(error?.description.hasPrefix("a.yaml:3: training.steps: found 'many'") == true)
  }

  @Test("broken YAML is a usage error that names the file")
  func brokenYAML() {
    let error = #expect(throws: CommandFailure.self) {
      try ConfigurationFile.overlay(Sample(), yaml: "seed: [1\n", source: "a.yaml")
    }
    #expect(error?.description.hasPrefix("a.yaml: not valid YAML") == true)
  }

  @Test("--set changes one nested key and refuses an unknown one")
  func setsOneKey() throws {
    #expect(try ConfigurationFile.set(Sample(), "training.steps=7").training.steps == 7)
    #expect(try ConfigurationFile.set(Sample(), "training.hidden=[3]").training.hidden == [3])
    #expect(throws: CommandFailure.self) { try ConfigurationFile.set(Sample(), "training.x=7") }
    #expect(throws: CommandFailure.self) { try ConfigurationFile.set(Sample(), "training") }
  }
}

/// Lists of objects, optional keys, and text that looks like something else.
private struct Nested: Codable, Equatable {
  struct Arm: Codable, Equatable {
    var name = ""
    var share = 0.5
    var days: Int?
  }
  struct Limits: Codable, Equatable {
    var low = -1.5
    var high: Float = 0.1
  }
  var arms = [Arm(name: "control")]
  var limits = Limits()
  var memory: Int?
  var shares = [0.25, 0.75]
  var label = "none"
}

@Suite("nested configurations")
struct NestedConfigurationTests {
  private func message(_ yaml: String) -> String {
    let error = #expect(throws: CommandFailure.self) {
      try ConfigurationFile.overlay(Nested(), yaml: yaml, source: "a.yaml")
    }
    #expect(error?.kind == .usage)
    return error?.description ?? ""
  }

  @Test("lists are replaced whole, and optional keys without a default can be set")
  func listsAndOptionals() throws {
    let yaml = """
      memory: 300
      arms:
        - {name: a, share: 0.25}
        - {name: b, share: 0.75, days: 3}
      """
    let read = try ConfigurationFile.overlay(Nested(), yaml: yaml, source: "a.yaml")
    #expect(read.memory == 300)
    #expect(
      read.arms == [
        Nested.Arm(name: "a", share: 0.25), Nested.Arm(name: "b", share: 0.75, days: 3),
      ])
    #expect(read.limits == Nested.Limits())
    #expect(try ConfigurationFile.set(Nested(), "memory=5").memory == 5)
  }

  @Test("an unknown key in an object of a list is named with its line")
  func unknownKeyInList() {
    let found = message("arms:\n  - {name: a, share: 1}\n  - {name: b, share: 1, day: 3}\n")
    #expect(
      found.hasPrefix("a.yaml:3: unknown key 'day' in arms.1; expected one of: name, share"))
  }

  @Test("a value where keys belong, keys where a value belongs, a list where a number belongs")
  func wrongNesting() {
    #expect(message("limits: 3\n") == "a.yaml:1: limits: expected keys and values")
    #expect(message("- limits\n") == "a.yaml:1: the configuration: expected keys and values")
    #expect(message("limits:\n  low:\n    x: 1\n").hasPrefix("a.yaml:3: limits.low: found a list"))
    #expect(message("label: [a]\n").hasPrefix("a.yaml:1: label: found a list"))
    #expect(message("shares: 0.5\n").hasPrefix("a.yaml:1: shares: found '0.5'"))
    #expect(message("shares: [0.5, half]\n").hasPrefix("a.yaml:1: shares."))
    #expect(message("memory: 1.5\n").hasPrefix("a.yaml:1: memory: found '1.5'"))
  }

  @Test("a key that stands twice is refused")
  func duplicateKeys() {
    #expect(message("label: a\nlabel: b\n").hasPrefix("a.yaml: not valid YAML: "))
    #expect(message("limits:\n  low: 1\n  low: 2\n").contains("low"))
  }

  @Test("--set names no line, and refuses empty keys")
  func assignments() {
    for (assignment, expected) in [
      ("limits.middle=1", "--set limits.middle=1: unknown key 'middle' in limits"),
      ("limits..low=1", "--set limits..low=1: expected key.path=value"),
      (".low=1", "--set .low=1: expected key.path=value"),
      ("=1", "--set =1: expected key.path=value"),
      ("limits=1", "--set limits=1: limits: expected keys and values"),
      ("limits.low=[1", "--set limits.low=[1: not valid YAML"),
      ("limits.low.x=1", "--set limits.low.x=1: limits.low: found a list or mapping"),
    ] {
      let error = #expect(throws: CommandFailure.self) {
        try ConfigurationFile.set(Nested(), assignment)
      }
      #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
      #expect(error?.kind == .usage)
    }
  }

  @Test("a configuration written as text is read again, its numbers in their shortest form")
  func roundTrip() throws {
    var changed = Nested()
    changed.limits = Nested.Limits(low: 1e-7, high: 0.95)
    changed.label = "7"
    changed.arms[0].days = 12
    let text = try ConfigurationFile.text(of: changed)
    #expect(try ConfigurationFile.overlay(Nested(), yaml: text, source: "a.yaml") == changed)
    #expect(text.contains("high: 0.95\n"))
    #expect(text.contains("shares: [0.25, 0.75]\n"))
  }
}
