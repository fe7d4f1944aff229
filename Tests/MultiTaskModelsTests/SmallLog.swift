import DenseKernels
import FusionMDP
import MultiTaskModels
import SeededRandom

/// A made-up log of 5 users and 7 videos, two impressions a time stamp here and there.
struct SmallLog {
  static let userCount = 5
  static let videoCount = 7

  static var users: UserColumns {
    var users = UserColumns(
      numbers: Matrix(rows: 5, columns: 2, values: [1, 0, 2, 1, 3, 0, 4, 1, 5, 0]),
      numberNames: ["log_fans", "is_author"])
    users.categories = [[0, 1, 0, -1, 1]]
    users.categoryNames = ["degree"]
    users.historyLengths = [3, 0, 2, 4, 1]
    users.lastTimesMilliseconds = [500, 0, 400, 300, 200]
    users.watched = IndexLists([[0, 1, 2], [], [0, 3], [1, 1, 4, 5], [6]])
    users.liked = IndexLists([[1], [], [], [1], []])
    users.viewedLong = IndexLists([[0, 1], [], [3], [], [6]])
    return users
  }

  static var videos: VideoColumns {
    VideoColumns(
      durationSeconds: [5, 12, 20, 45, 90, 200, 300],
      aspectRatios: [0.5, 0.5, 1, 0.5, 1.5, 0.5, 0.5], authors: [0, 1, 0, 2, 3, 1, 4],
      tags: [0, 1, 0, 1, 2, 2, 0], music: [0, 1, 2, 3, 0, 1, 2], uploadTypes: [0, 0, 1, 1, 0, 1, 0])
  }

  /// N impressions; every third shares its time with the one before.
  static func impressions(
    _ count: Int = 60, training: Int? = nil, seed: UInt64 = 1
  ) -> ImpressionColumns {
    var stream = RandomStream(seed: seed, name: "small log")
    var time: Int64 = 1000
    var times: [Int64] = []
    var labels = Matrix(rows: count, columns: 12)
    for row in 0..<count {
      if row % 3 != 2 { time += 1 + Int64(stream.index(below: 5_000_000)) }
      times.append(time)
      for k in 0..<11 { labels[row, k] = stream.uniform() < 0.4 ? 1 : 0 }
      labels[row, 11] = Float(stream.uniform(in: 0...4))
    }
    return ImpressionColumns(
      users: stream.indices(below: userCount, count: count),
      videos: stream.indices(below: videoCount, count: count), timesMilliseconds: times,
      hours: stream.indices(below: 24, count: count),
      surfaces: stream.indices(below: 3, count: count), labels: labels,
      isTraining: (0..<count).map { $0 < training ?? count })
  }

  static var builder: FeatureBuilder { FeatureBuilder(users: users, videos: videos) }

  static func features(_ log: ImpressionColumns) -> FeatureRows {
    var builder = builder
    return builder.features(of: log)
  }
}
