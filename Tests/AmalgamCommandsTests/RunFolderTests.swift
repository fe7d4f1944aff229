import AmalgamCommands
import DurableFiles
import Foundation
import Testing

@Suite("run folders")
struct RunFolderTests {
  private struct Settings: Codable {
    var seed = 1
    var threads = 2
  }

  private let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-run-\(UUID().uuidString)").path

  @Test("a finished stage is not run again on resume, and gives what it found")
  func stagesRunOnce() throws {
    defer { try? DurableFiles.remove(path) }
    let first = try RunFolder(path: path, configuration: Settings(), resume: false)
    #expect(try first.stage("search") { [1, 2] } == [1, 2])
    let second = try RunFolder(path: path, configuration: Settings(), resume: true)
    #expect(try second.stage("search") { [9] } == [1, 2])
    #expect(try second.finished("train", as: [Int].self) == nil)
  }

  @Test("a stage that throws is not recorded")
  func failedStage() throws {
    defer { try? DurableFiles.remove(path) }
    let run = try RunFolder(path: path, configuration: Settings(), resume: false)
    #expect(throws: CommandFailure.self) {
      _ = try run.stage("search") { () -> [Int] in throw CommandFailure.failure("no") }
    }
    #expect(try run.stage("search") { [3] } == [3])
  }

  @Test("a folder that holds a run is refused without --resume")
  func refusesExisting() throws {
    defer { try? DurableFiles.remove(path) }
    _ = try RunFolder(path: path, configuration: Settings(), resume: false)
    let error = #expect(throws: CommandFailure.self) {
      _ = try RunFolder(path: path, configuration: Settings(), resume: false)
    }
    #expect(error?.kind == .usage)
  }

  @Test("resuming with another configuration is refused")
  func refusesOtherConfiguration() throws {
    defer { try? DurableFiles.remove(path) }
    _ = try RunFolder(path: path, configuration: Settings(), resume: false)
    #expect(throws: CommandFailure.self) {
      _ = try RunFolder(path: path, configuration: Settings(seed: 2), resume: true)
    }
    #expect(throws: CommandFailure.self) {
      _ = try RunFolder(
        path: path, configuration: Settings(seed: 2), resume: true, ignoring: ["threads"])
    }
  }

  @Test("what changes no bit may differ where it is said to")
  func ignoresThreads() throws {
    defer { try? DurableFiles.remove(path) }
    _ = try RunFolder(path: path, configuration: Settings(), resume: false)
    #expect(throws: CommandFailure.self) {
      _ = try RunFolder(path: path, configuration: Settings(threads: 1), resume: true)
    }
    _ = try RunFolder(
      path: path, configuration: Settings(threads: 1), resume: true, ignoring: ["threads"])
  }

  @Test(
    "a folder of a run that was killed before its configuration stood is started in",
    arguments: [true, false])
  func startsInUnused(resume: Bool) throws {
    defer { try? DurableFiles.remove(path) }
    try DurableFiles.makeFolders("\(path)/stages")
    try DurableFiles.write("half", to: "\(path)/.configuration.json.7-1.partial")
    let run = try RunFolder(path: path, configuration: Settings(), resume: resume)
    #expect(try run.stage("search") { [3] } == [3])
    #expect(DurableFiles.exists("\(path)/configuration.json"))
  }

  @Test("stages without a configuration are no run, and are kept")
  func refusesStagesWithoutConfiguration() throws {
    defer { try? DurableFiles.remove(path) }
    try DurableFiles.makeFolders("\(path)/stages")
    try DurableFiles.write("[1]", to: "\(path)/stages/search.json")
    #expect(throws: CommandFailure.self) {
      _ = try RunFolder(path: path, configuration: Settings(), resume: true)
    }
    #expect(try DurableFiles.readText("\(path)/stages/search.json") == "[1]")
  }

  @Test("a damaged record of a stage is named with its field")
  func damagedRecord() throws {
    defer { try? DurableFiles.remove(path) }
    let run = try RunFolder(path: path, configuration: Settings(), resume: false)
    #expect(try run.stage("search") { [1] } == [1])
    try DurableFiles.write("[1, \"x\"]", to: "\(path)/stages/search.json")
    let error = #expect(throws: DurableFileError.self) {
      try run.finished("search", as: [Int].self)
    }
    #expect(
      error?.description
        == "\(path)/stages/search.json: [1]: expected a whole number, found a string")
  }

  @Test("a folder with somebody else's files is refused")
  func refusesForeignFolder() throws {
    defer { try? DurableFiles.remove(path) }
    try DurableFiles.makeFolders(path)
    try DurableFiles.write("mine", to: "\(path)/thesis.txt")
    #expect(throws: CommandFailure.self) {
      _ = try RunFolder(path: path, configuration: Settings(), resume: true)
    }
  }
}
