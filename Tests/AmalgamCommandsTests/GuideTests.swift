import DurableFiles
import Foundation
import Testing

/// The guides' commands, run as the pages have them.
@Suite("Docs/Guides")
struct GuideTests {
  /// A block of shell commands and the exit status that the page promises.
  private struct Block {
    let commands: String
    let status: Int32
    let line: Int
  }

  /// The blocks that begin with ```` ```sh ````; `status=N` after it is the promised status.
  private func blocks(_ page: DocumentationPage) throws -> [Block] {
    try page.text.matches(of: /```sh( status=(\d+))?\n((?:.|\n)*?)```/).map { match in
      let status = match.2.map { Int32($0) } ?? 0
      return Block(
        commands: String(match.3), status: try #require(status),
        line: page.text[..<match.range.lowerBound].filter { $0 == "\n" }.count + 1)
    }
  }

  @Test("every command of your-own-logs.md ends as the page says", .timeLimit(.minutes(4)))
  func yourOwnLogs() throws {
    let page = try DocumentationPage("Guides/your-own-logs.md")
    let blocks = try blocks(page)
    #expect(blocks.count >= 9)
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
      // Lines that the page shows as the answer, where they name what the block made.
      if block.commands.contains("--output own/log\n") {
        #expect(text.contains("own/log: 1463 decisions, 4389 feedback events"))
      }
    }
    #expect(DurableFiles.exists(scratch.file("own/evaluation.json")))
    #expect(!DurableFiles.exists(scratch.file("own/narrow/schema.json")))
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
  }
}
