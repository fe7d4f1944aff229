import DurableFiles
import EmbeddedAnalytics

/// Reads the tables of a KuaiRand data set from their (compressed) CSV files.
///
/// `video_features_statistic` is never read: it counts what happened after the log's events too.
///
/// Source: Gao et al., KuaiRand, CIKM 2022.
public struct KuaiRandReader: Sendable {
  /// The folder of the CSV files.
  public let folder: String

  /// A reader of the data set in `folder`.
  public init(folder: String) {
    self.folder = folder
  }

  /// The impressions under the production policy.
  ///
  /// - Throws: `KuaiRandError` naming the file, and the line and column at fault.
  public func log() throws -> KuaiRandLog {
    let file = try path("log_standard_4_25_to_5_08_pure")
    let flags = [
      "is_click", "long_view", "is_like", "is_follow", "is_comment", "is_forward", "is_hate",
      "is_profile_enter",
    ]
    let integers = [
      "user_id", "video_id", "date", "hourmin", "time_ms", "tab", "play_time_ms", "duration_ms",
      "comment_stay_time",
    ]
    let types =
      (integers + flags).map { "\(SQLText.literal($0)): 'BIGINT'" }.joined(separator: ", ")
    let source = "read_csv(\(SQLText.fileLiteral(file)), header=true, types={\(types)})"
    let table = try query(
      """
      SELECT * EXCLUDE (copy) FROM (
        SELECT *, row_number() OVER (PARTITION BY user_id, video_id, time_ms) AS copy
        FROM \(source))
      WHERE copy = 1 AND duration_ms > 0
      ORDER BY time_ms, user_id, video_id
      """, file: file)
    let counts = try query(
      """
      SELECT count(*) AS n, count(DISTINCT (user_id, video_id, time_ms)) AS kept FROM \(source)
      """, file: file)
    let rows = try Int(counts.int64s("n")[0])
    let kept = try Int(counts.int64s("kept")[0])
    guard table.rowCount > 0 else {
      throw KuaiRandError(file: file, reason: "holds no impression of a video with a duration")
    }
    func whole(_ name: String) throws -> [Int] { try table.int64s(name).map { Int($0) } }
    func flag(_ name: String) throws -> [Bool] { try table.int64s(name).map { $0 != 0 } }
    func seconds(_ name: String) throws -> [Float] {
      try table.int64s(name).map { Float($0) / 1000 }
    }
    return try KuaiRandLog(
      users: whole("user_id"), videos: whole("video_id"), dates: whole("date"),
      hours: whole("hourmin").map { $0 / 100 }, timesMilliseconds: table.int64s("time_ms"),
      tabs: whole("tab"), clicks: flag("is_click"), longViews: flag("long_view"),
      likes: flag("is_like"), follows: flag("is_follow"), comments: flag("is_comment"),
      forwards: flag("is_forward"), hates: flag("is_hate"),
      profileEnters: flag("is_profile_enter"),
      commentStays: table.int64s("comment_stay_time").map { $0 > 0 },
      playSeconds: seconds("play_time_ms"), durationSeconds: seconds("duration_ms"),
      repeatCount: rows - kept, zeroDurationCount: kept - table.rowCount)
  }

  /// The users.
  ///
  /// - Throws: `KuaiRandError` naming the file, and the line and column at fault.
  public func users() throws -> KuaiRandUsers {
    let file = try path("user_features_pure")
    let numbers =
      [
        "is_lowactive_period", "is_live_streamer", "is_video_author", "follow_user_num",
        "fans_user_num", "friend_user_num", "register_days",
      ] + (0...17).map { "onehot_feat\($0)" }
    let columns = numbers.map { "coalesce(CAST(\($0) AS FLOAT), -1) AS \($0)" }
    let table = try query(
      """
      SELECT CAST(user_id AS BIGINT) AS user_id, CAST(user_active_degree AS VARCHAR) AS degree,
        \(columns.joined(separator: ", "))
      FROM read_csv(\(SQLText.fileLiteral(file)), header=true) ORDER BY user_id
      """, file: file)
    return try KuaiRandUsers(
      ids: table.int64s("user_id").map { Int($0) }, activeDegrees: table.strings("degree"),
      numbers: numbers.map { (name: $0, values: try table.floats($0)) })
  }

  /// The videos, from their basic features only.
  ///
  /// - Throws: `KuaiRandError` naming the file, and the line and column at fault.
  public func videos() throws -> KuaiRandVideos {
    let file = try path("video_features_basic_pure")
    let table = try query(
      """
      SELECT CAST(video_id AS BIGINT) AS video_id, CAST(author_id AS BIGINT) AS author_id,
        coalesce(CAST(music_id AS BIGINT), -1) AS music_id,
        coalesce(CAST(music_type AS BIGINT), -1) AS music_type,
        coalesce(CAST(tag AS VARCHAR), '') AS tag,
        coalesce(CAST(upload_type AS VARCHAR), '') AS upload_type,
        coalesce(date_diff('day', DATE '1970-01-01', CAST(upload_dt AS DATE)), 0) AS upload_day,
        coalesce(CAST(video_duration AS DOUBLE) / 1000, 0) AS seconds,
        coalesce(server_width / nullif(server_height, 0), 0) AS aspect
      FROM read_csv(\(SQLText.fileLiteral(file)), header=true) ORDER BY video_id
      """, file: file)
    func whole(_ name: String) throws -> [Int] { try table.int64s(name).map { Int($0) } }
    return try KuaiRandVideos(
      ids: whole("video_id"), authors: whole("author_id"), music: whole("music_id"),
      musicTypes: whole("music_type"), tags: table.strings("tag"),
      uploadTypes: table.strings("upload_type"), uploadDays: whole("upload_day"),
      durationSeconds: table.floats("seconds"), aspectRatios: table.floats("aspect"))
  }

  /// What users did before the log begins.
  ///
  /// - Throws: `KuaiRandError` naming the file, and the line and column at fault.
  public func histories() throws -> KuaiRandHistories {
    let file = try path("user_history_to_4_24")
    let text = ["watch_seq", "like_seq", "long_watch_seq"]
    let types = text.map { "\(SQLText.literal($0)): 'VARCHAR'" }.joined(separator: ", ")
    let table = try query(
      """
      SELECT CAST(user_id AS BIGINT) AS user_id, CAST(history_len AS BIGINT) AS history_len,
        coalesce(CAST(last_time_ms AS BIGINT), 0) AS last_time_ms,
        \(text.map { "coalesce(\($0), '') AS \($0)" }.joined(separator: ", "))
      FROM read_csv(\(SQLText.fileLiteral(file)), header=true, types={\(types)})
      ORDER BY user_id
      """, file: file)
    let users = try table.int64s("user_id").map { Int($0) }
    func sequences(_ name: String) throws -> [[Int]] {
      try table.strings(name).enumerated().map { row, text in
        try text.split(separator: " ").map { part in
          guard let video = Int(part) else {
            throw KuaiRandError(
              file: file,
              reason: "\(name) of user \(users[row]): expected video ids, found '\(part)'")
          }
          return video
        }
      }
    }
    return try KuaiRandHistories(
      users: users, lengths: table.int64s("history_len").map { Int($0) },
      lastTimesMilliseconds: table.int64s("last_time_ms"), watched: sequences("watch_seq"),
      liked: sequences("like_seq"), longWatched: sequences("long_watch_seq"))
  }

  /// The table's file: compressed as the data set is kept here, or plain.
  private func path(_ table: String) throws(KuaiRandError) -> String {
    for file in ["\(folder)/\(table).csv.gz", "\(folder)/\(table).csv"]
    where DurableFiles.exists(file) {
      return file
    }
    throw KuaiRandError(file: "\(folder)/\(table).csv.gz", reason: "there is no such file")
  }

  private func query(_ sql: String, file: String) throws -> ColumnarResult {
    do {
      return try AnalyticsDatabase(AnalyticsOptions(threads: 2)).query(sql)
    } catch let error as AnalyticsError {
      throw KuaiRandError(file: file, reason: error.message)
    }
  }
}

/// A KuaiRand file that is missing or cannot be read.
public struct KuaiRandError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// What was expected and found, with the line where there is one.
  public let reason: String

  /// What is wrong with a file.
  public init(file: String, reason: String) {
    self.file = file
    self.reason = reason
  }

  /// File and reason in one line.
  public var description: String { "\(file): \(reason)" }
}
