/// A file that grows at its end while it is open, and can be cut back to where it was whole.
///
/// Unlike ``DurableFiles/appendLine(_:to:)`` it stays open, and the disk is waited for only when
/// asked. Not for several threads at a time.
public final class AppendedFile {
  /// Where it is.
  public let path: String
  /// How long it is. After a write that failed it is longer than what was asked for before.
  public private(set) var byteCount: Int

  private let file: FileDescriptor

  /// Creates a file that must not be there.
  ///
  /// - Throws: ``DurableFileError``.
  public init(creating path: String) throws {
    guard let file = try FileDescriptor.creating(path) else {
      throw DurableFileError.malformed(path: path, reason: "is there already")
    }
    self.path = path
    self.file = file
    byteCount = 0
  }

  /// Opens a file that is there, to append to it.
  ///
  /// - Throws: ``DurableFileError``.
  public init(opening path: String) throws {
    self.path = path
    file = try FileDescriptor.appending(path)
    byteCount = try file.size()
  }

  /// Adds bytes at the end.
  ///
  /// - Throws: ``DurableFileError``; some of the bytes may then stand at the end of the file:
  ///   ``cut(to:)`` removes them.
  public func append(_ bytes: [UInt8]) throws {
    do {
      try unsafe bytes.withUnsafeBytes { try unsafe file.write($0) }
      byteCount += bytes.count
    } catch {
      byteCount = (try? file.size()) ?? byteCount + bytes.count
      throw error
    }
  }

  /// Removes what stands beyond a length.
  ///
  /// - Throws: ``DurableFileError``.
  public func cut(to byteCount: Int) throws {
    try file.cutBack(to: byteCount)
    self.byteCount = byteCount
  }

  /// Waits until all is on the disk.
  ///
  /// - Throws: ``DurableFileError``. What was written since the last call that came through may
  ///   then be lost, even if a later call comes through: write it again.
  public func synchronize() throws { try file.synchronize() }

  /// Closes the file.
  ///
  /// - Throws: ``DurableFileError``.
  public func close() throws { try file.close() }
}

extension DurableFiles {
  /// Gives a file or folder another name, replacing a file of that name, in one step. The new name
  /// survives a loss of power after ``synchronizeFolder(_:)`` of its folder.
  ///
  /// - Throws: ``DurableFileError``.
  public static func rename(_ path: String, to destination: String) throws {
    try Paths.rename(path, to: destination)
  }

  /// Makes the names in a folder survive a loss of power.
  ///
  /// - Throws: ``DurableFileError``.
  public static func synchronizeFolder(_ path: String) throws { try Paths.synchronize(path) }
}
