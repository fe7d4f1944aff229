import Glibc

/// A file's bytes, mapped into memory and read as they are needed.
///
/// The file must keep its length while it is mapped; files written by this module do, as they
/// are replaced and never changed in place.
// The mapping is private, read-only and constant after init: reading it from any thread is safe.
@safe final class MappedFile: @unchecked Sendable {
  let path: String
  let byteCount: Int
  private let address: UnsafeRawPointer?

  /// Maps the file at `path`.
  ///
  /// - Throws: ``DurableFileError``.
  init(path: String) throws {
    self.path = path
    let file = try FileDescriptor.reading(path)
    byteCount = try file.size()
    unsafe address = byteCount > 0 ? try unsafe file.map(byteCount: byteCount) : nil
  }

  deinit {
    if let address = unsafe address {
      unsafe munmap(UnsafeMutableRawPointer(mutating: address), byteCount)
    }
  }

  /// Copies the bytes of `range`.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    unsafe [UInt8](region(range))
  }

  /// Copies elements of a plain type, wherever they begin, to `target` from `index` on.
  func copy<Element: BitwiseCopyable>(
    from offset: Int, count: Int, into target: inout [Element], at index: Int
  ) {
    precondition(
      index >= 0 && count >= 0 && index + count <= target.count,
      "copying \(count) elements to index \(index) of an array of \(target.count)")
    guard count > 0 else { return }
    let size = count * MemoryLayout<Element>.stride
    let source = unsafe region(offset..<offset + size)
    unsafe target.withUnsafeMutableBytes { bytes in
      let start = index * MemoryLayout<Element>.stride
      unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + size])
        .copyMemory(from: source)
    }
  }

  /// One element of a plain type, wherever it begins.
  func element<Element: BitwiseCopyable>(at offset: Int, as type: Element.Type) -> Element {
    unsafe region(offset..<offset + MemoryLayout<Element>.size).loadUnaligned(as: type)
  }

  private func region(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= byteCount,
      "bytes \(range) of a file of \(byteCount): \(path)")
    return unsafe UnsafeRawBufferPointer(
      start: address?.advanced(by: range.lowerBound), count: range.count)
  }
}
