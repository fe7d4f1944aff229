import Synchronization

/// Lets a test run out of disk space after so many bytes, without a small disk.
///
/// Everything that this module writes inside `after(bytes:_:)`, on the same task, draws on one
/// allowance; a write that goes beyond it stores what still fits and then fails with `ENOSPC`,
/// as a real disk does.
public enum SimulatedFullDisk {
  @TaskLocal static var allowance: Allowance?

  /// The bytes that may still be written.
  final class Allowance: Sendable {
    private let bytesLeft: Mutex<Int>

    init(bytes: Int) { bytesLeft = Mutex(bytes) }

    /// Takes up to `count` bytes and returns how many were granted.
    func take(_ count: Int) -> Int {
      bytesLeft.withLock { left in
        let granted = min(left, count)
        left -= granted
        return granted
      }
    }
  }

  /// Runs `body` on a disk that has room for `bytes` more bytes.
  public static func after<Result>(bytes: Int, _ body: () throws -> Result) rethrows -> Result {
    try $allowance.withValue(Allowance(bytes: bytes), operation: body)
  }
}
