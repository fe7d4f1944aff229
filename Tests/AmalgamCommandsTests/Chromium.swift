import Foundation
import Testing

/// Headless Chromium, as the tests open a page with it.
enum Chromium {
  /// What a page looks like once it is loaded.
  struct Sight: Decodable {
    var images: Int
    /// Images that did not load, and images without a text for who cannot see them.
    var broken: [String]
    var withoutText: Int
    /// How wide the page is, and how wide the window.
    var width: Int
    var window: Int
    var tables: Int
  }

  /// Opens a page in a window of this width.
  ///
  /// A copy of the page is looked at, which may run a script that the page itself forbids.
  static func look(at page: String, width: Int) throws -> (sight: Sight, messages: [String]) {
    let scratch = try ScratchFolder()
    let text = try String(contentsOfFile: page, encoding: .utf8)
    let policy = try #require(
      text.firstRange(of: /<meta http-equiv="Content-Security-Policy"[^>]*>/))
    var copy = text
    copy.removeSubrange(policy)
    copy = copy.replacing(
      "</body>",
      with: """
        <script>
        addEventListener("load", () => {
          const images = [...document.images];
          document.body.textContent = "SIGHT" + JSON.stringify({
            images: images.length,
            broken: images.filter(i => !i.complete || !i.naturalWidth).map(i => i.alt),
            withoutText: images.filter(i => !i.alt.trim()).length,
            width: document.documentElement.scrollWidth, window: innerWidth,
            tables: document.querySelectorAll("table").length }) + "SIGHT";
        });
        </script></body>
        """)
    let path = scratch.file("page.html")
    try copy.write(toFile: path, atomically: true, encoding: .utf8)
    let seen = try run(["--dump-dom", "--window-size=\(width),900", "file://\(path)"])
    let json = try #require(seen.output.components(separatedBy: "SIGHT").dropFirst().first)
    let sight = try JSONDecoder().decode(Sight.self, from: Data(json.utf8))
    let original = try run(["--dump-dom", "file://\(page)"])
    let messages = original.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }
    return (sight, messages.map(String.init))
  }

  /// The page as it is printed.
  static func printed(_ page: String) throws -> Data {
    let scratch = try ScratchFolder()
    _ = try run(["--print-to-pdf=\(scratch.file("page.pdf"))", "file://\(page)"])
    return try Data(contentsOf: URL(fileURLWithPath: scratch.file("page.pdf")))
  }

  private static func run(_ arguments: [String]) throws -> (output: String, errors: String) {
    let scratch = try ScratchFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--enable-logging=stderr", "--virtual-time-budget=10000",
        "--user-data-dir=\(scratch.file("profile"))",
      ] + arguments
    let (output, errors) = (scratch.file("output"), scratch.file("errors"))
    for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    let guardian = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: guardian)
    process.waitUntilExit()
    guardian.cancel()
    #expect(process.terminationStatus == 0)
    return (
      try String(contentsOfFile: output, encoding: .utf8),
      try String(contentsOfFile: errors, encoding: .utf8)
    )
  }
}
