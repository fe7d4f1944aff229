import Foundation
import Testing

@Suite("Docs/Reward.md")
struct RewardPageTests {
  @Test("KuaiRand's regressions, by the commands on the page, are what the page shows")
  func kuaiRand() throws {
    let page = try DocumentationPage("Reward.md")
    let scratch = try ScratchFolder()
    let root = DocumentationPage.root.path
    let commands = try #require(page.text.firstMatch(of: /```sh\n((?:.|\n)*?)```/)).1
    for name in ["Data", "Examples"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.file(name), withDestinationPath: "\(root)/\(name)")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-ec", String(commands)]
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    let binaries = (AmalgamProcess.path as NSString).deletingLastPathComponent
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["PATH": "\(binaries):/usr/bin:/bin"], uniquingKeysWith: { $1 })
    let output = scratch.file("output.txt")
    try Data().write(to: URL(fileURLWithPath: output))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    func lines(_ text: String) -> [String] {
      text.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }.filter { !$0.isEmpty }
    }
    let printed = Set(lines(try String(contentsOfFile: output, encoding: .utf8)))
    let shown = lines(try #require(page.files["output"]))
    #expect(shown.count > 35)
    for line in shown { #expect(printed.contains(line), "\(line)") }
  }
}
