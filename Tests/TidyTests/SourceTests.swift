import Testing

@Suite("source files")
struct SourceTests {
  private let sources: [Repository.File]
  private let code: [Repository.File]

  init() throws {
    sources = try Repository.files(under: "Sources")
    code = try sources + Repository.files(under: "Tests")
  }

  @Test("unsafe code stands in three modules only")
  func unsafeModules() {
    let allowed = ["DenseKernels", "EmbeddedAnalytics", "DurableFiles"]
    for file in sources where !allowed.contains(file.module) {
      for (number, whole) in file.lines.enumerated() where !whole.isComment {
        let line = whole.replacing("'unsafe-inline'", with: "")  // a word of HTML pages
        #expect(
          !line.contains("nsafe") || !line.contains(/\bunsafe|\bUnsafe[A-Z]|withUnsafe|@unsafe\b/),
          "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("no file is longer than 500 lines")
  func fileSizes() throws {
    for file in try code + Repository.files(under: "Sources", ending: [".c", ".h"]) {
      #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count - 1) lines")
    }
  }

  @Test("no function is longer than 70 lines")
  func functionSizes() {
    for file in code {
      for function in functions(in: file) {
        #expect(
          function.lines <= 70,
          "\(file.path):\(function.start): \(function.name) has \(function.lines) lines")
      }
    }
  }

  @Test("the measure of functions sees bodies, one-liners and requirements")
  func functionMeasure() {
    let file = Repository.File(
      path: "x.swift",
      text: """
        protocol P {
          func required(_ a: Int) -> Int
          init(a: Int)
        }
        struct S: P {
          init(a: Int) { self.a = a }
          func long(
            _ a: Int
          ) -> Int {
            let inner = { a }
            if a > 0 {
              return inner()
            }
            return a
          }
        }
        """)
    let found = functions(in: file)
    #expect(found.map(\.lines) == [1, 9])
    #expect(found.map(\.start) == [6, 7])
  }

  @Test("a learner or estimator names its source and lists its departures from it")
  func citations() throws {
    for (folder, mark) in [
      ("Sources/BatchRL/Algorithms", ": BatchLearner {"),
      ("Sources/OffPolicyEvaluation/Estimators", "func estimate("),
    ] {
      let methods = try Repository.files(under: folder).filter { $0.text.contains(mark) }
      #expect(methods.count >= 2, "\(folder) holds \(methods.count) files with '\(mark)'")
      for file in methods {
        let cites = file.text.contains(/\b(?:19|20)\d\d\b/)
        #expect(cites, "\(file.path) names no publication with its year")
        let lists = file.text.contains(
          /\/\/\/? ## Departures from the (?:paper|sources?)\n\/\/\/?\n\/\/\/? \S/)
        #expect(lists, "\(file.path) has no list '## Departures from the …'")
      }
    }
  }

  @Test("each file of an algorithm says which equation or publication it follows")
  func equations() throws {
    for folder in ["Algorithms", "Terms", "Trainers"] {
      for file in try Repository.files(under: "Sources/BatchRL/\(folder)") {
        let cites = file.text.contains(
          /\bfigs?\. \d|\beqs?\.? \d|\bpaper\b|\bBCQ\b|Source:|\b20\d\d\b/)
        #expect(cites, "\(file.path)")
      }
    }
  }

  @Test("below the commands nothing reads the clock or the system's generator")
  func determinism() {
    let banned = [
      "Date()", "Date.now", "ContinuousClock", "SuspendingClock", "clock_gettime", "gettimeofday",
      "DispatchTime.now", "SystemRandomNumberGenerator", "arc4random", "UUID()", ".shuffled()",
      ".shuffle()", "randomElement()",
    ]
    for file in sources where !["AmalgamCommands", "amalgam"].contains(file.module) {
      for (number, line) in file.lines.enumerated() where !line.isComment {
        let drawsFromSystem = line.contains(".random(") && !line.contains("using:")
        let clean = !drawsFromSystem && !banned.contains(where: line.contains)
        #expect(clean, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test("no force try, no trap without words, no names that say nothing")
  func habits() {
    for file in sources {
      for (number, line) in file.lines.enumerated() where !line.isComment {
        #expect(
          !["try!", "as!", "fatalError()"].contains(where: line.contains),
          "\(file.path):\(number + 1): \(line)")
      }
      #expect(
        !file.path.contains(/Utils|Utilities|Helpers?\b|Common|Manager|Placeholder/),
        "\(file.path)")
    }
  }

  @Test("nothing prints but what can fail: a full disk behind standard output is told")
  func printing() {
    for file in sources {
      for (number, line) in file.lines.enumerated() where !line.isComment {
        #expect(
          !line.replacing("func print(", with: "").contains(/(?:^|[^.\w])(?:debugP|p)rint\(/),
          "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  private struct Function {
    var name: Substring
    var start: Int
    var lines: Int
  }

  /// The functions with a body, by the indentation that the formatter guarantees.
  private func functions(in file: Repository.File) -> [Function] {
    let lines = file.lines
    let declaration =
      /^ *(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|private|fileprivate|internal|static|final|override|mutating|nonisolated|convenience|borrowing|consuming) +)*(?:func +\S+|init[?]?[(<]|subscript\()/
    return lines.indices.compactMap { start in
      let line = lines[start]
      guard ["func ", "init", "subscript("].contains(where: line.contains), !line.isComment,
        line.contains(declaration)
      else { return nil }
      let name = line.drop { $0 == " " }.prefix(60)
      if line.hasSuffix("}"), line.contains("{") {
        return Function(name: name, start: start + 1, lines: 1)
      }
      var opened = line.hasSuffix("{")
      for end in lines.indices.dropFirst(start + 1) {
        let next = lines[end]
        if next.isEmpty || next.indentation > line.indentation { continue }
        if next.indentation < line.indentation { return nil }
        if opened && next.dropFirst(line.indentation).hasPrefix("}") {
          return Function(name: name, start: start + 1, lines: end - start + 1)
        }
        if opened { continue }
        // The last line of a signature over several lines, or the next declaration.
        guard
          next.dropFirst(line.indentation).hasPrefix(")")
            || next.dropFirst(line.indentation).hasPrefix("{")
            || next.dropFirst(line.indentation).hasPrefix("where")
        else { return nil }
        opened = next.hasSuffix("{")
      }
      return nil
    }
  }
}
