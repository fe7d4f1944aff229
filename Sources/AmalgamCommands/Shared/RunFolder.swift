import DurableFiles
import Foundation
import PolicyArtifacts

/// The folder of one run: its configuration, what each finished stage found, and the stages' files.
///
///     run/configuration.json   what was asked, whole
///     run/stages/NAME.json     what the finished stage NAME found; its presence means finished
///     run/…                    the stages' own files, each written whole or not at all
///
/// A stage whose record stands is not run again by `--resume`, so an interrupted run goes on where
/// it stopped; a stage cut in its middle starts anew or from its own checkpoint.
package struct RunFolder: Sendable {
  /// The folder.
  package let path: String

  /// Opens a folder for a run with `configuration`.
  ///
  /// - Parameter ignoring: keys of the configuration that change no bit of the run and may differ.
  /// - Throws: `CommandFailure.usage` if the folder holds something and `resume` is false, or if
  ///   it holds a run with another configuration and `resume` is true.
  package init(
    path: String, configuration: some Encodable, resume: Bool, ignoring: Set<String> = []
  ) throws {
    self.path = path
    let asked = try MachineOutput.record(configuration)
    let record = "\(path)/configuration.json"
    if DurableFiles.exists(record) {
      guard resume else {
        throw CommandFailure.usage(
          "\(path) already holds a run; give --resume to continue it or another --output")
      }
      let found = try DurableFiles.readText(record)
      let isSame =
        try found == asked
        || Self.settings(found, but: ignoring) == Self.settings(asked, but: ignoring)
      guard isSame else {
        throw CommandFailure.usage(
          "\(record) differs from the configuration asked for; --resume continues only the same run"
        )
      }
      return
    }
    guard try Self.isUnused(path) else {
      throw CommandFailure.usage("\(path) is not empty and holds no run; give another --output")
    }
    try DurableFiles.makeFolders(path)
    try DurableFiles.write(asked, to: record)
  }

  /// A configuration without some of its keys.
  private static func settings(
    _ text: String, but ignored: Set<String>
  ) throws -> [String: ConfigurationValue] {
    let whole = try JSONFile.decode(
      [String: ConfigurationValue].self, from: Array(text.utf8), path: "configuration")
    return whole.filter { !ignored.contains($0.key) }
  }

  /// Whether nothing is there, or only what a run leaves that was killed before its configuration
  /// stood: empty folders and temporary files of its own.
  private static func isUnused(_ path: String) throws -> Bool {
    guard DurableFiles.exists(path) else { return true }
    let names = try DurableFiles.names(inFolder: path)
    guard names == ["stages"] else { return names.isEmpty }
    return try DurableFiles.names(inFolder: "\(path)/stages").isEmpty
  }

  /// The path of a file or folder of the run.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// What a finished stage found, or nil.
  ///
  /// - Throws: `DurableFileError` naming the field of a damaged record.
  package func finished<Found: Decodable>(_ stage: String, as type: Found.Type) throws -> Found? {
    let record = file("stages/\(stage).json")
    guard DurableFiles.exists(record) else { return nil }
    return try JSONFile.read(type, from: record)
  }

  /// Runs a stage once: what it found is recorded, and given back by later calls.
  package func stage<Found: Codable>(
    _ name: String, _ body: () throws -> Found
  ) throws -> Found {
    if let found = try finished(name, as: Found.self) { return found }
    try Interruption.shared.check("stopped before stage \(name); --resume goes on from there")
    let found = try body()
    try DurableFiles.makeFolders(file("stages"))
    try DurableFiles.write(MachineOutput.record(found), to: file("stages/\(name).json"))
    return found
  }
}
