import DurableFiles
import ExperimentReports
import Foundation
import FusionMDP
import PolicyArtifacts
import SessionLogs
import Testing
import TrajectoryPreparation

/// A page of the documentation.
struct DocumentationPage {
  let text: String

  /// The repository's root.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  init(_ name: String) throws {
    text = try String(contentsOf: Self.root.appendingPathComponent("Docs/\(name)"), encoding: .utf8)
  }

  /// The code blocks that name a file, by that name.
  var files: [String: String] {
    var found: [String: String] = [:]
    for match in text.matches(of: /```[a-z]+ ([^ \n]+)\n((?:.|\n)*?)```/) {
      found[String(match.1)] = String(match.2)
    }
    return found
  }

  /// The first cells of the table whose head begins with `head`, split where one tells several.
  func firstCells(ofTable head: String) -> [String] {
    guard let start = text.range(of: "| \(head) |") else { return [] }
    let lines = text[start.lowerBound...].split(
      separator: "\n", omittingEmptySubsequences: false)
    return lines.prefix { $0.hasPrefix("|") }.dropFirst(2).flatMap { line in
      line.split(separator: "|")[0].matches(of: /`([^`]+)`/).map { String($0.1) }
    }
  }
}

@Suite("Docs/FileFormats.md")
struct FileFormatsPageTests {
  private let page: DocumentationPage
  private let scratch: ScratchFolder

  /// Writes the blocks of the page to their files, and the weights that it tells in prose.
  init() throws {
    page = try DocumentationPage("FileFormats.md")
    scratch = try ScratchFolder()
    for (name, text) in page.files {
      let path = scratch.file(name)
      try DurableFiles.makeFolders((path as NSString).deletingLastPathComponent)
      try DurableFiles.write(text, to: path)
    }
    try Safetensors.write(
      [("action", Tensor([0.5, -0.25] as [Float]))],
      to: scratch.file("registry/policies/v1/weights.safetensors"))
  }

  @Test("the page holds one example of each format")
  func examples() {
    #expect(
      page.files.keys.sorted() == [
        "answer.json", "log/decisions.jsonl", "log/feedback.jsonl", "log/schema.json",
        "registry/current.json", "registry/ledger.jsonl", "registry/policies/v1/manifest.json",
        "request.json", "results.json", "trajectories/manifest.json",
      ])
  }

  @Test("the log is valid, strictly, and its fields are those that the page lists")
  func log() throws {
    let validated = try AmalgamProcess(["logs", "validate", scratch.file("log"), "--strict"])
    #expect(validated.status == 0, "\(validated.errors)")
    let folder = try SessionLogFolder(path: scratch.file("log"))
    #expect(folder.schema.stateNames == ["hour_of_day", "requests_so_far"])
    let tables = page.text.components(separatedBy: "A feedback line has exactly these")
    for (file, text) in [("decisions", tables[0]), ("feedback", tables[1])] {
      let line = try #require(page.files["log/\(file).jsonl"]?.split(separator: "\n").first)
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let behaviors = file == "feedback" ? ["click", "like"] : []
      let cells = DocumentationPage(text: text).firstCells(ofTable: "field | content")
      #expect((cells + behaviors).sorted() == object?.keys.sorted())
    }
  }

  @Test("the prepared log has the tensors and manifest keys that the page lists")
  func shards() throws {
    let prepared = try AmalgamProcess([
      "prepare", scratch.file("log"), "--output", scratch.file("out"), "--set",
      "trainFraction=0.5",
    ])
    #expect(prepared.status == 0, "\(prepared.errors)")
    let listed = page.firstCells(ofTable: "tensor | type, shape | content")
    let shard = try Safetensors.read(scratch.file("out/train/shard-00000.safetensors"))
    // Prepared shards hold feedback; rewards stand in its place in shards from elsewhere.
    #expect(Set(listed).subtracting(["rewards"]) == Set(shard.names))
    let example = try TrajectoryManifest(readingFolder: scratch.file("trajectories"))
    let real = try TrajectoryManifest(readingFolder: scratch.file("out/train"))
    #expect(example.stateNames == real.stateNames)
    #expect(example.actionNames == real.actionNames)
    #expect(example.shards == real.shards)
    #expect(example.transitions == 2 && real.transitions == 2)
    let keys =
      try JSONSerialization.jsonObject(
        with: Data(DurableFiles.read(scratch.file("out/train/manifest.json")))) as? [String: Any]
    for key in (keys ?? [:]).keys.sorted() {
      #expect(
        page.text.contains("`\(key)`") || page.text.contains("\"\(key)\""), "manifest: \(key)")
    }
  }

  @Test("the policy is read, and the registry's hash is that of the manifest on the page")
  func policy() throws {
    let registry = try PolicyRegistry(folder: scratch.file("registry"))
    #expect(try registry.current == "v1")
    let artifact = try registry.loadCurrent()
    #expect(artifact.manifest.policy.name == "best_static")
    #expect(artifact.manifest.dataWindow?.transitions == 3)
    #expect(artifact.manifest.evaluation.first?.high == 4.25)
    let event = try #require(try registry.events.last)
    let entries = try registry.ledger.entries()
    #expect(entries.map(\.manifestSHA256) == [event.manifestSHA256, event.manifestSHA256])
    guard case .observation(let seen)? = entries.last?.content else {
      Issue.record("no observation in \(entries)")
      return
    }
    #expect(seen.observed.value == 4.1875 && seen.discount == 0.95)
  }

  @Test("the request is answered with the answer on the page")
  func request() throws {
    let ranked = try AmalgamProcess([
      "rank", "--registry", scratch.file("registry"), scratch.file("request.json"),
    ])
    #expect(ranked.status == 0 && ranked.output == page.files["answer.json"])
  }

  @Test("results.json is written as it stands on the page")
  func results() throws {
    let text = try #require(page.files["results.json"])
    let results = try ResultsFile.results(from: Data(text.utf8), named: "results.json")
    #expect(try ResultsFile.text(of: results) == text)
    #expect(results.online.first?.upiRate == 0.03125)
  }

  @Test("the platform's fields on the page are those that are written")
  func platform() throws {
    let source = try String(
      contentsOf: DocumentationPage.root.appendingPathComponent(
        "Sources/AmalgamCommands/Platform/PlatformFolder.swift"), encoding: .utf8)
    let description = try #require(
      source.firstMatch(of: /struct Description: Codable \{((?:.|\n)*?)\n  \}/))
    let fields = description.1.matches(of: /var (\w+)/).map { String($0.1) }
    #expect(page.firstCells(ofTable: "`platform.json` | content").sorted() == fields.sorted())
    let tables = source.matches(of: /\("(\w+)", Tensor\(/).map { String($0.1) }
    #expect(page.firstCells(ofTable: "`tables.safetensors` | type, shape") == tables)
  }
}

extension DocumentationPage {
  init(text: String) { self.text = text }
}
