/// A lock that one owner holds, in this process or another; it ends with the owner's process.
///
/// It stands on a file that stays behind, empty: removing it could let two owners in.
public final class OwnerLock {
  /// The file of the lock.
  public let path: String
  private let file: FileDescriptor

  /// Takes the lock.
  ///
  /// - Returns: nil when somebody else holds it.
  /// - Throws: ``DurableFileError``.
  public init?(path: String) throws {
    guard let file = try FileDescriptor.owning(path) else { return nil }
    self.path = path
    self.file = file
  }
}
