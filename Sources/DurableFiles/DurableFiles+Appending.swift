extension DurableFiles {
  /// Appends a line to a file, which is created if it is not there.
  ///
  /// The line is on the disk when this returns. Several processes may append at a time: each line
  /// stands whole, one after another. A line that cannot be written whole is cut off again.
  ///
  /// - Parameter text: without line ends.
  /// - Throws: ``DurableFileError``; `.malformed` where the last line of the file has no end, as
  ///   after a loss of power in the middle of one. Then the file is as it was.
  public static func appendLine(_ text: String, to path: String) throws {
    precondition(!text.utf8.contains(UInt8(ascii: "\n")), "a line end in a line of '\(path)'")
    let isNew = !exists(path)
    let file = try FileDescriptor.appending(path)
    let size = try file.size()
    if let last = try file.lastByte(size: size), last != UInt8(ascii: "\n") {
      throw DurableFileError.malformed(path: path, reason: "the last line has no end")
    }
    do {
      try unsafe Array((text + "\n").utf8).withUnsafeBytes { try unsafe file.write($0) }
      try file.synchronize()
    } catch {
      try? file.truncate(to: size)
      throw error
    }
    try file.close()
    if isNew { try Paths.synchronize(Paths.split(path).folder) }
  }
}
