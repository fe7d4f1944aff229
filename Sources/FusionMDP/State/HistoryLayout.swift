/// What an ``InteractionHistory`` keeps, compiled from ``HistoryFeatures``.
///
/// Shapes: W windows, B behaviors, D half-lives, T topics.
public struct HistoryLayout: Sendable, Equatable {
  /// The features that it was compiled from.
  let features: HistoryFeatures
  /// How many interactions a window holds [W].
  let windows: [Int]
  /// How many interactions are kept: the longest window.
  let capacity: Int
  /// B.
  let behaviorCount: Int
  /// Words of six counts each.
  let countWords: Int
  /// Whether the play time and the time of each interaction are kept.
  let keepsTimes: Bool
  /// The half-lives in milliseconds [D].
  let halfLives: [Double]
  /// The window of the topics' shares, 0 without topics.
  let topicWindow: Int
  /// T.
  let topicCount: Int
  /// Positions in `behaviors` of those whose recency is told.
  let recency: [Int]
  /// The bit of each behavior among the standard ones, −1 for others [B].
  private let standardBits: [Int]
  /// Whether the behaviors are the standard ones in their order.
  private let isStandard: Bool

  init(_ features: HistoryFeatures) {
    self.features = features
    windows = features.windows.map(\.interactions)
    topicWindow = features.topics?.window ?? 0
    topicCount = features.topics?.count ?? 0
    capacity = max(windows.max() ?? 0, topicWindow)
    behaviorCount = features.behaviors.count
    countWords = (behaviorCount + 5) / 6
    keepsTimes = features.times.contains { $0 == .playSeconds || $0 == .logSpanHours }
    halfLives = features.decays.map { $0 * 3_600_000 }
    recency = features.recency.compactMap { features.behaviors.firstIndex(of: $0) }
    let standard = InteractionHistory.standardBehaviors.map(\.rawValue)
    standardBits = features.behaviors.map { standard.firstIndex(of: $0) ?? -1 }
    isStandard = features.behaviors == standard
  }

  /// Words a window: counts, integrity, logarithms of watch seconds, play milliseconds.
  var stride: Int { countWords + (keepsTimes ? 3 : 2) }

  /// Bit b: whether the feedback has behavior b.
  func flags(of feedback: UserFeedback) -> UInt64 {
    var flags: UInt64 = 0
    if feedback.click { flags |= 1 }
    if feedback.longView { flags |= 1 << 1 }
    if feedback.like { flags |= 1 << 2 }
    if feedback.follow { flags |= 1 << 3 }
    if feedback.comment { flags |= 1 << 4 }
    if feedback.forward { flags |= 1 << 5 }
    if feedback.hate { flags |= 1 << 6 }
    if feedback.profileEnter { flags |= 1 << 7 }
    if feedback.commentStay { flags |= 1 << 8 }
    if feedback.finished { flags |= 1 << 9 }
    if feedback.skip { flags |= 1 << 10 }
    if isStandard { return flags }
    var chosen: UInt64 = 0
    for (behavior, bit) in standardBits.enumerated() where bit >= 0 {
      chosen |= (flags >> UInt64(bit) & 1) << UInt64(behavior)
    }
    return chosen
  }
}
