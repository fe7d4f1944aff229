/// The videos of the KuaiRand data set: one array a column.
///
/// `video_features_statistic` is not read anywhere: it counts the days after the log too.
public struct KuaiRandVideos: Sendable, Equatable {
  /// The id of each video, unique.
  public let ids: [Int64]
  /// Who published it.
  public let authorIDs: [Int64]
  /// How it was uploaded (`LongImport`).
  public let uploadTypes: [String]
  /// How long it is; NaN where the file has nothing.
  public let durationSeconds: [Float]
  /// Its width, pixels.
  public let widths: [Float]
  /// Its height, pixels.
  public let heights: [Float]
  /// Its music.
  public let musicIDs: [Int64]
  /// Its tags as they stand, several parted by commas; empty where unknown.
  public let tags: [String]

  /// The number of videos.
  public var count: Int { ids.count }

  /// Reads `video_features_basic_pure.csv.gz`.
  ///
  /// - Throws: `KuaiRandError` naming file, line and field.
  public init(contentsOf file: String) throws {
    let table = try KuaiRandTable(
      file: file,
      columns: [
        "video_id", "author_id", "upload_type", "video_duration", "server_width",
        "server_height", "music_id", "tag",
      ])
    ids = try table.uniqueIDs("video_id")
    authorIDs = try table.integers("author_id", in: 0...Int64.max)
    uploadTypes = try table.texts("upload_type")
    durationSeconds = try table.optionalNumbers("video_duration").map { $0 / 1000 }
    widths = try table.optionalNumbers("server_width")
    heights = try table.optionalNumbers("server_height")
    musicIDs = try table.integers("music_id", in: 0...Int64.max)
    tags = try table.texts("tag")
  }
}

/// The files of a folder with the KuaiRand-Pure development data.
public struct KuaiRandFolder: Sendable, Equatable {
  /// The impressions.
  public let log: KuaiRandLog
  /// Who saw them.
  public let users: KuaiRandUsers
  /// What was shown.
  public let videos: KuaiRandVideos
  /// What the users watched before the log.
  public let history: KuaiRandHistory

  /// Reads the four files of a folder such as `Data/kuairand-pure`.
  ///
  /// - Throws: `KuaiRandError` naming file, line and field.
  public init(path: String) throws {
    log = try KuaiRandLog(contentsOf: path + "/log_standard_4_25_to_5_08_pure.csv.gz")
    users = try KuaiRandUsers(contentsOf: path + "/user_features_pure.csv.gz")
    videos = try KuaiRandVideos(contentsOf: path + "/video_features_basic_pure.csv.gz")
    history = try KuaiRandHistory(contentsOf: path + "/user_history_to_4_24.csv.gz")
  }
}
