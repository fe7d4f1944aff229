import DurableFiles
import Foundation
import Testing

@Suite struct DurableFilesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("bytes and text come back, and replace what was there")
  func roundTrip() throws {
    let path = folder.file("a")
    try DurableFiles.write([1, 2, 3], to: path)
    #expect(try DurableFiles.read(path) == [1, 2, 3])
    try DurableFiles.write("naïve\n", to: path)
    #expect(try DurableFiles.readText(path) == "naïve\n")
    try DurableFiles.write([], to: path)
    #expect(try DurableFiles.read(path) == [])
    #expect(try folder.everything() == ["a"])
  }

  @Test("a missing folder is an error that names the path and the operation")
  func missingFolder() throws {
    let path = folder.file("no/such/file")
    let error = #expect(throws: DurableFileError.self) {
      try DurableFiles.write([1], to: path)
    }
    let text = try #require(error).description
    #expect(text.contains("no/such"))
    #expect(text.contains("cannot create the file: No such file or directory (errno 2)"))
  }

  @Test("reading a folder, a missing file or bytes that are no text is an error")
  func badReads() throws {
    #expect(throws: DurableFileError.malformed(path: folder.path, reason: "is not a regular file"))
    {
      try DurableFiles.read(folder.path)
    }
    #expect(
      throws: DurableFileError.system(
        operation: "open the file for reading", path: folder.file("x"), code: ENOENT)
    ) { try DurableFiles.read(folder.file("x")) }
    try DurableFiles.write([0xFF, 0xFE], to: folder.file("b"))
    #expect(throws: DurableFileError.self) { try DurableFiles.readText(folder.file("b")) }
  }

  @Test("a full disk leaves the old content and nothing beside it", arguments: [0, 1, 4, 9])
  func fullDisk(room: Int) throws {
    let path = folder.file("a")
    try DurableFiles.write("old", to: path)
    let error = #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: room) { try DurableFiles.write("0123456789", to: path) }
    }
    #expect(error?.isOutOfSpace == true)
    #expect(error?.description.contains("no space left on the disk") == true)
    #expect(try DurableFiles.readText(path) == "old")
    #expect(try folder.everything() == ["a"])
    try SimulatedFullDisk.after(bytes: 10) { try DurableFiles.write("0123456789", to: path) }
    #expect(try DurableFiles.readText(path) == "0123456789")
  }

  @Test("a disk that fills up while streaming leaves nothing, whatever the buffer")
  func fullDiskWhileStreaming() throws {
    for bufferSize in [0, 1, 7, 1 << 16] {
      let writer = try DurableLineWriter(path: folder.file("log"), bufferSize: bufferSize)
      let error = #expect(throws: DurableFileError.self) {
        try SimulatedFullDisk.after(bytes: 100) {
          for line in 0..<40 { try writer.writeLine("line \(line)") }
          try writer.finish()
        }
      }
      #expect(error?.isOutOfSpace == true)
      #expect(try folder.everything() == [])
    }
  }

  @Test("lines appear under the name when finished, not before")
  func streaming() throws {
    let path = folder.file("log")
    for bufferSize in [0, 5, 1 << 18] {
      try DurableFiles.remove(path)
      let writer = try DurableLineWriter(path: path, bufferSize: bufferSize)
      for line in 0..<100 { try writer.writeLine("line \(line)") }
      try writer.write([0x21, 0x0A])
      #expect(!DurableFiles.exists(path))
      #expect(writer.byteCount == 792)  // 10 lines of 7 bytes, 90 of 8, and 2
      try writer.finish()
      let lines = try DurableFiles.readText(path).split(separator: "\n")
      #expect(lines.count == 101 && lines[99] == "line 99" && lines[100] == "!")
      #expect(try folder.everything() == ["log"])
    }
  }

  @Test("a writer that is dropped or abandoned removes its file")
  func abandoned() throws {
    do {
      let writer = try DurableLineWriter(path: folder.file("a"))
      try writer.writeLine("x")
      #expect(try folder.everything().count == 1)
      #expect(try DurableFiles.names(inFolder: folder.path) == [])
    }
    #expect(try folder.everything() == [])
    let writer = try DurableLineWriter(path: folder.file("a"))
    writer.abandon()
    writer.abandon()
    #expect(try folder.everything() == [])
  }

  @Test("a folder appears in one step and replaces the former one as a whole")
  func folders() throws {
    let path = folder.file("artifact")
    try DurableFiles.writeFolder(at: path) { inside in
      #expect(!DurableFiles.exists(path))
      try DurableFiles.write("1", to: inside + "/one")
      try DurableFiles.makeFolders(inside + "/deep/er")
      try Data([7]).write(to: URL(fileURLWithPath: inside + "/deep/er/two"))
    }
    #expect(try DurableFiles.names(inFolder: path) == ["deep", "one"])
    try DurableFiles.writeFolder(at: path) { try DurableFiles.write("3", to: $0 + "/three") }
    #expect(try DurableFiles.names(inFolder: path) == ["three"])
    #expect(try folder.everything() == ["artifact"])
  }

  @Test("a folder whose making fails leaves the former one")
  func failingFolder() throws {
    struct Stop: Error {}
    let path = folder.file("artifact")
    try DurableFiles.writeFolder(at: path) { try DurableFiles.write("1", to: $0 + "/one") }
    #expect(throws: Stop.self) {
      try DurableFiles.writeFolder(at: path) {
        try DurableFiles.write("2", to: $0 + "/two")
        throw Stop()
      }
    }
    #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: 3) {
        try DurableFiles.writeFolder(at: path) {
          try DurableFiles.write("22", to: $0 + "/two")
          try DurableFiles.write("33", to: $0 + "/three")
        }
      }
    }
    #expect(try DurableFiles.names(inFolder: path) == ["one"])
    #expect(try folder.everything() == ["artifact"])
    try DurableFiles.write("file", to: folder.file("plain"))
    #expect(throws: DurableFileError.self) {
      try DurableFiles.writeFolder(at: folder.file("plain")) { _ in }
    }
    #expect(try folder.everything() == ["artifact", "plain"])
  }

  @Test("links inside a folder are removed, not followed")
  func links() throws {
    try DurableFiles.write("keep", to: folder.file("kept"))
    try DurableFiles.makeFolders(folder.file("f/g"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("f/g/link"), withDestinationPath: folder.file("kept"))
    try DurableFiles.remove(folder.file("f"))
    #expect(try folder.everything() == ["kept"])
    try DurableFiles.makeFolders(folder.file("f"))
    try DurableFiles.makeFolders(folder.file("f"))
    #expect(throws: DurableFileError.self) { try DurableFiles.makeFolders(folder.file("kept")) }
    #expect(throws: DurableFileError.self) { try DurableFiles.makeFolders(folder.file("kept/a")) }
  }
}
