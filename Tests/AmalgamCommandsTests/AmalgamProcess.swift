import Foundation
import Testing

/// One run of the real binary, which the build puts beside these tests: what it printed and how
/// it ended.
struct AmalgamProcess {
  /// The exit status; −n if signal n ended the process.
  let status: Int32
  /// What went to standard output.
  let output: String
  /// What went to standard error.
  let errors: String

  /// The binary.
  static let path = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("amalgam").path

  /// Runs `amalgam` with these arguments to its end, which must come within four minutes.
  ///
  /// - Parameters:
  ///   - fileSizeLimit: no file may grow beyond so many blocks of 512 bytes.
  ///   - outputPath: where standard output goes instead of to `output`.
  ///   - searchPath: where programs are looked for.
  init(
    _ arguments: [String], fileSizeLimit: Int? = nil, outputPath: String? = nil,
    searchPath: String? = nil
  ) throws {
    let scratch = try ScratchFolder()
    let (output, errors) = (scratch.file("output"), scratch.file("errors"))
    let process = Process()
    if let fileSizeLimit {
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments =
        ["-c", "ulimit -f \(fileSizeLimit) && exec \"$0\" \"$@\"", Self.path] + arguments
    } else {
      process.executableURL = URL(fileURLWithPath: Self.path)
      process.arguments = arguments
    }
    if let searchPath {
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["PATH": searchPath], uniquingKeysWith: { $1 })
    }
    // Files and not pipes: a pipe is inherited by children that other tests start meanwhile.
    process.standardInput = FileHandle.nullDevice
    process.standardOutput =
      if let outputPath {
        try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
      } else {
        try Self.handle(output)
      }
    process.standardError = try Self.handle(errors)
    try process.run()
    let guardian = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 240, execute: guardian)
    process.waitUntilExit()
    guardian.cancel()
    status = process.terminationStatus * (process.terminationReason == .exit ? 1 : -1)
    self.output = outputPath == nil ? try String(contentsOfFile: output, encoding: .utf8) : ""
    self.errors = try String(contentsOfFile: errors, encoding: .utf8)
  }

  /// The JSON on standard output, whose keys are in snake case.
  func decoded<Printed: Decodable>(_ type: Printed.Type) throws -> Printed {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(output.utf8))
  }

  /// Runs `amalgam` until `file` is there, then sends SIGINT; the exit status.
  static func interrupted(_ arguments: [String], after file: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<30_000 where process.isRunning && !FileManager.default.fileExists(atPath: file) {
      Thread.sleep(forTimeInterval: 0.01)
    }
    process.interrupt()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static func handle(_ path: String) throws -> FileHandle {
    try Data().write(to: URL(fileURLWithPath: path))
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  /// Expects an error: its status, one line that says all of `parts`, nothing printed, and no
  /// trace of Swift's own words for errors.
  func expectError(
    _ status: Int32, saying parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(self.status == status, "\(errors)", sourceLocation: sourceLocation)
    #expect(output == "", sourceLocation: sourceLocation)
    #expect(errors.hasSuffix("\n"), sourceLocation: sourceLocation)
    for part in parts {
      #expect(errors.contains(part), "\(errors)", sourceLocation: sourceLocation)
    }
    for noise in ["Context(", "Optional(", "Error(", "CodingKeys", "Swift.", "NSError"] {
      #expect(!errors.contains(noise), "\(errors)", sourceLocation: sourceLocation)
    }
  }
}

/// Where the repository stands on this machine.
enum RepositoryFolder {
  static let path = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}

/// A folder that is removed with the last reference to it.
final class ScratchFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-commands-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Everything below `name`, hidden files too: paths and sizes, to see that nothing changed.
  func listing(_ name: String = "") throws -> [String] {
    let folder = name.isEmpty ? path : file(name)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
    return try paths.sorted().map { item in
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(item)")
      let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
      return isFolder ? "\(item)/" : "\(item) \(attributes[.size] ?? 0)"
    }
  }
}
