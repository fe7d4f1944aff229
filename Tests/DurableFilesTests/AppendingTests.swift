import Dispatch
import DurableFiles
import Testing

@Suite struct AppendingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("lines stand one after another in a file that is created for the first")
  func lines() throws {
    let path = folder.file("lines")
    for line in ["one", "", "naïve"] { try DurableFiles.appendLine(line, to: path) }
    #expect(try DurableFiles.readText(path) == "one\n\nnaïve\n")
    #expect(try folder.everything() == ["lines"])
  }

  @Test("nothing is put behind a line without end")
  func torn() throws {
    let path = folder.file("torn")
    try DurableFiles.write("one\ntw", to: path)
    #expect(
      throws: DurableFileError.malformed(path: path, reason: "the last line has no end")
    ) { try DurableFiles.appendLine("three", to: path) }
    #expect(try DurableFiles.readText(path) == "one\ntw")
  }

  @Test("a line that does not fit on the disk is cut off again", arguments: [0, 1, 10])
  func fullDisk(room: Int) throws {
    let path = folder.file("a")
    try DurableFiles.appendLine("old", to: path)
    #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: room) {
        try DurableFiles.appendLine("0123456789", to: path)
      }
    }
    #expect(try DurableFiles.readText(path) == "old\n")
  }

  @Test("lines that are appended at the same time stand whole, none lost")
  func concurrent() throws {
    let path = folder.file("many")
    let count = 40
    DispatchQueue.concurrentPerform(iterations: count) { index in
      try? DurableFiles.appendLine(String(repeating: "\(index % 10)", count: 2_000), to: path)
    }
    let lines = try DurableFiles.readText(path).split(separator: "\n")
    #expect(lines.count == count)
    for line in lines { #expect(line.count == 2_000 && Set(line).count == 1) }
  }
}
