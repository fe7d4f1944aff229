/// The impressions of a KuaiRand standard log, ordered by time: one array a column.
public struct KuaiRandLog: Sendable, Equatable {
  /// Who saw the video.
  public let userIDs: [Int64]
  /// Which video was shown.
  public let videoIDs: [Int64]
  /// The log's day, as 20220425 (UTC+8); differs from the day of the time in 0.9 % of rows.
  public let dates: [Int]
  /// The hour of day, 0…23 (UTC+8).
  public let hours: [Int]
  /// The time of the request, milliseconds since 1970.
  public let timesMilliseconds: [Int64]
  /// The surface of the app (`tab`); 1 is the main feed.
  public let surfaces: [Int]
  /// How long the video played.
  public let playTimeSeconds: [Float]
  /// How long the video is; above zero.
  public let durationSeconds: [Float]
  /// How long the comments were open.
  public let commentStaySeconds: [Float]
  /// 1 if the user opened the video, or it counts as played (`is_click`), else 0.
  public let click: [UInt8]
  /// 1 if the video was viewed long, by the platform's own rule, else 0.
  public let longView: [UInt8]
  /// 1 if the user liked the video, else 0.
  public let like: [UInt8]
  /// 1 if the user followed its author, else 0.
  public let follow: [UInt8]
  /// 1 if the user commented, else 0.
  public let comment: [UInt8]
  /// 1 if the user forwarded it, else 0.
  public let forward: [UInt8]
  /// 1 if the user asked for less of it, else 0.
  public let hate: [UInt8]
  /// 1 if the user opened its author's profile, else 0.
  public let profileEnter: [UInt8]
  /// What reading left out.
  public let report: Report

  /// How many rows were read and why some were left out.
  public struct Report: Sendable, Equatable {
    /// Rows of the file.
    public let rowsRead: Int
    /// Later rows with the user, video and time of an earlier one.
    public let repeatsDropped: Int
    /// Other rows whose video has a duration of 0.
    public let zeroDurationsDropped: Int
  }

  /// The number of impressions.
  public var count: Int { userIDs.count }

  /// Reads a log such as `log_standard_4_25_to_5_08_pure.csv.gz`.
  ///
  /// Repeats of (user, video, time) and rows with a duration of zero are left out and counted.
  /// Rows of the same time stay in the order of the file.
  ///
  /// - Throws: `KuaiRandError` naming file, line and field.
  public init(contentsOf file: String) throws {
    let table = try KuaiRandTable(file: file, columns: Self.columns)
    let ids: ClosedRange<Int64> = 0...Int64(Int32.max)
    let users = try table.integers("user_id", in: ids)
    let videos = try table.integers("video_id", in: ids)
    let times = try table.integers("time_ms", in: 0...4_102_444_800_000)
    let durations = try table.integers("duration_ms", in: 0...86_400_000)
    let (kept, report) = Self.select(users, videos, times, durations)
    guard !kept.isEmpty else { throw KuaiRandError.empty(file: file) }
    func flags(_ column: String) throws -> [UInt8] {
      let values = try table.integers(column, in: 0...1)
      return kept.map { UInt8(values[$0]) }
    }
    func seconds(_ column: String) throws -> [Float] {
      let values = try table.integers(column, in: 0...86_400_000)
      return kept.map { Float(values[$0]) / 1000 }
    }
    let dates = try table.integers("date", in: 19_700_101...21_001_231)
    let hourMinutes = try table.integers("hourmin", in: 0...2359)
    let surfaces = try table.integers("tab", in: 0...1000)
    self.report = report
    userIDs = kept.map { users[$0] }
    videoIDs = kept.map { videos[$0] }
    self.dates = kept.map { Int(dates[$0]) }
    hours = kept.map { Int(hourMinutes[$0]) / 100 }
    timesMilliseconds = kept.map { times[$0] }
    self.surfaces = kept.map { Int(surfaces[$0]) }
    playTimeSeconds = try seconds("play_time_ms")
    durationSeconds = try seconds("duration_ms")
    commentStaySeconds = try seconds("comment_stay_time")
    click = try flags("is_click")
    longView = try flags("long_view")
    like = try flags("is_like")
    follow = try flags("is_follow")
    comment = try flags("is_comment")
    forward = try flags("is_forward")
    hate = try flags("is_hate")
    profileEnter = try flags("is_profile_enter")
  }

  private static let columns = [
    "user_id", "video_id", "date", "hourmin", "time_ms", "is_click", "is_like", "is_follow",
    "is_comment", "is_forward", "is_hate", "long_view", "play_time_ms", "duration_ms",
    "comment_stay_time", "is_profile_enter", "tab",
  ]

  private struct Key: Hashable { let user, video, time: Int64 }

  /// The rows that stay, by time.
  private static func select(
    _ users: [Int64], _ videos: [Int64], _ times: [Int64], _ durations: [Int64]
  ) -> (kept: [Int], report: Report) {
    var seen = Set<Key>(minimumCapacity: users.count)
    var (kept, repeats, zeros): ([Int], Int, Int) = ([], 0, 0)
    for row in users.indices {
      let key = Key(user: users[row], video: videos[row], time: times[row])
      if !seen.insert(key).inserted {
        repeats += 1
      } else if durations[row] == 0 {
        zeros += 1
      } else {
        kept.append(row)
      }
    }
    kept.sort { (times[$0], $0) < (times[$1], $1) }
    let report = Report(
      rowsRead: users.count, repeatsDropped: repeats, zeroDurationsDropped: zeros)
    return (kept, report)
  }
}
