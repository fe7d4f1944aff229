import Glibc

/// Files and folders that are there in full, or not at all.
///
/// Everything is written under another name in the same folder, flushed to the disk, moved into
/// place in one step, and the folder flushed too: after a crash, a full disk or a loss of power
/// the final name holds the old content or the whole of what replaces it.
public enum DurableFiles {
  /// Writes `bytes` to `path`, replacing what is there in one step.
  ///
  /// - Throws: ``DurableFileError``; then `path` is untouched and nothing is left beside it.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let writer = try DurableLineWriter(path: path, bufferSize: 0)
    try writer.write(bytes)
    try writer.finish()
  }

  /// Writes `text` as UTF-8 to `path`, replacing what is there in one step.
  ///
  /// - Throws: ``DurableFileError``; then `path` is untouched and nothing is left beside it.
  public static func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }

  /// Creates the folder `path` from what `body` puts into a temporary one, in one step.
  ///
  /// A folder that is there already is replaced as a whole. Its parent must exist.
  ///
  /// - Parameter body: receives the temporary folder's path, and may use any means to fill it.
  /// - Throws: ``DurableFileError``, or what `body` throws; then `path` is untouched.
  public static func writeFolder(at path: String, _ body: (String) throws -> Void) throws {
    let temporary = try makeTemporaryFolder(beside: path)
    do {
      try body(temporary)
      try Paths.synchronizeTree(temporary)
      switch try Paths.kind(path) {
      case .missing: try Paths.rename(temporary, to: path)
      case .folder: try Paths.exchange(temporary, with: path)
      case .other:
        throw DurableFileError.system(operation: "replace by a folder", path: path, code: ENOTDIR)
      }
      try Paths.synchronize(Paths.split(path).folder)
    } catch {
      try? Paths.remove(temporary)
      throw error
    }
    // After an exchange the temporary name holds what was replaced.
    try Paths.remove(temporary)
  }

  /// Reads a whole file.
  ///
  /// - Throws: ``DurableFileError``.
  public static func read(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor.reading(path)
    let size = try file.size()
    return try unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Reads a whole file as UTF-8 text.
  ///
  /// - Throws: ``DurableFileError``, also when the bytes are not UTF-8.
  public static func readText(_ path: String) throws -> String {
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw DurableFileError.malformed(path: path, reason: "is not UTF-8 text")
    }
    return text
  }

  /// Whether `path` names a file or folder.
  public static func exists(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0
  }

  /// The names in a folder, sorted; temporary files of unfinished writes are left out.
  ///
  /// - Throws: ``DurableFileError``.
  public static func names(inFolder path: String) throws -> [String] {
    try Paths.contents(ofFolder: path).filter { !($0.hasPrefix(".") && $0.hasSuffix(".partial")) }
  }

  /// Creates a folder and the folders above it; one that is there already is fine.
  ///
  /// - Throws: ``DurableFileError``.
  public static func makeFolders(_ path: String) throws {
    if isFolder(path) { return }
    let parent = Paths.split(path).folder
    if parent != path && !exists(parent) { try makeFolders(parent) }
    do {
      try Paths.makeFolder(path)
    } catch DurableFileError.system(_, _, EEXIST) where isFolder(path) {
      return
    }
    try Paths.synchronize(parent)
  }

  /// Removes a file, or a folder with all that is in it; a name that is not there is fine.
  ///
  /// - Throws: ``DurableFileError``.
  public static func remove(_ path: String) throws { try Paths.remove(path) }

  private static func isFolder(_ path: String) -> Bool {
    (try? Paths.kind(path + "/.")) == .folder
  }

  private static func makeTemporaryFolder(beside path: String) throws -> String {
    while true {
      let temporary = Paths.temporaryName(beside: path)
      do {
        try Paths.makeFolder(temporary)
        return temporary
      } catch DurableFileError.system(_, _, EEXIST) { continue }
    }
  }
}
