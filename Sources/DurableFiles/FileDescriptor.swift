import Glibc

/// An open file: closed when the last reference goes.
final class FileDescriptor {
  let path: String
  private var number: Int32

  private init(path: String, number: Int32) {
    self.path = path
    self.number = number
  }

  deinit { if number >= 0 { _ = Glibc.close(number) } }

  /// Opens an existing file for reading.
  static func reading(_ path: String) throws -> FileDescriptor {
    let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw DurableFileError.last("open the file for reading", path) }
    return FileDescriptor(path: path, number: number)
  }

  /// Creates a file that must not exist; nil when it does.
  static func creating(_ path: String) throws -> FileDescriptor? {
    let number = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    if number < 0 && errno == EEXIST { return nil }
    guard number >= 0 else { throw DurableFileError.last("create the file", path) }
    return FileDescriptor(path: path, number: number)
  }

  /// Opens a file to append to, creating it if need be, and waits until no other process appends.
  static func appending(_ path: String) throws -> FileDescriptor {
    let number = unsafe Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw DurableFileError.last("open the file to append to", path) }
    let file = FileDescriptor(path: path, number: number)
    while flock(number, LOCK_EX) != 0 {
      guard errno == EINTR else { throw DurableFileError.last("lock", path) }
    }
    return file
  }

  /// Opens a file that stands for a lock, and takes the lock; nil when somebody else has it.
  static func owning(_ path: String) throws -> FileDescriptor? {
    let number = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw DurableFileError.last("open the lock", path) }
    let file = FileDescriptor(path: path, number: number)
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return nil }
      guard errno == EINTR else { throw DurableFileError.last("lock", path) }
    }
    return file
  }

  /// The last byte of a file of `size` bytes; nil of an empty one.
  func lastByte(size: Int) throws -> UInt8? {
    guard size > 0 else { return nil }
    var byte: UInt8 = 0
    let count = unsafe withUnsafeMutableBytes(of: &byte) { buffer in
      unsafe pread(number, buffer.baseAddress, 1, off_t(size - 1))
    }
    guard count == 1 else { throw DurableFileError.last("read", path) }
    return byte
  }

  /// Cuts the file back to a length.
  func truncate(to size: Int) throws {
    guard ftruncate(number, off_t(size)) == 0 else { throw DurableFileError.last("cut back", path) }
  }

  /// Cuts the file back to a length, and goes on writing there.
  func cutBack(to size: Int) throws {
    try truncate(to: size)
    guard lseek(number, off_t(size), SEEK_SET) >= 0 else {
      throw DurableFileError.last("go back", path)
    }
  }

  /// Writes all bytes, however many calls that takes.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count {
      var wanted = bytes.count - written
      if let allowance = SimulatedFullDisk.allowance {
        wanted = allowance.take(wanted)
        if wanted == 0 {
          throw DurableFileError.system(operation: "write", path: path, code: ENOSPC)
        }
      }
      let count = unsafe Glibc.write(number, bytes.baseAddress?.advanced(by: written), wanted)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw DurableFileError.last("write", path) }
      written += count
    }
  }

  /// Reads up to `buffer.count` bytes; fewer only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = unsafe Glibc.read(
        number, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw DurableFileError.last("read", path) }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// The length of the file in bytes.
  ///
  /// - Throws: ``DurableFileError`` when it is not a regular file.
  func size() throws -> Int {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else {
      throw DurableFileError.last("read the size", path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DurableFileError.malformed(path: path, reason: "is not a regular file")
    }
    return Int(status.st_size)
  }

  /// Maps the whole file, which must not be empty, for reading.
  func map(byteCount: Int) throws -> UnsafeRawPointer {
    let address = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, number, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw DurableFileError.last("map the file into memory", path)
    }
    return UnsafeRawPointer(address)
  }

  /// Waits until the bytes are on the disk.
  func synchronize() throws {
    guard fsync(number) == 0 else { throw DurableFileError.last("flush to the disk", path) }
  }

  /// Closes the file; an error that was held back until now is thrown.
  func close() throws {
    guard number >= 0 else { return }
    let result = Glibc.close(number)
    number = -1
    guard result == 0 else { throw DurableFileError.last("close", path) }
  }
}
