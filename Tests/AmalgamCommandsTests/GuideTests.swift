import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import Testing

/// The guides' commands, run as the pages have them.
@Suite("Docs/Guides")
struct GuideTests {
  /// A block of shell commands, the exit status that the page promises, and what it shows of the
  /// answer.
  private struct Block {
    let commands: String
    let status: Int32
    let line: Int
    var answer: [Substring] = []
  }

  /// The blocks that begin with ```` ```sh ````; `status=N` after it is the promised status, and a
  /// block ```` ```text ```` before the next one holds lines of the answer.
  private func blocks(_ page: DocumentationPage) throws -> [Block] {
    var blocks: [Block] = []
    for match in page.text.matches(of: /```(sh|text)( status=(\d+))?\n((?:.|\n)*?)```/) {
      if match.1 == "text" {
        try #require(!blocks.isEmpty)
        blocks[blocks.count - 1].answer += match.4.split(separator: "\n")
        continue
      }
      let status = match.3.map { Int32($0) } ?? 0
      blocks.append(
        Block(
          commands: String(match.4), status: try #require(status),
          line: page.text[..<match.range.lowerBound].filter { $0 == "\n" }.count + 1))
    }
    return blocks
  }

  @Test("every command of your-own-logs.md ends as the page says", .timeLimit(.minutes(4)))
  func yourOwnLogs() throws {
    let page = try DocumentationPage("Guides/your-own-logs.md")
    let blocks = try blocks(page)
    #expect(blocks.count >= 16 && blocks.count { !$0.answer.isEmpty } >= 14)
    let scratch = try ScratchFolder()
    let root = DocumentationPage.root.path
    try FileManager.default.copyItem(
      atPath: "\(root)/Examples", toPath: scratch.file("Examples"))
    for name in ["Data", ".deps"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.file(name), withDestinationPath: "\(root)/\(name)")
    }
    let binaries = (AmalgamProcess.path as NSString).deletingLastPathComponent
    for block in blocks {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-ec", "mkdir -p own; " + block.commands]
      process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["PATH": "\(binaries):/usr/bin:/bin"], uniquingKeysWith: { $1 })
      let output = scratch.file("output.txt")
      try Data().write(to: URL(fileURLWithPath: output))
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = handle
      process.standardError = handle
      try process.run()
      process.waitUntilExit()
      let text = try DurableFiles.readText(output)
      #expect(
        process.terminationStatus == block.status,
        "your-own-logs.md:\(block.line): \(block.commands)\(text)")
      let printed = Set(text.split(separator: "\n"))
      for line in block.answer {
        #expect(printed.contains(line), "your-own-logs.md:\(block.line): “\(line)” in\n\(text)")
      }
    }
    #expect(DurableFiles.exists(scratch.file("own/evaluation.json")))
    #expect(!DurableFiles.exists(scratch.file("own/narrow/schema.json")))
    let policy = try PolicyArtifact.load(scratch.file("own/states-run/policy"))
    #expect(policy.manifest.stateEncoder?.names.first == "last_5_click")
    #expect(try PolicyRegistry(folder: scratch.file("own/registry")).current == "v1")
  }

  @Test("the files of the generic feed are what its script writes")
  func genericFeed() throws {
    let scratch = try ScratchFolder()
    let root = DocumentationPage.root.path
    let example = "\(root)/Examples/generic-feed"
    try FileManager.default.copyItem(
      atPath: "\(example)/make_feed.py", toPath: scratch.file("make_feed.py"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(root)/.deps/python/bin/python3")
    process.arguments = [scratch.file("make_feed.py")]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(
      try DurableFiles.readText(scratch.file("decisions.csv"))
        == DurableFiles.readText("\(example)/decisions.csv"))
    // Packed bytes may differ between versions of a library; what they hold may not.
    func unpacked(_ path: String) throws -> String {
      let unpack = Process()
      unpack.executableURL = URL(fileURLWithPath: "/bin/sh")
      unpack.arguments = ["-c", "gzip -dc \"$0\" > \"$1\"", path, scratch.file("unpacked")]
      try unpack.run()
      unpack.waitUntilExit()
      #expect(unpack.terminationStatus == 0)
      return try DurableFiles.readText(scratch.file("unpacked"))
    }
    let feedback = try unpacked(scratch.file("feedback.jsonl.gz"))
    #expect(try feedback == unpacked("\(example)/feedback.jsonl.gz"))
    #expect(feedback.split(separator: "\n").count > 4000)
  }
}
