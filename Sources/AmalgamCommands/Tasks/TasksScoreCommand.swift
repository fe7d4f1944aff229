import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import MultiTaskModels

/// `amalgam tasks score`.
struct TasksScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Score users with videos as of the end of the days that the model learned from.",
    discussion: "Writes one JSON object a line: user_id, video_id and one number a task.")

  @OptionGroup var options: TaskOptions

  @Option(name: .customLong("model"), help: "The folder that `tasks train` wrote.")
  var folder: String

  @Option(help: "The ids of the users, parted by commas.")
  var users: String

  @Option(help: "The ids of the videos, parted by commas.")
  var videos: String

  @Option(help: "The surface of the app; 1 is the main feed.")
  var surface = 1

  @Option(help: "The hour of day, 0 to 23.")
  var hour = 20

  @Option(help: "The file to write.")
  var output: String

  func validate() throws {
    guard (0..<BehaviorStatistics.surfaceCount).contains(surface) else {
      throw ValidationError(
        "--surface \(surface): expected 0 to \(BehaviorStatistics.surfaceCount - 1)")
    }
    guard (0..<24).contains(hour) else { throw ValidationError("--hour \(hour): expected 0 to 23") }
  }

  func run() throws {
    let stage = try options.stage(
      lastTrainingDate: TaskModelFolder.lastTrainingDate(of: folder))
    let model = try TaskModelFolder.read(folder, builder: stage.builder)
    let userRows = try rows(of: users, among: stage.data.userIDs, "--users")
    let videoRows = try rows(of: videos, among: stage.data.videoIDs, "--videos")
    let table = model.scoreTable(
      users: userRows, videos: videoRows, builder: stage.builder,
      context: ServingContext(surface: surface, hour: hour)
    ) { _ in }
    let writer = try DurableLineWriter(path: output)
    var start = 0
    for user in userRows {
      for video in videoRows {
        let scores = zip(model.schema.names, table[start..<start + model.schema.count])
          .map { "\"\($0)\": \($1)" }.joined(separator: ", ")
        try writer.writeLine(
          "{\"user_id\": \(stage.data.userIDs[user]), "
            + "\"video_id\": \(stage.data.videoIDs[video]), \(scores)}")
        start += model.schema.count
      }
    }
    try writer.finish()
    try StandardOutput.print("wrote \(userRows.count * videoRows.count) lines to \(output)")
  }

  private func rows(of list: String, among ids: [Int64], _ flag: String) throws -> [Int] {
    let known = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    return try list.split(separator: ",").map { part in
      guard let id = Int64(part), let row = known[id] else {
        throw CommandFailure.usage("\(flag): \(part) is no id of the data")
      }
      return row
    }
  }
}
