import Foundation

/// Messages for people.
enum StandardError {
  /// Writes text; where nobody can read it (a full disk behind a redirection) work goes on.
  static func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}

/// Results for people.
enum StandardOutput {
  /// Writes lines.
  ///
  /// - Throws: `CommandFailure.failure` if they cannot be written whole: a result that nobody gets
  ///   is none, and a shell that reads it must not take the exit status for success.
  static func print(_ lines: [String]) throws { try write(lines.map { $0 + "\n" }.joined()) }

  /// Writes a line.
  ///
  /// - Throws: as for lines.
  static func print(_ line: String) throws { try Self.print([line]) }

  /// Writes text as it stands.
  ///
  /// - Throws: as for lines.
  static func write(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw CommandFailure.failure(
        "standard output: cannot be written (is the disk full?); files that were written stay")
    }
  }
}

/// Output for machines.
enum MachineOutput {
  /// A value as the JSON document that a verb prints or writes: sorted keys, in snake case.
  static func document(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try text(value, encoder)
  }

  /// A value as a run folder keeps it: sorted keys, as Swift names them.
  static func record(_ value: some Encodable) throws -> String { try text(value, JSONEncoder()) }

  private static func text(_ value: some Encodable, _ encoder: JSONEncoder) throws -> String {
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Prints a value as one document.
  ///
  /// - Throws: `CommandFailure` if it cannot be written: half a document is no result.
  static func print(_ value: some Encodable) throws { try StandardOutput.write(document(value)) }
}
