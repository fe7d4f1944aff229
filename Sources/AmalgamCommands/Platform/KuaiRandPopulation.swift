import Foundation
import FusionMDP
import SeededRandom
import SessionLogs
import UserSimulator

/// The users and videos of a platform, taken from a KuaiRand log.
///
/// Users are drawn among those with an impression, videos among those that the log shows; each
/// video's exposure count is the log's. Profiles are the features that the data set has of a user.
struct KuaiRandPopulation {
  /// The KuaiRand ids of the users, ascending [U].
  let userIDs: [Int64]
  /// The KuaiRand ids of the videos, ascending [V].
  let videoIDs: [Int64]
  /// The users as the platform knows them.
  let users: PlatformUsers
  /// The videos as the platform knows them.
  let videos: PlatformVideos

  /// How logs, policies and experiments call a user.
  static func name(ofUser id: Int64) -> String { "u\(id)" }

  /// How logs call a video.
  static func name(ofVideo id: Int64) -> String { "v\(id)" }

  /// Draws a population.
  ///
  /// Videos are drawn in proportion to the log's exposures, without replacement, so that a small
  /// catalogue looks like what users met.
  ///
  /// - Throws: `CommandFailure.usage` if the log holds fewer users or videos than asked for.
  init(
    _ folder: KuaiRandFolder, userCount: Int, videoCount: Int, stream: RandomStream
  ) throws {
    let known = Set(folder.users.ids)
    let seen = Set(folder.log.userIDs).intersection(known).sorted()
    userIDs = try Self.drawUsers(userCount, from: seen, stream: stream.child("users"))
    let catalogue = folder.videos
    var exposures: [Int64: Double] = [:]
    for video in folder.log.videoIDs { exposures[video, default: 0] += 1 }
    let rows = catalogue.ids.indices.filter { row in
      exposures[catalogue.ids[row]] != nil
        && catalogue.durationSeconds[row] >= PlatformVideos.shortestSeconds
    }
    let chosen = try Self.drawVideos(
      videoCount, rows: rows, weights: rows.map { exposures[catalogue.ids[$0]] ?? 0 },
      stream: stream.child("videos"))
    videoIDs = chosen.map { catalogue.ids[$0] }
    users = Self.users(userIDs, table: folder.users, log: folder.log)
    var topics: [String: Int] = [:]
    for row in chosen where topics[catalogue.tags[row]] == nil {
      topics[catalogue.tags[row]] = topics.count
    }
    videos = PlatformVideos(
      durationSeconds: chosen.map { catalogue.durationSeconds[$0] },
      topics: chosen.map { topics[catalogue.tags[$0]] ?? 0 },
      exposures: chosen.map { exposures[catalogue.ids[$0]] ?? 1 })
  }

  private static func drawUsers(
    _ count: Int, from seen: [Int64], stream: RandomStream
  ) throws -> [Int64] {
    guard count <= seen.count else {
      throw CommandFailure.usage(
        "platform.users: expected at most \(seen.count) (the log's users), found \(count)")
    }
    var stream = stream
    return stream.shuffled(seen.count).prefix(count).map { seen[$0] }.sorted()
  }

  /// Weighted sampling without replacement: the largest log(u) / w win (Efraimidis, Spirakis 2006).
  private static func drawVideos(
    _ count: Int, rows: [Int], weights: [Double], stream: RandomStream
  ) throws -> [Int] {
    guard count <= rows.count else {
      throw CommandFailure.usage(
        "platform.videos: expected at most \(rows.count) (the log's videos), found \(count)")
    }
    var stream = stream
    let keys = weights.map { log(1 - stream.uniform()) / $0 }
    let order = rows.indices.sorted { (keys[$0], $1) > (keys[$1], $0) }
    return order.prefix(count).map { rows[$0] }.sorted()
  }

  private static func users(
    _ ids: [Int64], table: KuaiRandUsers, log records: KuaiRandLog
  ) -> PlatformUsers {
    var row: [Int64: Int] = [:]
    for (index, id) in table.ids.enumerated() { row[id] = index }
    var impressions: [Int64: Double] = [:]
    for user in records.userIDs { impressions[user, default: 0] += 1 }
    let degrees = Set(table.activeDegrees).sorted()
    let counts = [
      ("log_follows", table.followCounts), ("log_fans", table.fanCounts),
      ("log_friends", table.friendCounts), ("log_register_days", table.registerDays),
    ]
    let flags = [
      ("is_live_streamer", table.isLiveStreamer), ("is_video_author", table.isVideoAuthor),
    ]
    var profiles: [Float] = []
    for id in ids {
      let index = row[id] ?? 0
      profiles += counts.map { log1p($0.1[index] > 0 ? $0.1[index] : 0) }  // unknown is 0
      profiles += flags.map { $0.1[index] > 0 ? 1 : 0 }
      profiles += degrees.map { $0 == table.activeDegrees[index] ? 1 : 0 }
    }
    return PlatformUsers(
      hashes: ids.map { stableHash(name(ofUser: $0)) },
      profileNames: (counts + flags).map(\.0) + degrees.map { "active_degree_\($0)" },
      profiles: profiles, activity: ids.map { impressions[$0] ?? 0 })
  }
}
