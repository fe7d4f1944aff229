/// What the state holds of a user's interactions: over the last n of them, decayed over time, and
/// of all that there ever were.
///
/// The features stand in this order: window by window the behaviors' statistics and the times; then
/// half-life by half-life the rates and the count; the topics' shares; the recency of behaviors;
/// the totals.
public struct HistoryFeatures: Sendable, Equatable, Codable {
  /// The last n interactions.
  public struct Window: Sendable, Equatable, Codable {
    /// How many interactions, at most ``InteractionHistory/capacity``.
    public var interactions: Int
    /// The start of the features' names.
    public var name: String

    /// A window, called `last_n` unless it has a name.
    public init(interactions: Int, name: String? = nil) {
      self.interactions = interactions
      self.name = name ?? "last_\(interactions)"
    }

    /// Reads `{interactions, name}`, or the number alone.
    public init(from decoder: any Decoder) throws {
      if let number = try? decoder.singleValueContainer().decode(Int.self) {
        self.init(interactions: number)
        return
      }
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        interactions: try container.decode(Int.self, forKey: .interactions),
        name: try container.decodeIfPresent(String.self, forKey: .name))
    }
  }

  /// What is told of each behavior over a window.
  public enum Statistic: String, Sendable, Equatable, Codable {
    /// The share of interactions with the behavior; 0 without interactions.
    case rate
    /// How many interactions have the behavior.
    case count
  }

  /// What is told of times over a window; 0 without interactions.
  public enum Time: String, Sendable, Equatable, Codable {
    /// The mean of min(play time / duration, 1).
    case playIntegrity = "play_integrity"
    /// The mean of log(1 + play seconds).
    case logWatchSeconds = "log_watch_seconds"
    /// The mean play time in seconds.
    case playSeconds = "play_seconds"
    /// log(1 + hours since the window's oldest interaction), at most 30 days.
    case logSpanHours = "log_span_hours"
  }

  /// What is told of all interactions that there ever were.
  public enum Total: String, Sendable, Equatable, Codable {
    /// log(1 + number of interactions).
    case logCount = "log_count"
    /// log(1 + hours since the latest interaction), at most 30 days; none counts as 30 days.
    case logHoursSinceLast = "log_hours_since_last"
  }

  /// The shares of topics (or categories) of the items over a window.
  public struct Topics: Sendable, Equatable, Codable {
    /// How many of the last interactions.
    public var window: Int
    /// The column of the item table that holds the topic.
    public var column: String
    /// The topics that have a feature each; fitted where only `top` is given.
    public var values: [String]?
    /// How many of the most frequent topics of the training window get a feature.
    public var top: Int?
    /// How many features the hashes of topics share, instead of `values` and `top`.
    public var buckets: Int?

    /// Shares of topics over a window of 100 unless told otherwise.
    public init(
      window: Int = 100, column: String = "topic", values: [String]? = nil, top: Int? = nil,
      buckets: Int? = nil
    ) {
      self.window = window
      self.column = column
      self.values = values
      self.top = top
      self.buckets = buckets
    }

    /// Reads shares of topics; absent keys keep their defaults.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        window: try container.decodeIfPresent(Int.self, forKey: .window) ?? 100,
        column: try container.decodeIfPresent(String.self, forKey: .column) ?? "topic",
        values: try container.decodeIfPresent([String].self, forKey: .values),
        top: try container.decodeIfPresent(Int.self, forKey: .top),
        buckets: try container.decodeIfPresent(Int.self, forKey: .buckets))
    }

    /// The number of features.
    var count: Int { buckets ?? ((values?.count ?? 0) + 1) }

    var names: [String] {
      if let buckets { return (0..<buckets).map { "topic#\($0)" } }
      return (values ?? []).map { "topic=\($0)" } + ["topic=other"]
    }
  }

  /// The behaviors that are kept, at most 16: an interaction has one where its number is above 0.
  public var behaviors: [String]
  /// The windows, in order.
  public var windows: [Window]
  /// What is told of each behavior over each window.
  public var statistics: [Statistic]
  /// What is told of times over each window.
  public var times: [Time]
  /// Half-lives in hours of exponentially decayed rates and counts.
  public var decays: [Double]
  /// The shares of topics, if any.
  public var topics: Topics?
  /// Behaviors of which the state tells log(1 + hours since the latest), at most 30 days.
  public var recency: [String]
  /// What is told of all interactions.
  public var totals: [Total]

  /// Features of the history; what is not named keeps its default.
  public init(
    behaviors: [String] = InteractionHistory.standardBehaviors.map(\.rawValue),
    windows: [Window] = [5, 20, 100, 500].map { Window(interactions: $0) },
    statistics: [Statistic] = [.rate], times: [Time] = [.playIntegrity, .logWatchSeconds],
    decays: [Double] = [], topics: Topics? = nil, recency: [String] = [],
    totals: [Total] = [.logCount, .logHoursSinceLast]
  ) {
    self.behaviors = behaviors
    self.windows = windows
    self.statistics = statistics
    self.times = times
    self.decays = decays
    self.topics = topics
    self.recency = recency
    self.totals = totals
  }

  /// Reads the history's part; absent keys keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let usual = HistoryFeatures()
    self.init(
      behaviors: try container.decodeIfPresent([String].self, forKey: .behaviors)
        ?? usual.behaviors,
      windows: try container.decodeIfPresent([Window].self, forKey: .windows) ?? usual.windows,
      statistics: try container.decodeIfPresent([Statistic].self, forKey: .statistics)
        ?? usual.statistics,
      times: try container.decodeIfPresent([Time].self, forKey: .times) ?? usual.times,
      decays: try container.decodeIfPresent([Double].self, forKey: .decays) ?? usual.decays,
      topics: try container.decodeIfPresent(Topics.self, forKey: .topics),
      recency: try container.decodeIfPresent([String].self, forKey: .recency) ?? usual.recency,
      totals: try container.decodeIfPresent([Total].self, forKey: .totals) ?? usual.totals)
  }
}

extension HistoryFeatures {
  /// The names of the features in order.
  var names: [String] {
    var names: [String] = []
    for window in windows {
      for statistic in statistics {
        let infix = statistic == .rate ? "" : "count_"
        names += behaviors.map { "\(window.name)_\(infix)\($0)" }
      }
      names += times.map { time in
        switch time {
        case .playIntegrity: "\(window.name)_play_integrity"
        case .logWatchSeconds: "\(window.name)_log_watch_seconds"
        case .playSeconds: "\(window.name)_play_seconds"
        case .logSpanHours: "\(window.name)_log_span_hours"
        }
      }
    }
    for hours in decays {
      let name = "decay_" + (Int(exactly: hours).map { "\($0)" } ?? "\(hours)") + "h"
      names += behaviors.map { "\(name)_\($0)" } + ["\(name)_log_count"]
    }
    names += topics?.names ?? []
    names += recency.map { "history_log_hours_since_\($0)" }
    names += totals.map { total in
      switch total {
      case .logCount: "history_log_count"
      case .logHoursSinceLast: "history_log_hours_since_last"
      }
    }
    return names
  }

  func check() throws(StateDefinitionError) {
    let most = InteractionHistory.capacity
    if behaviors.count > 16 || behaviors.contains(where: \.isEmpty) {
      throw StateDefinitionError(
        key: "history.behaviors", expected: "at most 16 names", found: "\(behaviors)")
    }
    let taken = behaviors.first { $0 == "play_minutes" || $0 == "play_integrity" }
    if let taken {
      throw StateDefinitionError(
        key: "history.behaviors", expected: "behaviors (times stand under times)",
        found: "“\(taken)”")
    }
    for window in windows where !(1...most).contains(window.interactions) {
      throw StateDefinitionError(
        key: "history.windows", expected: "1 to \(most) interactions",
        found: "\(window.interactions)")
    }
    for hours in decays where !(hours >= 0.001 && hours <= 1e6) {
      throw StateDefinitionError(
        key: "history.decays", expected: "0.001 to 1000000 hours", found: "\(hours)")
    }
    for name in recency where !behaviors.contains(name) {
      throw StateDefinitionError(
        key: "history.recency", expected: "one of history.behaviors", found: "“\(name)”")
    }
    guard let topics else { return }
    if !(1...most).contains(topics.window) {
      throw StateDefinitionError(
        key: "history.topics.window", expected: "1 to \(most) interactions",
        found: "\(topics.window)")
    }
    let isHashed = topics.buckets != nil
    if isHashed == (topics.values != nil || topics.top != nil) {
      throw StateDefinitionError(
        key: "history.topics", expected: "either buckets, or values or top",
        found: isHashed ? "both" : "none")
    }
    for (count, word) in [(topics.buckets, "buckets"), (topics.top, "top")] {
      if let count, !(1...65_000).contains(count) {
        throw StateDefinitionError(
          key: "history.topics.\(word)", expected: "1 to 65000", found: "\(count)")
      }
    }
    // A topic and "other" have 16 bits of a packed interaction.
    if let values = topics.values, values.count > 65_000 {
      throw StateDefinitionError(
        key: "history.topics.values", expected: "at most 65000", found: "\(values.count)")
    }
  }
}
