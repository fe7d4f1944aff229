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
