import FusionMDP

/// Everything that features read and that grows with the log: counts of impressions and
/// behaviors per user, video, author, tag, music, surface, length of video, and pairs of these.
///
/// It is filled in order of time, and a row's features are written before the row is counted,
/// so no feature can hold the label of the same or of a later impression.
package struct BehaviorStatistics: Sendable, Equatable {
  /// How many surfaces of the app are told apart; larger codes count as the last.
  package static let surfaceCount = 16
  /// The bounds between classes of length of video, seconds.
  static let durationBounds: [Float] = [10, 18, 30, 60, 120, 240]

  let taskCount: Int
  private let tagCount: Int
  var users, videos, authors, tags, music: RateTable
  var userSurfaces, userDurations, videoSurfaces, contexts: RateTable
  var userTags: SparseRateTable
  var total: RateTable
  /// [U] when each user was last seen, milliseconds since 1970; 0 when never.
  var lastTimesMilliseconds: [Int64]

  /// Statistics before the first impression.
  init(users: UserColumns, videos: VideoColumns, taskCount: Int) {
    func table(_ slots: Int) -> RateTable { RateTable(slots: slots, taskCount: taskCount) }
    self.taskCount = taskCount
    tagCount = VideoColumns.slots(videos.tags)
    self.users = table(users.count)
    self.videos = table(videos.count)
    authors = table(VideoColumns.slots(videos.authors))
    tags = table(tagCount)
    music = table(VideoColumns.slots(videos.music))
    userSurfaces = table(users.count * Self.surfaceCount)
    userDurations = table(users.count * Self.durationClassCount)
    videoSurfaces = table(videos.count * Self.surfaceCount)
    contexts = table(Self.surfaceCount * Self.durationClassCount)
    userTags = SparseRateTable(taskCount: taskCount)
    total = table(1)
    lastTimesMilliseconds = users.lastTimesMilliseconds
  }

  static var durationClassCount: Int { durationBounds.count + 1 }

  /// The class of length that a video falls into, 0…6.
  static func durationClass(_ seconds: Float) -> Int {
    durationBounds.count { seconds >= $0 }
  }

  func userTagKey(_ user: Int, _ tag: Int) -> Int { user * tagCount + tag }

  /// Counts one impression whose labels are known.
  mutating func count(
    user: Int, video: Int, surface: Int, catalogue: VideoColumns, labels: ArraySlice<Float>
  ) {
    let duration = Self.durationClass(catalogue.durationSeconds[video])
    let tag = catalogue.tags[video]
    users.add(labels, to: user)
    videos.add(labels, to: video)
    authors.add(labels, to: catalogue.authors[video])
    tags.add(labels, to: tag)
    music.add(labels, to: catalogue.music[video])
    userSurfaces.add(labels, to: user * Self.surfaceCount + surface)
    userDurations.add(labels, to: user * Self.durationClassCount + duration)
    videoSurfaces.add(labels, to: video * Self.surfaceCount + surface)
    contexts.add(labels, to: surface * Self.durationClassCount + duration)
    userTags.add(labels, to: userTagKey(user, tag))
    total.add(labels, to: 0)
  }

  /// [K] the rate of each task over all impressions counted; before the first 0.1, and 1 for
  /// tasks in log seconds.
  func overallRates(_ schema: TaskSchema) -> [Float] {
    (0..<taskCount).map { k in
      let start: Float = schema.tasks[k].domain == .seconds ? 1 : 0.1
      return total.smoothedMean(0, k, prior: start, strength: 10)
    }
  }
}
