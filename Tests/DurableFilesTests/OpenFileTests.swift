import DurableFiles
import Testing

@Suite("Files that stay open")
struct OpenFileTests {
  @Test("a file grows, is cut back and grows on where it was cut")
  func cutBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    let file = try AppendedFile(creating: path)
    try file.append(Array("one\ntwo\n".utf8))
    try file.cut(to: 4)
    try file.append(Array("three\n".utf8))
    #expect(file.byteCount == 10)
    try file.synchronize()
    try file.close()
    #expect(try DurableFiles.readText(path) == "one\nthree\n")
    #expect(throws: DurableFileError.self) { try AppendedFile(creating: path) }
    let again = try AppendedFile(opening: path)
    #expect(again.byteCount == 10)
    try again.append(Array("four\n".utf8))
    #expect(try DurableFiles.readText(path) == "one\nthree\nfour\n")
  }

  @Test("a write that the disk takes in part tells how long the file is, and can be undone")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let file = try AppendedFile(creating: folder.path + "/a")
    try file.append(Array("one\n".utf8))
    let error = #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: 3) { try file.append(Array("two\n".utf8)) }
    }
    #expect(error?.isOutOfSpace == true && file.byteCount == 7)
    try file.cut(to: 4)
    #expect(try DurableFiles.readText(folder.path + "/a") == "one\n")
  }

  @Test("a lock has one owner, until the owner goes")
  func ownerLock() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lock"
    do {
      let owner = try #require(try OwnerLock(path: path))
      #expect(try OwnerLock(path: path) == nil)
      #expect(owner.path == path)
    }
    #expect(try OwnerLock(path: path) != nil)
    #expect(throws: DurableFileError.self) { try OwnerLock(path: folder.path + "/no/lock") }
  }
}
