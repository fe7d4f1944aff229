import Foundation

/// The files of this repository, as the tidy tests read them.
enum Repository {
  /// The root folder.
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A text file: its path from the root and its content.
  struct File {
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: String { String(path.split(separator: "/").last ?? "") }
    /// The folder below `Sources` or `Tests`, which is the module.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  }

  /// One file.
  static func file(_ path: String) throws -> File {
    let url = root.appendingPathComponent(path)
    return File(path: path, text: try String(contentsOf: url, encoding: .utf8))
  }

  /// All files below a folder whose names end so, sorted by path; none when there is no folder.
  static func files(under folder: String, ending: [String] = [".swift"]) throws -> [File] {
    let start = root.appendingPathComponent(folder)
    guard let walker = FileManager.default.enumerator(atPath: start.path) else { return [] }
    var found: [File] = []
    for case let path as String in walker where ending.contains(where: path.hasSuffix) {
      found.append(try file("\(folder)/\(path)"))
    }
    return found.sorted { $0.path < $1.path }
  }

  /// Every text file that is written by hand.
  static func everything() throws -> [File] {
    var found: [File] = []
    for folder in ["Sources", "Tests", "Scripts", "Docs", "Data"] {
      found += try files(
        under: folder, ending: [".swift", ".c", ".h", ".md", ".sh", ".py", ".txt", ".yaml"])
    }
    let names = [
      "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "Package.swift",
      "Makefile", ".ci/run",
    ]
    return try found + names.map(file)
  }

  /// Whether a path from the root exists.
  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }
}

extension Substring {
  /// Whether the line is a comment only.
  var isComment: Bool {
    let line = drop { $0 == " " }
    return line.hasPrefix("//") || line.hasPrefix("#")
  }

  /// The count of leading spaces.
  var indentation: Int { prefix { $0 == " " }.count }
}
