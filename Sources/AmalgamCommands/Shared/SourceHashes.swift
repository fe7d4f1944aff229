import Crypto
import DurableFiles

/// Content hashes of the files that a result was made from.
enum SourceHashes {
  /// The SHA-256 of a file's bytes in hexadecimal, read in blocks.
  ///
  /// - Throws: `DurableFileError`.
  static func sha256(ofFile path: String) throws -> String {
    let file = try DurableFiles.map(path)
    var hash = SHA256()
    let blockSize = 1 << 20
    var block = [UInt8](repeating: 0, count: min(blockSize, file.count))
    var start = 0
    while start < file.count {
      let count = min(blockSize, file.count - start)
      if count < block.count { block.removeLast(block.count - count) }
      file.copy(start..<start + count, into: &block, at: 0)
      hash.update(data: block)
      start += count
    }
    let digits = Array("0123456789abcdef")
    return String(hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
