package import FusionMDP

/// The users of a platform.
///
/// Shapes: U users, P profile features each.
package struct PlatformUsers: Sendable {
  /// Stable hashes of the users' ids [U], as policies and logs see them.
  package var hashes: [UInt64]
  /// Names of the profile features [P].
  package var profileNames: [String]
  /// Profile features, one row a user [U·P].
  package var profiles: [Float]
  /// How active each user is in the source log [U]; only the order is used.
  package var activity: [Double]
  /// What each user watched before the simulation starts [U], or nil for nothing.
  package var histories: [InteractionHistory]?

  /// Users with their profiles.
  package init(
    hashes: [UInt64], profileNames: [String], profiles: [Float], activity: [Double],
    histories: [InteractionHistory]? = nil
  ) {
    self.hashes = hashes
    self.profileNames = profileNames
    self.profiles = profiles
    self.activity = activity
    self.histories = histories
  }

  /// The number of users, U.
  package var count: Int { hashes.count }

  /// The profile features of one user [P].
  package func profile(of user: Int) -> [Float] {
    let size = profileNames.count
    return Array(profiles[user * size..<(user + 1) * size])
  }
}

/// The videos of a platform.
///
/// Shapes: V videos.
package struct PlatformVideos: Sendable {
  /// The shortest video that a platform takes: a skip is a play under 3 seconds, so shorter
  /// videos could be finished and skipped at once.
  package static let shortestSeconds: Float = 4
  /// The longest, a day.
  package static let longestSeconds: Float = 86_400

  /// Lengths in seconds [V], from `shortestSeconds` to `longestSeconds`.
  package var durationSeconds: [Float]
  /// The topic (tag) of each video [V], from 0.
  package var topics: [Int]
  /// How often each video was shown in the source log [V]; candidates are drawn in proportion.
  package var exposures: [Double]

  /// Videos with their lengths, topics and exposures.
  package init(durationSeconds: [Float], topics: [Int], exposures: [Double]) {
    self.durationSeconds = durationSeconds
    self.topics = topics
    self.exposures = exposures
  }

  /// The number of videos, V.
  package var count: Int { durationSeconds.count }
}

/// Everything that a platform is built from; nothing of it is a file.
package struct PlatformData: Sendable {
  /// The users.
  package let users: PlatformUsers
  /// The videos.
  package let videos: PlatformVideos
  /// What the ranker predicts and what the answering model answers.
  package let impressions: any ImpressionModel

  /// Data checked once at the door; `checkImpressions` checks the rows of the impression model.
  ///
  /// - Throws: `PlatformError` naming the user or video, the field, what was expected and found.
  package init(
    users: PlatformUsers, videos: PlatformVideos, impressions: any ImpressionModel
  ) throws(PlatformError) {
    try Self.check(users)
    try Self.check(videos)
    guard impressions.userCount == users.count else {
      throw .count(
        what: "users of the impression model", expected: users.count,
        found: impressions.userCount)
    }
    guard impressions.videoCount == videos.count else {
      throw .count(
        what: "videos of the impression model", expected: videos.count,
        found: impressions.videoCount)
    }
    self.users = users
    self.videos = videos
    self.impressions = impressions
  }

  /// Checks what the impression model says of every user and video.
  ///
  /// - Throws: `PlatformError` naming user, video and task of the first value out of range.
  /// - Complexity: O(U·V·K), every row is read.
  package func checkImpressions() throws(PlatformError) {
    for user in 0..<users.count {
      try impressions.row(user: user).check(user: user, videoCount: videos.count)
    }
  }

  private static func check(_ users: PlatformUsers) throws(PlatformError) {
    let userCount = users.count
    guard userCount > 0 else { throw .count(what: "users, at least", expected: 1, found: 0) }
    let features = users.profileNames.count
    guard users.profiles.count == userCount * features else {
      throw .count(
        what: "profile features of all users", expected: userCount * features,
        found: users.profiles.count)
    }
    guard users.activity.count == userCount else {
      throw .count(what: "activities of users", expected: userCount, found: users.activity.count)
    }
    if let histories = users.histories, histories.count != userCount {
      throw .count(what: "histories of users", expected: userCount, found: histories.count)
    }
    guard Set(users.hashes).count == userCount else {
      throw .count(
        what: "different user hashes", expected: userCount, found: Set(users.hashes).count)
    }
    for user in 0..<userCount where !users.activity[user].isFinite {
      throw .user(
        index: user, field: "activity", expected: "a finite number",
        found: "\(users.activity[user])")
    }
    for (index, value) in users.profiles.enumerated() where !value.isFinite {
      throw .user(
        index: index / features, field: users.profileNames[index % features],
        expected: "a finite number", found: "\(value)")
    }
  }

  private static func check(_ videos: PlatformVideos) throws(PlatformError) {
    let videoCount = videos.count
    guard videos.topics.count == videoCount else {
      throw .count(what: "topics of videos", expected: videoCount, found: videos.topics.count)
    }
    guard videos.exposures.count == videoCount else {
      throw .count(what: "exposures of videos", expected: videoCount, found: videos.exposures.count)
    }
    let lengths = PlatformVideos.shortestSeconds...PlatformVideos.longestSeconds
    for video in 0..<videoCount {
      let duration = videos.durationSeconds[video]
      guard lengths.contains(duration) else {
        throw .video(
          index: video, field: "duration",
          expected: duration > lengths.upperBound
            ? "at most \(lengths.upperBound) s" : "at least \(lengths.lowerBound) s",
          found: "\(duration) s")
      }
      guard videos.topics[video] >= 0, videos.topics[video] < 1 << 16 else {
        throw .video(
          index: video, field: "topic", expected: "a number in 0 ..< 65536",
          found: "\(videos.topics[video])")
      }
      guard videos.exposures[video] > 0, videos.exposures[video].isFinite else {
        throw .video(
          index: video, field: "exposures", expected: "a finite number above 0",
          found: "\(videos.exposures[video])")
      }
    }
  }
}
