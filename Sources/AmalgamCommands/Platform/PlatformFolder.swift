import DurableFiles
import Foundation
import FusionMDP
package import UserSimulator

/// A fitted platform as a folder, written once and moved into place atomically.
///
///     platform.json        population, assumptions, fitted constants, seed
///     tables.safetensors   profiles [U,P], scores [U,V,K], responses [U,V,K]; read by mapping, so
///                          the tables may be larger than memory
package struct PlatformFolder {
  /// The layout's version.
  static let schema = 1

  /// What `platform.json` holds.
  struct Description: Codable {
    var schema = PlatformFolder.schema
    var seed: UInt64
    var userIDs: [String]
    var videoIDs: [String]
    var userHashes: [UInt64]
    var profileNames: [String]
    var activity: [Double]
    var durationSeconds: [Float]
    var topics: [Int]
    var exposures: [Double]
    var candidateCount: Int
    var assumptions: Assumptions
    var fit: PlatformFit
  }

  /// The platform, ready to run.
  let platform: SimulatedPlatform
  /// The users' names in logs [U].
  let userIDs: [String]
  /// The videos' names in logs [V].
  let videoIDs: [String]

  /// Opens a platform folder.
  ///
  /// - Throws: `CommandFailure.usage` naming folder or file, field, what was expected and found;
  ///   `DurableFileError` for files that cannot be read.
  init(path: String) throws {
    let file = "\(path)/platform.json"
    guard DurableFiles.exists(file) else {
      throw CommandFailure.usage(
        "\(path): no platform.json; expected a folder that `amalgam reproduce` wrote")
    }
    let description = try JSONFile.read(Description.self, from: file)
    guard description.schema == Self.schema else {
      throw CommandFailure.usage(
        "\(file): schema: expected \(Self.schema), found \(description.schema)")
    }
    do {
      platform = try description.platform(tables: Safetensors.read("\(path)/tables.safetensors"))
    } catch let error as PlatformError {
      throw CommandFailure.usage("\(path): \(error)")
    }
    userIDs = description.userIDs
    videoIDs = description.videoIDs
  }

  /// Writes what `platform.json` holds of a fitted platform.
  ///
  /// - Throws: `DurableFileError`.
  static func writeDescription(
    of platform: SimulatedPlatform, population: KuaiRandPopulation, seed: UInt64, to path: String
  ) throws {
    try writeDescription(
      of: platform, userIDs: population.userIDs.map(KuaiRandPopulation.name(ofUser:)),
      videoIDs: population.videoIDs.map(KuaiRandPopulation.name(ofVideo:)), seed: seed, to: path)
  }

  /// Writes what `platform.json` holds of a fitted platform with these names of users and videos.
  ///
  /// - Throws: `DurableFileError`.
  package static func writeDescription(
    of platform: SimulatedPlatform, userIDs: [String], videoIDs: [String], seed: UInt64,
    to path: String
  ) throws {
    let users = platform.data.users
    let videos = platform.data.videos
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = try encoder.encode(
      Description(
        seed: seed, userIDs: userIDs, videoIDs: videoIDs, userHashes: users.hashes,
        profileNames: users.profileNames, activity: users.activity,
        durationSeconds: videos.durationSeconds, topics: videos.topics,
        exposures: videos.exposures, candidateCount: platform.configuration.candidateCount,
        assumptions: platform.assumptions, fit: platform.fit))
    try DurableFiles.write(Array(json), to: "\(path)/platform.json")
  }

  /// Writes the tables of a population: rows of users come in order from `row`.
  package static func writeTables(
    profiles: [Float], profileCount: Int, scores: [Float], responses: [Float], users: Int,
    videos: Int, to path: String
  ) throws {
    let width = TaskSchema.standard.count
    try Safetensors.write(
      [
        ("profiles", Tensor(profiles, shape: [users, profileCount])),
        ("scores", Tensor(scores, shape: [users, videos, width])),
        ("responses", Tensor(responses, shape: [users, videos, width])),
      ], metadata: ["format": "amalgam-platform"], to: path)
  }
}

extension PlatformFolder.Description {
  /// The platform with its tables.
  ///
  /// - Throws: `PlatformError`, `CommandFailure.usage` and `DurableFileError` for parts that do
  ///   not fit each other.
  fileprivate func platform(tables: SafetensorsFile) throws -> SimulatedPlatform {
    for (field, names, count) in [
      ("userIDs", userIDs, userHashes.count), ("videoIDs", videoIDs, durationSeconds.count),
    ] {
      guard names.count == count else {
        throw PlatformError.count(what: field, expected: count, found: names.count)
      }
      guard Set(names).count == count else {
        throw PlatformError.count(
          what: "different \(field)", expected: count, found: Set(names).count)
      }
    }
    let profiles = try tables.tensor("profiles")
    guard profiles.shape == [userHashes.count, profileNames.count] else {
      throw CommandFailure.usage(
        "\(tables.path): profiles: expected [\(userHashes.count), \(profileNames.count)], found "
          + "\(profiles.shape)")
    }
    let data = try PlatformData(
      users: PlatformUsers(
        hashes: userHashes, profileNames: profileNames,
        profiles: profiles.floats("profiles"), activity: activity),
      videos: PlatformVideos(
        durationSeconds: durationSeconds, topics: topics, exposures: exposures),
      impressions: MappedImpressions(tables))
    try data.checkImpressions()
    var configuration = PlatformConfiguration()
    configuration.candidateCount = candidateCount
    return try SimulatedPlatform(
      data: data, configuration: configuration, assumptions: assumptions, fit: fit, seed: seed)
  }
}

/// Impression rows read from a mapped file, one user at a time.
struct MappedImpressions: ImpressionModel {
  let userCount: Int
  let videoCount: Int
  private let width: Int
  private let scores: MappedFloats
  private let responses: MappedFloats

  /// The tables `scores` and `responses` [U,V,K] of a file.
  ///
  /// - Throws: `DurableFileError` for a missing table, `CommandFailure` for other shapes.
  init(_ file: SafetensorsFile) throws {
    scores = try file.mappedFloats("scores")
    responses = try file.mappedFloats("responses")
    let shape = scores.shape
    guard shape.count == 3, shape[2] == TaskSchema.standard.count, responses.shape == shape else {
      throw CommandFailure.usage(
        "\(file.path): expected scores and responses of [U, V, \(TaskSchema.standard.count)], "
          + "found \(shape) and \(responses.shape)")
    }
    userCount = shape[0]
    videoCount = shape[1]
    width = shape[1] * shape[2]
  }

  func row(user: Int) -> ImpressionRow {
    let range = user * width..<(user + 1) * width
    var score = [Float](repeating: 0, count: width)
    var response = score
    scores.copy(range, into: &score, at: 0)
    responses.copy(range, into: &response, at: 0)
    return ImpressionRow(scores: score, responses: response)
  }
}
