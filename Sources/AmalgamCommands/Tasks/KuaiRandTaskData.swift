import DenseKernels
import Foundation
import FusionMDP
package import MultiTaskModels
package import SessionLogs

/// The KuaiRand data as the multi-task models read it: ids as row numbers, labels of all tasks.
package struct KuaiRandTaskData: Sendable {
  /// The last day of the log that is learned from; later days are held out.
  package static let lastTrainingDate = 20_220_504

  /// The impressions by time with their twelve labels.
  package let impressions: ImpressionColumns
  /// The users, row numbers of `userIDs`.
  package let users: UserColumns
  /// The videos, row numbers of `videoIDs`.
  package let videos: VideoColumns
  /// [U] the id of each row of users.
  package let userIDs: [Int64]
  /// [V] the id of each row of videos.
  package let videoIDs: [Int64]

  /// Rows of the log that are held out: the days after the last that is trained on.
  package var heldOut: [Int] {
    impressions.isTraining.indices.filter { isHeldOut[$0] }
  }
  private let isHeldOut: [Bool]

  /// The data of a folder.
  ///
  /// Rows not later than the end of the histories (some minutes of the first day) are predicted
  /// but not trained on, so that a history always lies before the row.
  /// - Parameters:
  ///   - lastTrainingDate: as 20220504; nil trains on all days.
  ///   - lastHeldOutDate: the last day of the held-out rows; nil holds out all later days.
  package init(
    _ folder: KuaiRandFolder, lastTrainingDate: Int? = lastTrainingDate,
    lastHeldOutDate: Int? = nil
  ) {
    let log = folder.log
    userIDs = Self.union(folder.users.ids, log.userIDs)
    videoIDs = Self.union(folder.videos.ids, log.videoIDs)
    let userRows = Self.rows(userIDs)
    let videoRows = Self.rows(videoIDs)
    users = Self.users(folder, count: userIDs.count, userRows, videoRows)
    videos = Self.videos(folder, count: videoIDs.count, videoRows)
    let historyEnd = folder.history.lastTimesMilliseconds.max() ?? 0
    let last = lastTrainingDate ?? Int.max
    isHeldOut = log.dates.map { $0 > last && $0 <= lastHeldOutDate ?? Int.max }
    impressions = ImpressionColumns(
      users: log.userIDs.map { userRows[$0] ?? 0 },
      videos: log.videoIDs.map { videoRows[$0] ?? 0 },
      timesMilliseconds: log.timesMilliseconds, hours: log.hours,
      surfaces: log.surfaces.map { min($0, BehaviorStatistics.surfaceCount - 1) },
      labels: Self.labels(log),
      isTraining: log.dates.indices.map {
        log.dates[$0] <= last && log.timesMilliseconds[$0] > historyEnd
      })
  }

  /// [N, 12] in the order of `TaskSchema.standard`.
  private static func labels(_ log: KuaiRandLog) -> Matrix {
    let flags = [
      log.click, log.longView, log.like, log.follow, log.comment, log.forward, log.hate,
      log.profileEnter,
    ]
    var labels = Matrix(rows: log.count, columns: TaskSchema.standard.count)
    for row in 0..<log.count {
      for (k, flag) in flags.enumerated() { labels[row, k] = Float(flag[row]) }
      let play = log.playTimeSeconds[row]
      labels[row, 8] = log.commentStaySeconds[row] > 0 ? 1 : 0
      labels[row, 9] = play >= log.durationSeconds[row] ? 1 : 0
      labels[row, 10] = play < 3 ? 1 : 0
      labels[row, 11] = Float(Foundation.log(1 + Double(play)))
    }
    return labels
  }

  /// The ids of a table, then those that stand only in the log, ascending.
  private static func union(_ table: [Int64], _ log: [Int64]) -> [Int64] {
    table + Set(log).subtracting(table).sorted()
  }

  private static func rows(_ ids: [Int64]) -> [Int64: Int] {
    Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
  }

  /// Dense numbers of distinct values, in ascending order of the values.
  private static func dense<Value: Hashable & Comparable>(_ values: [Value]) -> [Int] {
    let ranks = Dictionary(
      uniqueKeysWithValues: Set(values).sorted().enumerated().map { ($1, $0) })
    return values.map { ranks[$0] ?? 0 }
  }

  private static func users(
    _ folder: KuaiRandFolder, count: Int, _ userRows: [Int64: Int], _ videoRows: [Int64: Int]
  ) -> UserColumns {
    let table = folder.users
    let logarithms = [
      table.followCounts, table.fanCounts, table.friendCounts, table.registerDays,
    ].map { column in column.map { $0.isNaN ? 0 : Float(log(1 + Double(max($0, 0)))) } }
    let flags = [table.isLiveStreamer, table.isVideoAuthor]
    let codes = table.anonymousCodes[12...].map { $0.map { $0.isNaN ? Float(-1) : $0 } }
    let columns = logarithms + flags + codes
    var numbers = Matrix(rows: count, columns: columns.count)
    for (c, column) in columns.enumerated() {
      for (row, value) in column.enumerated() { numbers[row, c] = value }
    }
    let names =
      ["log_follows", "log_fans", "log_friends", "log_register_days"]
      + ["is_live_streamer", "is_video_author"] + (12..<18).map { "onehot_feat\($0)" }
    var users = UserColumns(numbers: numbers, numberNames: names)
    let unknown = [Int](repeating: -1, count: count - table.count)
    users.categoryNames = ["active_degree"] + (0..<12).map { "onehot_feat\($0)" }
    users.categories = [dense(table.activeDegrees) + unknown]
    for code in table.anonymousCodes[..<12] {
      users.categories.append(code.map { $0.isNaN ? -1 : Int($0) } + unknown)
    }
    addHistory(folder.history, to: &users, userRows, videoRows)
    return users
  }

  private static func addHistory(
    _ history: KuaiRandHistory, to users: inout UserColumns, _ userRows: [Int64: Int],
    _ videoRows: [Int64: Int]
  ) {
    let none = [[Int]](repeating: [], count: users.count)
    var (watched, liked, viewedLong) = (none, none, none)
    // Videos and users that stand in no other file say nothing here.
    let known = { (ids: ArraySlice<Int64>) in ids.compactMap { videoRows[$0] } }
    for (i, id) in history.userIDs.enumerated() {
      guard let row = userRows[id] else { continue }
      users.historyLengths[row] = Int(history.lengths[i])
      users.lastTimesMilliseconds[row] = history.lastTimesMilliseconds[i]
      watched[row] = known(history.watched[i])
      liked[row] = known(history.liked[i])
      viewedLong[row] = known(history.viewedLong[i])
    }
    users.watched = IndexLists(watched)
    users.liked = IndexLists(liked)
    users.viewedLong = IndexLists(viewedLong)
  }

  /// A video's length is the table's; where that is missing the log's, else the median.
  private static func videos(
    _ folder: KuaiRandFolder, count: Int, _ videoRows: [Int64: Int]
  ) -> VideoColumns {
    let table = folder.videos
    let extra = count - table.count
    var durations = table.durationSeconds + [Float](repeating: .nan, count: extra)
    for (i, id) in folder.log.videoIDs.enumerated() {
      guard let row = videoRows[id], !(durations[row] > 0) else { continue }
      durations[row] = folder.log.durationSeconds[i]
    }
    let sorted = durations.filter { $0 > 0 }.sorted()
    let median = sorted.isEmpty ? 60 : sorted[sorted.count / 2]
    for row in durations.indices where !(durations[row] > 0) { durations[row] = median }
    let ratios = zip(table.widths, table.heights).map { width, height in
      width > 0 && height > 0 ? width / height : Float(0.6)
    }
    func padded(_ codes: [Int]) -> [Int] {
      let fresh = (codes.max() ?? -1) + 1
      return codes + (0..<extra).map { fresh + $0 }
    }
    let last = [Int](repeating: -1, count: extra)
    return VideoColumns(
      durationSeconds: durations, aspectRatios: ratios + [Float](repeating: 0.6, count: extra),
      authors: padded(dense(table.authorIDs)), tags: padded(dense(table.tags)),
      music: padded(dense(table.musicIDs)), uploadTypes: dense(table.uploadTypes) + last)
  }
}
