import Testing

@Suite("documents")
struct DocumentationTests {
  private let readme: Repository.File
  private let verbs: [(verb: String, file: String)]

  init() throws {
    readme = try Repository.file("README.md")
    verbs = try Repository.files(under: "Sources/AmalgamCommands", ending: ["Command.swift"])
      .flatMap { file in
        file.text.matches(of: /commandName: "([^"]+)"/).map { (String($0.1), file.path) }
      }
  }

  @Test("every verb of the command line is told in the README")
  func verbsAreTold() {
    #expect(!verbs.isEmpty)
    for (verb, file) in verbs {
      #expect(
        readme.text.contains("`amalgam \(verb)") || readme.text.contains("`\(verb)`"),
        "README.md does not name '\(verb)' of \(file)")
    }
  }

  @Test("every learner has a page that tells when to use it, its metrics and its departures")
  func learnersHavePages() throws {
    let pages = try Repository.files(under: "Docs/Algorithms", ending: [".md"])
    let algorithms = try Repository.files(under: "Sources/BatchRL/Algorithms").flatMap { file in
      file.text.matches(of: /static let algorithm = "([^"]+)"/).map { String($0.1) }
    }
    #expect(algorithms.count >= 7)
    let overview = try #require(pages.first { $0.path.hasSuffix("README.md") })
    for algorithm in algorithms {
      #expect(overview.text.contains("| `\(algorithm)` | ["), "\(algorithm)")
      let page = pages.first { $0.text.contains("\n\n`\(algorithm)`") }
      for section in ["When to use it", "Metrics", "Departures"] {
        #expect(page?.text.contains("\n## \(section)\n") == true, "\(algorithm): \(section)")
      }
    }
  }

  @Test("the README names no verb that does not exist")
  func toldVerbsExist() {
    let known = Set(verbs.map(\.verb))
    for match in readme.text.matches(of: /`amalgam ([a-z-]+)/) {
      #expect(known.contains(String(match.1)), "README.md names 'amalgam \(match.1)'")
    }
  }

  @Test("every command that the README shows is run by the Makefile or by a test")
  func commandsAreRun() throws {
    let makefile = try Repository.file("Makefile").text
    let run = try makefile + Repository.files(under: "Tests").map(\.text).joined()
    let commands = shownCommands(readme.text)
    #expect(commands.contains("make demo") && commands.contains("make test"))
    for command in commands {
      let words = command.split(separator: " ")
      if words.first == "make" {
        for goal in words.dropFirst() where !goal.contains("=") {
          #expect(makefile.contains("\n\(goal):"), "README.md shows '\(command)'")
        }
      } else if words.first?.hasSuffix("amalgam") == true {
        let arguments = words.dropFirst().joined(separator: " ")
        #expect(run.contains("amalgam \(arguments)"), "no test runs '\(command)' of README.md")
      }
    }
  }

  @Test("shown commands are found in code blocks, continued lines joined")
  func commandParser() {
    let text = """
      Prose with `make nothing`.

      ```sh
      # a comment
      make test
      amalgam train \\
        --seed 1
      ```
      """
    #expect(shownCommands(text) == ["make test", "amalgam train --seed 1"])
  }

  @Test("links between documents lead somewhere")
  func links() throws {
    for file in try Repository.everything() where file.path.hasSuffix(".md") {
      let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
      for match in file.text.matches(of: /\]\(([^)#: ]+)(?:#[^)]*)?\)/) {
        let target = folder.isEmpty ? String(match.1) : "\(folder)/\(match.1)"
        #expect(Repository.exists(target), "\(file.path) links to \(match.1)")
      }
    }
  }

  @Test("every decision is listed in ARCHITECTURE.md")
  func decisions() throws {
    let architecture = try Repository.file("ARCHITECTURE.md").text
    let decisions = try Repository.files(under: "Docs/Decisions", ending: [".md"])
    #expect(!decisions.isEmpty)
    for file in decisions { #expect(architecture.contains("(\(file.path))"), "\(file.path)") }
  }

  @Test("nothing holds a path of one machine or a note to finish it later")
  func noTraces() throws {
    // Put together here, so that this file does not hold them itself.
    let traces =
      ["home", "work", "root", "Users"].map { "/\($0)/" } + ["TO" + "DO", "FIX" + "ME"]
    for file in try Repository.everything() {
      for (number, line) in file.lines.enumerated() {
        for trace in traces where line.contains(trace) {
          Issue.record("\(file.path):\(number + 1) holds \(trace): \(line.prefix(120))")
        }
      }
    }
  }

  @Test("the table of the future is named by no code")
  func futureIsNotRead() throws {
    for file in try Repository.files(under: "Sources") {
      let named = file.lines.contains { !$0.isComment && $0.contains("video_features_statistic") }
      #expect(!named, "\(file.path)")
    }
  }

  /// The commands in the shell code blocks of a text.
  private func shownCommands(_ text: String) -> [String] {
    var commands: [String] = []
    for block in text.matches(of: /```(?:sh|bash|console)\n((?:.|\n)*?)```/) {
      let joined = block.1.replacing(/[ ]*\\\n[ ]*/, with: " ")
      for line in joined.split(separator: "\n") where !line.hasPrefix("#") {
        commands.append(String(line.replacing(/[ ]+# .*$/, with: "")))
      }
    }
    return commands
  }
}
