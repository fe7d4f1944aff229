import CFileExchange
import Glibc
import Synchronization

/// Operations on names in folders: everything that is not the content of a file.
enum Paths {
  private static let counter = Mutex<UInt64>(0)

  /// The folder that holds `path`, and its last component.
  static func split(_ path: String) -> (folder: String, name: String) {
    var trimmed = Substring(path)
    while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return (".", String(trimmed)) }
    let folder = trimmed[..<slash]
    let name = trimmed[trimmed.index(after: slash)...]
    return (folder.isEmpty ? "/" : String(folder), String(name))
  }

  /// A name beside `path` that no other call of this process gives out.
  ///
  /// It begins with a dot and ends in `.partial`, so that no reader takes it for a result.
  static func temporaryName(beside path: String) -> String {
    let (folder, name) = split(path)
    let number = counter.withLock { value in
      value += 1
      return value
    }
    return "\(folder)/.\(name).\(getpid())-\(number).partial"
  }

  /// Moves `source` to `destination`, replacing a file of that name at once.
  static func rename(_ source: String, to destination: String) throws {
    guard unsafe Glibc.rename(source, destination) == 0 else {
      throw DurableFileError.last("move '\(source)' into place", destination)
    }
  }

  /// Puts the folder `source` in the place of the folder `destination`, and the other way round.
  ///
  /// One step where the file system can do it; elsewhere (some network file systems) two, between
  /// which `destination` is missing for a moment.
  static func exchange(_ source: String, with destination: String) throws {
    let code = unsafe exchange_names(source, destination)
    if code == 0 { return }
    guard code == EINVAL || code == ENOSYS else {
      throw DurableFileError.system(
        operation: "exchange with '\(source)'", path: destination, code: code)
    }
    let aside = temporaryName(beside: destination)
    try rename(destination, to: aside)
    do {
      try rename(source, to: destination)
    } catch {
      try rename(aside, to: destination)
      throw error
    }
    try rename(aside, to: source)
  }

  /// Makes the names in a folder, or the content of a file, survive a loss of power.
  static func synchronize(_ path: String) throws {
    let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw DurableFileError.last("open to flush", path) }
    defer { _ = Glibc.close(number) }
    guard fsync(number) == 0 else { throw DurableFileError.last("flush to the disk", path) }
  }

  /// What a path names, without following a link.
  enum Kind { case missing, folder, other }

  static func kind(_ path: String) throws -> Kind {
    var status = stat()
    if unsafe lstat(path, &status) != 0 {
      if errno == ENOENT { return .missing }
      throw DurableFileError.last("look up", path)
    }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .other
  }

  /// The names in a folder, sorted.
  static func contents(ofFolder path: String) throws -> [String] {
    guard let folder = unsafe opendir(path) else {
      throw DurableFileError.last("list the folder", path)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw DurableFileError.last("list the folder", path) }
    return names.sorted()
  }

  /// Creates one folder; its parent must exist.
  static func makeFolder(_ path: String) throws {
    guard unsafe mkdir(path, 0o755) == 0 else {
      throw DurableFileError.last("create the folder", path)
    }
  }

  /// Removes a file, or a folder with all that is in it; links are removed, not followed.
  static func remove(_ path: String) throws {
    switch try kind(path) {
    case .missing: return
    case .other:
      guard unsafe unlink(path) == 0 else { throw DurableFileError.last("remove", path) }
    case .folder:
      for name in try contents(ofFolder: path) { try remove("\(path)/\(name)") }
      guard unsafe rmdir(path) == 0 else { throw DurableFileError.last("remove", path) }
    }
  }

  /// Flushes everything below a folder, and the folder itself, to the disk.
  static func synchronizeTree(_ path: String) throws {
    for name in try contents(ofFolder: path) {
      let child = "\(path)/\(name)"
      var status = stat()
      guard unsafe lstat(child, &status) == 0 else {
        throw DurableFileError.last("look up", child)
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try synchronizeTree(child)
      case S_IFREG: try synchronize(child)
      default: break
      }
    }
    try synchronize(path)
  }
}
