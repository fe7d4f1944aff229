import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Two models made up from a seed, for tests and benchmarks that have no log.
///
/// The answering model is a low-rank function of hidden user and video factors, with rates,
/// lengths and trade-offs like the log's: long videos are watched longer and finished less often.
/// The ranker's model is the same plus noise of its own.
package struct SyntheticImpressionModel: ImpressionModel {
  /// The number of users, U.
  package var userCount: Int { users.count }
  /// The number of videos, V.
  package var videoCount: Int { videos.count }

  private let users: [Factors]
  private let videos: [Factors]
  private let thresholds: [PlayThresholds]
  private let noise: RandomStream

  /// Standard normal factors of one user or video.
  struct Factors: Sendable {
    static let size = 3
    let play: Double
    let taste: [Double]
    /// Propensity to each added behavior.
    let added: [Double]

    init(using stream: inout RandomStream) {
      play = stream.gaussian()
      taste = stream.gaussians(Self.size).map(Double.init)
      added = stream.gaussians(ResponseTask.added.count).map(Double.init)
    }

    func match(_ other: Factors) -> Double {
      zip(taste, other.taste).reduce(0) { $0 + $1.0 * $1.1 } / Double(Self.size).squareRoot()
    }
  }

  /// The standard deviation of the ranker's error in log odds.
  private static let rankerNoise = 0.35

  init(users: [Factors], durations: [Float], noise: RandomStream) {
    self.users = users
    self.noise = noise
    thresholds = durations.map { PlayThresholds(durationSeconds: $0) }
    videos = durations.indices.map { video in
      var stream = noise.child("video factors", video)
      return Factors(using: &stream)
    }
  }

  /// The row of one user, computed on demand.
  package func row(user: Int) -> ImpressionRow {
    var stream = noise.child("row", user)
    let columns = ResponseTask.columns
    var row = ImpressionRow(
      scores: [Float](repeating: 0, count: videoCount * columns),
      responses: [Float](repeating: 0, count: videoCount * columns))
    for video in 0..<videoCount {
      let logits = logits(user: user, video: video)
      let common = stream.gaussian()
      for task in ResponseTask.allCases {
        let sign = task.isPlay ? (task == .skip ? -0.7 : 0.7) : 0
        let own = stream.gaussian() * (task.isPlay ? 0.7 : 1)
        let error = Self.rankerNoise * (sign * common + own)
        row.responses[video * columns + task.rawValue] = Float(sigmoid(logits[task.rawValue]))
        row.scores[video * columns + task.rawValue] = Float(sigmoid(logits[task.rawValue] + error))
      }
      let column = video * columns + ResponseTask.watchTimeColumn
      row.responses[column] = times(logits, video: video).meanLog
      let seen = logits.map { $0 + Self.rankerNoise * 0.7 * common }
      row.scores[column] = times(seen, video: video).mean
    }
    return row
  }

  /// All rows in memory.
  package func table() throws(PlatformError) -> ImpressionTable {
    try ImpressionTable(rows: (0..<userCount).map { row(user: $0) }, videoCount: videoCount)
  }

  private func logits(user: Int, video: Int) -> [Double] {
    let u = users[user]
    let v = videos[video]
    let play = 0.5 * u.play + 0.4 * v.play + 0.3 * u.match(v)
    let length = thresholds[video].logDuration - 4.2
    let anchors = PlatformAnchors.kuaiRand
    return ResponseTask.allCases.map { task in
      switch task {
      case .click: return -0.2 + play
      case .longView: return -0.85 + 1.05 * play - 0.05 * length
      case .skip: return -0.4 - play
      case .finished: return min(-2 + play - 0.9 * length, -1 + 1.05 * play)
      default:
        let rate = anchors.rates[task.rawValue]
        let index = ResponseTask.added.firstIndex(of: task) ?? 0
        let short = task == .like ? -0.2 * length : 0
        let own = 0.5 * u.added[index] + 0.4 * v.added[index]
        return log(rate / (1 - rate)) - 0.3 + own + 0.6 * play + short
      }
    }
  }

  /// Means over ten points of the play time distribution.
  private func times(_ logits: [Double], video: Int) -> (mean: Float, meanLog: Float) {
    func p(_ task: ResponseTask) -> Double { sigmoid(logits[task.rawValue]) }
    let plan = PlayDistribution(
      skip: p(.skip), click: p(.click), longView: p(.longView), finished: p(.finished),
      exponent: 0.8)
    var mean: Float = 0
    var meanLog: Float = 0
    for point in 0..<10 {
      let t = plan.seconds(at: (Double(point) + 0.5) / 10, thresholds: thresholds[video])
      mean += t / 10
      meanLog += log1p(t) / 10
    }
    return (mean, meanLog)
  }
}

/// 1 / (1 + e^(−x)).
func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

extension PlatformData {
  /// A made-up population and catalogue with statistics like the log's, for tests and benchmarks.
  ///
  /// - Parameter inMemory: whether all rows are held (96 bytes a user and video) or computed on
  ///   demand.
  package static func synthetic(
    users userCount: Int, videos videoCount: Int, seed: UInt64, inMemory: Bool = true
  ) throws(PlatformError) -> PlatformData {
    let root = RandomStream(seed: seed, name: "synthetic")
    let factors = (0..<userCount).map { user in
      var stream = root.child("user factors", user)
      return SyntheticImpressionModel.Factors(using: &stream)
    }
    var stream = root.child("catalogue")
    // Lengths: median 73 s, p10 13 s, p90 259 s among impressions of the log.
    let durations = (0..<videoCount).map { _ in
      Float(min(max(exp(4.29 + 1.17 * stream.gaussian()), 4.5), 1178))
    }
    let topics = (0..<videoCount).map { _ in Int(30 * pow(stream.uniform(), 2)) }
    let exposures = (0..<videoCount).map { _ in exp(stream.gaussian()) }
    let activity = (0..<userCount).map { _ in exp(stream.gaussian()) }
    // A profile tells a little of what the user is.
    let profiles = factors.flatMap { user in
      ([user.play] + user.taste).map { Float(0.5 * $0 + 0.87 * stream.gaussian()) }
    }
    let model = SyntheticImpressionModel(
      users: factors, durations: durations, noise: root.child("rows"))
    let impressions: any ImpressionModel = inMemory ? try model.table() : model
    return try PlatformData(
      users: PlatformUsers(
        hashes: (0..<userCount).map { stableHash(UInt64($0), seed: 1) },
        profileNames: (0...SyntheticImpressionModel.Factors.size).map { "profile_\($0)" },
        profiles: profiles, activity: activity),
      videos: PlatformVideos(
        durationSeconds: durations, topics: topics, exposures: exposures),
      impressions: impressions)
  }
}
