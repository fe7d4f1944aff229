import AmalgamCommands
import Foundation
import Testing
import UserSimulator

@Suite("Docs/Commands.md")
struct CommandsPageTests {
  private let page: DocumentationPage

  init() throws { page = try DocumentationPage("Commands.md") }

  /// The section of each verb, by the verb's name.
  private var sections: [String: String] {
    var found: [String: String] = [:]
    for part in page.text.components(separatedBy: "\n## `amalgam ").dropFirst() {
      found[String(part.prefix { $0 != "`" })] = part
    }
    return found
  }

  /// The rows of a section's tables: the first cell's first code, and the second cell.
  private func rows(_ section: String) -> [(name: String, value: String)] {
    section.matches(of: /\n\| `([^`]+)`[^|]*\| ([^|]*) \|/).map { (String($0.1), String($0.2)) }
  }

  @Test("there is one section a verb, and none without a verb")
  func verbs() {
    let verbs = VerbDescription.all.map(\.name)
    #expect(verbs.count >= 10)
    #expect(sections.keys.sorted() == verbs.sorted())
  }

  @Test("each section tells exactly the flags and arguments of its verb")
  func flags() {
    for verb in VerbDescription.all where !verb.isGroup {
      let rows = rows(sections[verb.name] ?? "")
      let told = rows.map(\.name).filter { $0.hasPrefix("--") }
      #expect(told.sorted() == verb.flags, "amalgam \(verb.name)")
      #expect(
        rows.map(\.name).filter { $0.hasPrefix("<") } == verb.positionals.map { "<\($0)>" },
        "amalgam \(verb.name)")
      for row in rows where row.name.hasPrefix("--") {
        let isRequired = verb.requiredFlags.contains(row.name)
        #expect((row.value == "required") == isRequired, "amalgam \(verb.name) \(row.name)")
      }
    }
  }

  /// The keys of a configuration as YAML, with their values: `training.steps`.
  private func keys(_ yaml: String) -> [(name: String, value: String)] {
    var found: [(String, String)] = []
    var path: [Substring] = []
    for line in yaml.split(separator: "\n") {
      let depth = line.prefix { $0 == " " }.count / 2
      let pair = line.drop { $0 == " " }.split(separator: ":", maxSplits: 1)
      path = path.prefix(depth) + [pair[0]]
      guard pair.count == 2 else { continue }
      let value = pair[1].trimmingCharacters(in: .whitespaces)
      found.append((path.joined(separator: "."), value))
    }
    return found
  }

  @Test("each section tells exactly the configuration keys of its verb, with their defaults")
  func configurations() throws {
    for verb in VerbDescription.all where verb.flags.contains("--print-config") {
      let yaml: String
      if verb.name == "simulate fit" {
        // Its configuration is that of the platform it is given; the keys are the same.
        yaml = try ConfigurationFile.text(of: Assumptions())
      } else {
        let printed = try AmalgamProcess(verb.callWithPlaceholders + ["--print-config"])
        #expect(printed.status == 0, "amalgam \(verb.name): \(printed.errors)")
        yaml = printed.output
      }
      var known = keys(yaml)
      // The learners' keys stand once, at `train`; elsewhere one row leads there.
      if verb.name != "train", known.contains(where: { $0.name.hasPrefix("learners.") }) {
        known.removeAll { $0.name.hasPrefix("learners.") }
        known.append(("learners.*", ""))
      }
      let told = rows(sections[verb.name] ?? "").filter { !"-<".contains($0.name.prefix(1)) }
      #expect(told.map(\.name).sorted() == known.map(\.name).sorted(), "amalgam \(verb.name)")
      // Presets differ in most values; the page tells how to print them.
      if verb.name == "reproduce" { continue }
      let defaults = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0.value) })
      for row in told where defaults[row.name].map({ $0.count <= 60 }) ?? true {
        #expect(
          row.value == "`\(defaults[row.name] ?? "")`", "amalgam \(verb.name), key \(row.name)")
      }
    }
  }
}
