import AmalgamCommands
import DurableFiles
import Foundation
import UserSimulator

/// A made-up platform of 20 users and 90 videos in the folder `platform`, as `reproduce` would leave
/// it.
struct PlatformFixture {
  static let userCount = 20
  static let videoCount = 90

  let scratch: ScratchFolder
  /// The platform's folder.
  var platform: String { path("platform") }

  init() throws {
    scratch = try ScratchFolder()
    try DurableFiles.makeFolders(platform)
    let (users, videos) = (Self.userCount, Self.videoCount)
    let data = try PlatformData.synthetic(users: users, videos: videos, seed: 1)
    let rows = (0..<users).map { data.impressions.row(user: $0) }
    try PlatformFolder.writeTables(
      profiles: data.users.profiles, profileCount: data.users.profileNames.count,
      scores: rows.flatMap(\.scores), responses: rows.flatMap(\.responses), users: users,
      videos: videos, to: platform + "/tables.safetensors")
    try PlatformFolder.writeDescription(
      of: SimulatedPlatform(data: data, fit: .start(types: 5), seed: 3),
      userIDs: (0..<users).map { "u\($0)" }, videoIDs: (0..<videos).map { "v\($0)" }, seed: 3,
      to: platform)
  }

  func path(_ name: String) -> String { scratch.file(name) }

  /// What `platform.json` holds.
  func description() throws -> [String: Any] {
    let bytes = try DurableFiles.read(platform + "/platform.json")
    return try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
  }

  /// Replaces `platform.json`.
  func write(_ description: [String: Any]) throws {
    try DurableFiles.write(
      Array(JSONSerialization.data(withJSONObject: description)),
      to: platform + "/platform.json")
  }

  /// Runs a verb on the platform.
  func run(_ verb: [String], _ more: String...) throws -> AmalgamProcess {
    try AmalgamProcess(verb + ["--platform", platform] + more)
  }
}
