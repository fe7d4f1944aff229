package import DenseKernels
package import FusionMDP

/// The inputs of a multi-task model for B impressions or candidate pairs.
package struct FeatureRows: Sendable, Equatable {
  /// [B, D] numbers, not yet normalized.
  package var numbers: Matrix
  /// [F][B] codes of categories, −1 where unknown.
  package var categories: [[Int]]

  /// The number of rows.
  package var count: Int { numbers.rows }

  /// Rows of numbers with their codes.
  package init(numbers: Matrix, categories: [[Int]]) {
    precondition(
      categories.allSatisfy { $0.count == numbers.rows },
      "columns of codes do not have \(numbers.rows) rows")
    self.numbers = numbers
    self.categories = categories
  }

  /// The rows at the indices, in their order.
  package func gather(_ indices: [Int]) -> FeatureRows {
    FeatureRows(
      numbers: numbers.gatherRows(indices),
      categories: categories.map { codes in indices.map { codes[$0] } })
  }
}

/// Where and when candidates are shown: what a pair of user and video does not say.
package struct ServingContext: Sendable, Equatable {
  /// The surface of the app; 1 is the main feed.
  package var surface: Int
  /// The hour of day, 0…23.
  package var hour: Int
  /// Hours since the user was last seen.
  package var hoursSinceLastSeen: Float

  /// By default the main feed at 20 h, 10 hours (the log's median gap) after the last time.
  package init(surface: Int = 1, hour: Int = 20, hoursSinceLastSeen: Float = 10) {
    self.surface = surface
    self.hour = hour
    self.hoursSinceLastSeen = hoursSinceLastSeen
  }
}

/// Turns impressions, and any pair of user, video and context, into the same features.
///
/// Features are as of the event: `features(of:)` walks the log by time, writes the features of
/// all rows of one time stamp, and only then counts those of them that are training rows. Rates
/// of rows to be predicted therefore come from training rows alone. When the user was last seen
/// follows every row, since it is no label.
package struct FeatureBuilder: Sendable {
  /// The tasks whose labels are counted.
  package let schema: TaskSchema
  let users: UserColumns
  let videos: VideoColumns
  let history: HistoryEffects
  /// What has been counted so far; candidates are scored from here.
  package private(set) var statistics: BehaviorStatistics
  /// The first task in log seconds; those follow the probabilities.
  let secondsFrom: Int

  /// A builder before the first impression.
  package init(users: UserColumns, videos: VideoColumns, schema: TaskSchema = .standard) {
    precondition(
      schema.count == TaskSchema.standard.count,
      "\(schema.count) tasks; the smoothing is set for \(TaskSchema.standard.count)")
    self.schema = schema
    self.users = users
    self.videos = videos
    secondsFrom = schema.tasks.firstIndex { $0.domain == .seconds } ?? schema.count
    history = HistoryEffects(users: users, videos: videos)
    statistics = BehaviorStatistics(users: users, videos: videos, taskCount: schema.count)
  }

  /// The number of users that pairs can be made of, U.
  package var userCount: Int { users.count }
  /// The number of videos, V.
  package var videoCount: Int { videos.count }

  /// The names of the numeric columns: user, then video, then cross features.
  package var numberNames: [String] {
    userNames + videoNames + crossNames
  }

  /// The names of the categories.
  package var categoryNames: [String] {
    ["user"] + users.categoryNames
      + ["video", "author", "tag", "upload_type", "surface", "hour"]
  }

  /// Which categories are ids with more values than are worth a vector each.
  package var idCategories: Set<String> { ["user", "video", "author"] }

  /// The features of every impression, each as of its own time; counts the training rows.
  package mutating func features(of log: ImpressionColumns) -> FeatureRows {
    precondition(log.count > 0, "features of an empty log")
    precondition(
      log.labels.columns == schema.count,
      "\(log.labels.columns) labels for \(schema.count) tasks")
    var blocks = (FeatureColumns(), FeatureColumns(), FeatureColumns())
    var start = 0
    while start < log.count {
      var end = start + 1
      while end < log.count, log.timesMilliseconds[end] == log.timesMilliseconds[start] {
        end += 1
      }
      precondition(
        end == log.count || log.timesMilliseconds[end] > log.timesMilliseconds[start],
        "impression \(end) is earlier than the one before it")
      let overall = statistics.overallRates(schema)
      for row in start..<end {
        let (user, video) = (log.users[row], log.videos[row])
        writeUser(user, overall, to: &blocks.0)
        writeVideo(video, overall, to: &blocks.1)
        let gap = hoursSinceLastSeen(user, at: log.timesMilliseconds[row])
        writeCross(
          user, video, surface: log.surfaces[row], hours: gap, overall, to: &blocks.2)
      }
      for row in start..<end { count(row, of: log) }
      start = end
    }
    let numbers = Matrix.joiningColumns([
      blocks.0.block(rows: log.count), blocks.1.block(rows: log.count),
      blocks.2.block(rows: log.count),
    ])
    let context = [log.surfaces, log.hours]
    return FeatureRows(
      numbers: numbers,
      categories: userCategories(log.users) + videoCategories(log.videos) + context)
  }

  private mutating func count(_ row: Int, of log: ImpressionColumns) {
    let user = log.users[row]
    statistics.lastTimesMilliseconds[user] = log.timesMilliseconds[row]
    guard log.isTraining[row] else { return }
    let width = log.labels.columns
    statistics.count(
      user: user, video: log.videos[row], surface: log.surfaces[row], catalogue: videos,
      labels: log.labels.values[row * width..<(row + 1) * width])
  }

  /// Hours since the user was last seen; 1000 if never.
  private func hoursSinceLastSeen(_ user: Int, at milliseconds: Int64) -> Float {
    let last = statistics.lastTimesMilliseconds[user]
    guard last > 0 else { return 1000 }
    return Float(max(milliseconds - last, 0)) / 3_600_000
  }

  /// The codes of the user's categories, [F_u][B].
  func userCategories(_ rows: [Int]) -> [[Int]] {
    [rows] + users.categories.map { codes in rows.map { codes[$0] } }
  }

  /// The codes of the video's categories, [F_v][B].
  func videoCategories(_ rows: [Int]) -> [[Int]] {
    [
      rows, rows.map { videos.authors[$0] }, rows.map { videos.tags[$0] },
      rows.map { videos.uploadTypes[$0] },
    ]
  }
}
