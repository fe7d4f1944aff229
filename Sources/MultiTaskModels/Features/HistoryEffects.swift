import DenseKernels

/// What the histories before the log say about users and videos.
///
/// A two-way additive model of each signal y (viewed long, liked), fitted by turns:
///
///     y ≈ μ + b_u + b_v      b_v = Σ(y − μ − b_u)/(n_v + κ_v)      b_u likewise
///
/// so that a user who was shown good videos is not taken for a user who likes everything. What
/// is left is averaged per user and tag. Effects are in units of √(μ(1 − μ)).
struct HistoryEffects: Sendable, Equatable {
  /// [U, 5]: log(1 + impressions), log-odds of long views, of likes, b_u of both.
  private(set) var users: Matrix
  /// [V, 5]: log(1 + impressions), log-odds of long views, of likes, b_v of both.
  private(set) var videos: Matrix
  /// For a user and a tag: impressions, effect on long views, effect on likes.
  private var userTags: [Int: (count: Float, long: Float, like: Float)] = [:]

  static let userNames = ["shown", "long_view", "like", "effect_long_view", "effect_like"]
  static let videoNames = userNames
  static let tagNames = ["effect_long_view", "effect_like"]

  static func == (a: Self, b: Self) -> Bool { a.users == b.users && a.videos == b.videos }

  init(users columns: UserColumns, videos catalogue: VideoColumns) {
    let events = Events(columns)
    let long = Effects(
      events, events.long, userStrength: 6, videoStrength: 15, columns.count, catalogue.count)
    let like = Effects(
      events, events.like, userStrength: 15, videoStrength: 60, columns.count, catalogue.count)
    users = Matrix(rows: columns.count, columns: 5)
    for u in 0..<columns.count {
      let shown = Float(columns.historyLengths[u])
      let longs = Float(columns.viewedLong[u].count)
      let likes = Float(columns.liked[u].count)
      Self.write(
        to: &users, row: u, shown: shown, longs: longs, likes: likes, strengths: (5, 20),
        long: (long.mean, long.users[u]), like: (like.mean, like.users[u]))
    }
    let shown = Self.counts(columns.watched, catalogue.count)
    let longs = Self.counts(columns.viewedLong, catalogue.count)
    let likes = Self.counts(columns.liked, catalogue.count)
    videos = Matrix(rows: catalogue.count, columns: 5)
    for v in 0..<catalogue.count {
      Self.write(
        to: &videos, row: v, shown: shown[v], longs: longs[v], likes: likes[v],
        strengths: (10, 50), long: (long.mean, long.videos[v]),
        like: (like.mean, like.videos[v]))
    }
    addTags(events, catalogue, long, like)
  }

  /// What a user's history says about a tag: impressions and two effects; zeros if nothing.
  func userTag(_ key: Int) -> (count: Float, long: Float, like: Float) {
    userTags[key] ?? (0, 0, 0)
  }

  private mutating func addTags(
    _ events: Events, _ catalogue: VideoColumns, _ long: Effects, _ like: Effects
  ) {
    let tagCount = VideoColumns.slots(catalogue.tags)
    for i in events.users.indices {
      let (u, v) = (events.users[i], events.videos[i])
      let key = u * tagCount + catalogue.tags[v]
      var entry = userTags[key] ?? (0, 0, 0)
      entry.count += 1
      entry.long += long.residual(u, v, events.long[i])
      entry.like += like.residual(u, v, events.like[i])
      userTags[key] = entry
    }
    for (key, entry) in userTags {
      let divisor = entry.count + 6
      userTags[key] = (
        entry.count, entry.long / divisor / long.scale, entry.like / divisor / like.scale
      )
    }
  }

  private static func write(
    to matrix: inout Matrix, row: Int, shown: Float, longs: Float, likes: Float,
    strengths: (long: Float, like: Float), long: (mean: Float, effect: Float),
    like: (mean: Float, effect: Float)
  ) {
    // The lists of long views and likes reach further back than the list of impressions.
    func odds(_ hits: Float, _ mean: Float, _ strength: Float) -> Float {
      (hits + mean * strength) / (max(shown, hits) - hits + (1 - mean) * strength)
    }
    let logs = VectorMath.log([
      1 + shown, odds(longs, long.mean, strengths.long), odds(likes, like.mean, strengths.like),
    ])
    for c in 0..<3 { matrix[row, c] = logs[c] }
    matrix[row, 3] = long.effect / deviation(long.mean)
    matrix[row, 4] = like.effect / deviation(like.mean)
  }

  private static func counts(_ lists: IndexLists, _ videoCount: Int) -> [Float] {
    var counts = [Float](repeating: 0, count: videoCount)
    for video in lists.values { counts[video] += 1 }
    return counts
  }

  /// √(μ(1 − μ)), and 1 where the signal never varies.
  static func deviation(_ mean: Float) -> Float {
    let variance = mean * (1 - mean)
    return variance > 0 ? variance.squareRoot() : 1
  }

  /// The impressions of the histories with their two signals.
  private struct Events {
    var users: [Int] = []
    var videos: [Int] = []
    var long: [Float] = []
    var like: [Float] = []

    init(_ columns: UserColumns) {
      for u in 0..<columns.count {
        let (viewedLong, liked) = (Set(columns.viewedLong[u]), Set(columns.liked[u]))
        for video in columns.watched[u] {
          users.append(u)
          videos.append(video)
          long.append(viewedLong.contains(video) ? 1 : 0)
          like.append(liked.contains(video) ? 1 : 0)
        }
      }
    }
  }

  /// μ, b_u and b_v of one signal.
  private struct Effects {
    let mean: Float
    private(set) var users: [Float]
    private(set) var videos: [Float]
    let scale: Float

    init(
      _ events: Events, _ signal: [Float], userStrength: Float, videoStrength: Float,
      _ userCount: Int, _ videoCount: Int
    ) {
      // Without any history 0.3 keeps the odds finite; nothing else depends on it.
      let count = Float(max(signal.count, 1))
      mean = signal.isEmpty ? 0.3 : min(max(VectorMath.sum(signal) / count, 1e-3), 1 - 1e-3)
      users = [Float](repeating: 0, count: userCount)
      videos = [Float](repeating: 0, count: videoCount)
      scale = HistoryEffects.deviation(mean)
      for _ in 0..<4 {
        videos = Self.turn(
          events.videos, events.users, signal, mean, users, strength: videoStrength, videoCount)
        users = Self.turn(
          events.users, events.videos, signal, mean, videos, strength: userStrength, userCount)
      }
    }

    /// Σ(y − μ − b_other)/(n + κ) per entity.
    private static func turn(
      _ own: [Int], _ other: [Int], _ signal: [Float], _ mean: Float, _ effects: [Float],
      strength: Float, _ count: Int
    ) -> [Float] {
      var sums = [Float](repeating: 0, count: count)
      var counts = [Float](repeating: strength, count: count)
      for i in own.indices {
        sums[own[i]] += signal[i] - mean - effects[other[i]]
        counts[own[i]] += 1
      }
      return sums.indices.map { sums[$0] / counts[$0] }
    }

    func residual(_ user: Int, _ video: Int, _ signal: Float) -> Float {
      signal - min(max(mean + users[user] + videos[video], 0.001), 0.999)
    }
  }
}
