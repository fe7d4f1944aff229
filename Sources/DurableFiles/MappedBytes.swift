/// The bytes of a mapped file.
public typealias MappedBytes = MappedArray<UInt8>

extension DurableFiles {
  /// Maps a whole file of any kind, so that parts of it can be read by several threads.
  ///
  /// - Throws: ``DurableFileError``.
  public static func map(_ path: String) throws -> MappedBytes {
    let file = try MappedFile(path: path)
    return MappedBytes(file: file, offset: 0, shape: [file.byteCount])
  }
}
