/// A user's last 500 interactions, with the sums that the state is made of.
///
/// An interaction is packed into 64 bits: behaviors as flags, play integrity in 1/60,000, the
/// logarithm of watch seconds in 1/4096. Sums are integers over these, so they hold without drift
/// after any number of appends: they equal what a recount gives. A full history takes 4 kB.
public struct InteractionHistory: Sendable, Equatable {
  /// How many interactions are kept (paper: 500).
  public static let capacity = 500
  /// How many of the latest count as recent.
  public static let recentCapacity = 50

  /// Means over a window of the history.
  public struct Means: Sendable, Equatable {
    /// The share of interactions with each behavior, in the order of `behaviors`.
    public var behaviors: [Float]
    /// Mean play integrity.
    public var playIntegrity: Float
    /// Mean of log(1 + watch seconds).
    public var logWatchSeconds: Float
  }

  /// The signals that are kept as flags, in order.
  public static let behaviors: [FeedbackSignal] = [
    .click, .longView, .like, .follow, .comment, .forward, .hate, .profileEnter, .commentStay,
    .finished, .skip,
  ]

  private var ring: [UInt64] = []
  private var next = 0
  private var all = Sums()
  private var recent = Sums()
  /// How many interactions were ever appended.
  public private(set) var totalCount = 0

  /// A history without interactions.
  public init() {}

  /// How many interactions are kept, at most `capacity`.
  public var count: Int { ring.count }

  /// How many of the kept are recent, at most `recentCapacity`.
  public var recentCount: Int { min(ring.count, Self.recentCapacity) }

  /// Means over all kept interactions; zeros for an empty history.
  public var means: Means { all.means(over: count) }

  /// Means over the recent interactions; zeros for an empty history.
  public var recentMeans: Means { recent.means(over: recentCount) }

  /// Appends what the state holds of the history, without intermediate arrays: the behavior means,
  /// play integrity and log watch seconds over all kept, the same over the recent, and log(1 + total).
  func appendFeatures(to state: inout [Float]) {
    all.appendMeans(over: count, to: &state)
    recent.appendMeans(over: recentCount, to: &state)
    state.append(logarithm1p(Float(totalCount)))
  }

  /// Appends the latest interaction; the oldest leaves when the history is full.
  ///
  /// - Complexity: O(1).
  public mutating func append(_ feedback: UserFeedback) {
    let packed = Self.packed(feedback)
    if ring.count >= Self.recentCapacity {
      recent.remove(ring[position(age: Self.recentCapacity - 1)])
    }
    if ring.count < Self.capacity {
      ring.append(packed)
    } else {
      all.remove(ring[next])
      ring[next] = packed
    }
    next = (next + 1) % Self.capacity
    all.add(packed)
    recent.add(packed)
    totalCount += 1
  }

  /// The same history with its sums counted afresh from the kept interactions.
  public func recounted() -> InteractionHistory {
    var copy = self
    copy.all = Sums()
    copy.recent = Sums()
    for age in 0..<count {
      let packed = ring[position(age: age)]
      copy.all.add(packed)
      if age < Self.recentCapacity { copy.recent.add(packed) }
    }
    return copy
  }

  /// Where the interaction of this age lies: 0 is the latest.
  private func position(age: Int) -> Int {
    (next - 1 - age + 2 * Self.capacity) % Self.capacity
  }

  private static let integrityScale: Float = 60_000
  private static let logScale: Float = 4_096

  /// flags (bits 0–15), integrity (16–31), log watch seconds (32–47).
  private static func packed(_ feedback: UserFeedback) -> UInt64 {
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
    let integrity = UInt64((feedback.playIntegrity * integrityScale).rounded())
    // log(1 + s) · 4096 stays below 2^16 for s < 8.8 million seconds.
    let logWatch = UInt64(min((logarithm1p(feedback.playSeconds) * logScale).rounded(), 65_535))
    return flags | integrity << 16 | logWatch << 32
  }

  /// Integer sums over packed interactions.
  private struct Sums: Sendable, Equatable {
    var counts = BehaviorCounts()
    var integrity = 0
    var logWatch = 0

    mutating func add(_ packed: UInt64) {
      counts.add(packed & 0xFFFF)
      integrity += Int(packed >> 16 & 0xFFFF)
      logWatch += Int(packed >> 32 & 0xFFFF)
    }

    mutating func remove(_ packed: UInt64) {
      counts.remove(packed & 0xFFFF)
      integrity -= Int(packed >> 16 & 0xFFFF)
      logWatch -= Int(packed >> 32 & 0xFFFF)
    }

    func means(over count: Int) -> Means {
      var values = [Float]()
      appendMeans(over: count, to: &values)
      let behaviorCount = InteractionHistory.behaviors.count
      return Means(
        behaviors: Array(values[..<behaviorCount]), playIntegrity: values[behaviorCount],
        logWatchSeconds: values[behaviorCount + 1])
    }

    func appendMeans(over count: Int, to values: inout [Float]) {
      let scale = count > 0 ? 1 / Float(count) : 0
      for behavior in 0..<InteractionHistory.behaviors.count {
        values.append(Float(counts[behavior]) * scale)
      }
      values.append(Float(integrity) / InteractionHistory.integrityScale * scale)
      values.append(Float(logWatch) / InteractionHistory.logScale * scale)
    }
  }

  /// One count a behavior, six to a word in lanes of ten bits: a count stays below 2^10, so words
  /// add and subtract without a carry between lanes.
  private struct BehaviorCounts: Sendable, Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    mutating func add(_ flags: UInt64) {
      low += Self.spread(flags)
      high += Self.spread(flags >> 6)
    }

    mutating func remove(_ flags: UInt64) {
      low -= Self.spread(flags)
      high -= Self.spread(flags >> 6)
    }

    subscript(behavior: Int) -> Int {
      let word = behavior < 6 ? low : high
      return Int(word >> UInt64(behavior % 6 * 10) & 0x3FF)
    }

    /// Bits 0…5 moved to 0, 10 … 50: the factor copies them to every multiple of 9, and bit i of
    /// copy i is the one that stands at 10·i.
    private static func spread(_ flags: UInt64) -> UInt64 {
      (flags & 0x3F) &* 0x2010_0804_0201 & 0x4_0100_4010_0401
    }
  }
}
