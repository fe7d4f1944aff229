/// The impressions of a KuaiRand log, oldest first, one array a column.
///
/// Exact repeats of (user, video, time) and impressions of videos without a duration are left out;
/// `repeatCount` and `zeroDurationCount` say how many.
///
/// Shapes: every column [n].
public struct KuaiRandLog: Sendable {
  /// The users' ids.
  public var users: [Int]
  /// The videos' ids.
  public var videos: [Int]
  /// The log's day as yyyymmdd (UTC+8).
  public var dates: [Int]
  /// The hour of the day (UTC+8), 0 to 23.
  public var hours: [Int]
  /// When the request was made, in milliseconds since 1970.
  public var timesMilliseconds: [Int64]
  /// The app surface; 1 is the main feed.
  public var tabs: [Int]
  /// Whether the impression counted as a click (a valid play).
  public var clicks: [Bool]
  /// Whether it was viewed long.
  public var longViews: [Bool]
  /// Whether it was liked.
  public var likes: [Bool]
  /// Whether its author was followed.
  public var follows: [Bool]
  /// Whether it was commented on.
  public var comments: [Bool]
  /// Whether it was forwarded.
  public var forwards: [Bool]
  /// Whether it was disliked.
  public var hates: [Bool]
  /// Whether the author's profile was entered.
  public var profileEnters: [Bool]
  /// Whether the user stayed in the comments.
  public var commentStays: [Bool]
  /// How long it was played, in seconds.
  public var playSeconds: [Float]
  /// How long it is, in seconds; above 0.
  public var durationSeconds: [Float]
  /// Repeats that were left out.
  public var repeatCount: Int
  /// Impressions without a duration that were left out.
  public var zeroDurationCount: Int

  /// The number of impressions, n.
  public var count: Int { users.count }
}

/// The users of a KuaiRand data set; every column [n].
public struct KuaiRandUsers: Sendable {
  /// The users' ids, ascending.
  public var ids: [Int]
  /// The degree of activity as the data set names it, such as `full_active`.
  public var activeDegrees: [String]
  /// The columns of numbers by their names in the file; missing values are −1.
  public var numbers: [(name: String, values: [Float])]
}

/// The videos of a KuaiRand data set; every column [n].
public struct KuaiRandVideos: Sendable {
  /// The videos' ids, ascending.
  public var ids: [Int]
  /// The authors' ids.
  public var authors: [Int]
  /// The ids of the music; −1 if none.
  public var music: [Int]
  /// The kind of music; −1 if unknown.
  public var musicTypes: [Int]
  /// The tags as the file writes them; empty if none.
  public var tags: [String]
  /// How the video was uploaded, such as `LongImport`.
  public var uploadTypes: [String]
  /// The day of upload, counted from 1970-01-01.
  public var uploadDays: [Int]
  /// The duration in seconds; 0 if unknown.
  public var durationSeconds: [Float]
  /// Width over height of the picture; 0 if unknown.
  public var aspectRatios: [Float]
}

/// What each user did before the log begins; sequences oldest first.
public struct KuaiRandHistories: Sendable {
  /// The users' ids, ascending [n].
  public var users: [Int]
  /// How many videos each user watched [n].
  public var lengths: [Int]
  /// When the latest of them was watched, in milliseconds since 1970 [n].
  public var lastTimesMilliseconds: [Int64]
  /// The videos watched [n][·].
  public var watched: [[Int]]
  /// Those liked [n][·].
  public var liked: [[Int]]
  /// Those viewed long [n][·].
  public var longWatched: [[Int]]
}
