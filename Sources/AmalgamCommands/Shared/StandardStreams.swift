import Foundation

/// Messages for people.
enum StandardError {
  /// Writes text; where nobody can read it (a full disk behind a redirection) work goes on.
  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// Output for machines.
enum MachineOutput {
  /// A value as one JSON document with sorted keys.
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Prints a value as one JSON document with sorted keys.
  ///
  /// - Throws: `CommandFailure` if it cannot be written: half a document is no result.
  static func print(_ value: some Encodable) throws {
    let bytes = Data(try text(value).utf8)
    do {
      try FileHandle.standardOutput.write(contentsOf: bytes)
    } catch {
      throw CommandFailure.failure("standard output: cannot be written (is the disk full?)")
    }
  }
}
