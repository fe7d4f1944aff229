/// The users of the KuaiRand data set: one array a column.
public struct KuaiRandUsers: Sendable, Equatable {
  /// The id of each user, unique.
  public let ids: [Int64]
  /// How active the user is, in words (`full_active`).
  public let activeDegrees: [String]
  /// 1 if the user streams live.
  public let isLiveStreamer: [Float]
  /// 1 if the user publishes videos.
  public let isVideoAuthor: [Float]
  /// How many the user follows.
  public let followCounts: [Float]
  /// How many follow the user.
  public let fanCounts: [Float]
  /// How many do both.
  public let friendCounts: [Float]
  /// Days since the user registered.
  public let registerDays: [Float]
  /// `onehot_feat0` … `onehot_feat17`: anonymous codes, whole numbers from 0 to a million, NaN where
  /// unknown; [18][users].
  public let anonymousCodes: [[Float]]

  /// The number of users.
  public var count: Int { ids.count }

  /// Reads `user_features_pure.csv.gz`.
  ///
  /// - Throws: `KuaiRandError` naming file, line and field.
  public init(contentsOf file: String) throws {
    let codes = (0..<18).map { "onehot_feat\($0)" }
    let numbers = [
      "is_live_streamer", "is_video_author", "follow_user_num", "fans_user_num",
      "friend_user_num", "register_days",
    ]
    let table = try KuaiRandTable(
      file: file, columns: ["user_id", "user_active_degree"] + numbers + codes)
    ids = try table.uniqueIDs("user_id")
    activeDegrees = try table.texts("user_active_degree")
    // The file writes -124 for "no".
    isLiveStreamer = try table.optionalNumbers("is_live_streamer").map { $0 == 1 ? 1 : 0 }
    isVideoAuthor = try table.optionalNumbers("is_video_author").map { $0 == 1 ? 1 : 0 }
    followCounts = try table.optionalNumbers("follow_user_num")
    fanCounts = try table.optionalNumbers("fans_user_num")
    friendCounts = try table.optionalNumbers("friend_user_num")
    registerDays = try table.optionalNumbers("register_days")
    anonymousCodes = try codes.map { try table.optionalCodes($0) }
  }
}

/// What each user watched before the log begins (`user_history_to_4_24.csv.gz`).
public struct KuaiRandHistory: Sendable, Equatable {
  /// The id of each user, unique.
  public let userIDs: [Int64]
  /// How many impressions the user had.
  public let lengths: [Int64]
  /// The time of the last one, milliseconds since 1970.
  public let lastTimesMilliseconds: [Int64]
  /// The last videos shown, at most 50, in order of time.
  public let watched: KuaiRandLists
  /// The last videos liked, at most 50.
  public let liked: KuaiRandLists
  /// The last videos viewed long, at most 50.
  public let viewedLong: KuaiRandLists

  /// Reads `user_history_to_4_24.csv.gz`.
  ///
  /// - Throws: `KuaiRandError` naming file, line and field.
  public init(contentsOf file: String) throws {
    let table = try KuaiRandTable(
      file: file,
      columns: [
        "user_id", "history_len", "last_time_ms", "watch_seq", "like_seq", "long_watch_seq",
      ])
    userIDs = try table.uniqueIDs("user_id")
    lengths = try table.integers("history_len", in: 0...Int64(Int32.max))
    lastTimesMilliseconds = try table.integers("last_time_ms", in: 0...4_102_444_800_000)
    watched = try table.lists("watch_seq")
    liked = try table.lists("like_seq")
    viewedLong = try table.lists("long_watch_seq")
  }
}

extension KuaiRandTable {
  /// The fields of a column as ids, each of which must stand once.
  func uniqueIDs(_ column: String) throws -> [Int64] {
    let ids = try integers(column, in: 0...Int64(Int32.max))
    var seen = Set<Int64>(minimumCapacity: ids.count)
    for (row, id) in ids.enumerated() where !seen.insert(id).inserted {
      throw badField(row, column, "an id that stands once", "\(id)")
    }
    return ids
  }
}
