import Foundation

/// The revision of the program's source, as policy artifacts record it.
enum Revision {
  /// `git describe --always --dirty` where the program was started inside its checkout, and
  /// `unknown` elsewhere. `AMALGAM_REVISION` overrides it.
  static var current: String {
    if let given = ProcessInfo.processInfo.environment["AMALGAM_REVISION"] { return given }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "describe", "--always", "--dirty"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      return "unknown"
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return process.terminationStatus == 0 && !text.isEmpty ? text : "unknown"
  }
}
