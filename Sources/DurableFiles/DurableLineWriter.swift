/// Streams bytes or lines to a file that appears under its name when it is finished.
///
/// Until ``finish()`` the bytes are in a temporary file in the same folder; a writer that is
/// dropped, abandoned or has failed removes it and leaves what stood under the name untouched.
/// Not for use from several threads at a time.
public final class DurableLineWriter {
  /// Where the file will be.
  public let path: String
  /// Bytes written so far, those still in the buffer included.
  public private(set) var byteCount = 0

  private let temporaryPath: String
  private let bufferSize: Int
  private var file: FileDescriptor?
  private var buffer: [UInt8] = []

  /// Opens the temporary file.
  ///
  /// - Parameter bufferSize: bytes gathered before they go to the file.
  /// - Throws: ``DurableFileError``, when the folder is missing or may not be written.
  public init(path: String, bufferSize: Int = 1 << 18) throws {
    self.path = path
    self.bufferSize = bufferSize
    while true {
      let candidate = Paths.temporaryName(beside: path)
      if let file = try FileDescriptor.creating(candidate) {
        self.file = file
        temporaryPath = candidate
        break
      }
    }
    buffer.reserveCapacity(bufferSize)
  }

  deinit { abandon() }

  /// Appends bytes.
  ///
  /// - Throws: ``DurableFileError``; the writer is then abandoned.
  public func write(_ bytes: [UInt8]) throws {
    byteCount += bytes.count
    if buffer.count + bytes.count <= bufferSize {
      requireOpen()
      buffer.append(contentsOf: bytes)
    } else {
      try flush()
      try store(bytes)
    }
  }

  /// Appends text as UTF-8.
  ///
  /// - Throws: ``DurableFileError``; the writer is then abandoned.
  public func write(_ text: String) throws {
    requireOpen()
    let before = buffer.count
    buffer.append(contentsOf: text.utf8)
    byteCount += buffer.count - before
    if buffer.count >= bufferSize { try flush() }
  }

  /// Appends text as UTF-8 and a line end.
  ///
  /// - Throws: ``DurableFileError``; the writer is then abandoned.
  public func writeLine(_ text: String) throws {
    try write(text)
    try write("\n")
  }

  /// Flushes everything to the disk and moves the file into place; the writer is then done.
  ///
  /// - Throws: ``DurableFileError``; the writer is then abandoned.
  public func finish() throws {
    try flush()
    do {
      try file?.synchronize()
      try file?.close()
      try Paths.rename(temporaryPath, to: path)
    } catch {
      abandon()
      throw error
    }
    file = nil
    try Paths.synchronize(Paths.split(path).folder)
  }

  /// Gives up: removes the temporary file. Does nothing after ``finish()``.
  public func abandon() {
    guard file != nil else { return }
    file = nil
    buffer = []
    try? Paths.remove(temporaryPath)
  }

  private func requireOpen() {
    precondition(file != nil, "write to '\(path)' after it was finished or abandoned")
  }

  private func flush() throws {
    requireOpen()
    try store(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private func store(_ bytes: [UInt8]) throws {
    do {
      try unsafe bytes.withUnsafeBytes { try unsafe file?.write($0) }
    } catch {
      abandon()
      throw error
    }
  }
}
