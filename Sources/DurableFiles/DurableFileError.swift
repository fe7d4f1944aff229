import Glibc

/// What can go wrong with a file, with what is needed to act on it.
public enum DurableFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operating system refused an operation: which one, on which path, and its error number.
  case system(operation: String, path: String, code: Int32)
  /// The bytes of a file are not what its format asks for.
  case malformed(path: String, reason: String)
  /// A tensor file has no tensor of this name.
  case missingTensor(path: String, name: String, found: [String])
  /// A tensor has another element type or shape than its reader asks for.
  case unexpectedTensor(name: String, expected: String, found: String)

  /// One line for people: the path, what was tried, and why it failed.
  public var description: String {
    switch self {
    case .system(let operation, let path, let code):
      return "\(path): cannot \(operation): \(Self.text(ofErrorNumber: code))"
    case .malformed(let path, let reason):
      return "\(path): \(reason)"
    case .missingTensor(let path, let name, let found):
      let names = found.isEmpty ? "none" : found.joined(separator: ", ")
      return "\(path): no tensor named '\(name)'; the file holds: \(names)"
    case .unexpectedTensor(let name, let expected, let found):
      return "tensor '\(name)': expected \(expected), found \(found)"
    }
  }

  /// Whether the disk, or the user's share of it, is full.
  public var isOutOfSpace: Bool {
    guard case .system(_, _, let code) = self else { return false }
    return code == ENOSPC || code == EDQUOT
  }

  /// The text of an `errno` value; the common ones say more than the C library does.
  static func text(ofErrorNumber code: Int32) -> String {
    switch code {
    case ENOSPC: return "no space left on the disk (ENOSPC)"
    case EDQUOT: return "the disk quota is used up (EDQUOT)"
    case EFBIG: return "the file is larger than this process may write (EFBIG)"
    default:
      guard let text = unsafe strerror(code) else { return "error \(code)" }
      return unsafe "\(String(cString: text)) (errno \(code))"
    }
  }

  /// The error of a system call that has just failed.
  static func last(_ operation: String, _ path: String) -> DurableFileError {
    .system(operation: operation, path: path, code: errno)
  }
}
