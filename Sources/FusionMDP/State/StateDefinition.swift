/// What the state s holds, declared: profile ⊕ history ⊕ session (paper, section 2.2: profile
/// features joined with the user's last 500 interactions), in this order.
///
/// It is a value that a file can hold (`Docs/StateEncoder.md` has every key). What depends on data
/// (means, the most frequent values, the scale of features) is fitted on the training window by
/// ``StateFit`` and stands in it afterwards, so that one file is all that serving needs to build
/// the same states.
public struct StateDefinition: Sendable, Equatable, Codable {
  /// How features are scaled.
  public enum Normalization: String, Sendable, Equatable, Codable {
    /// Not at all: policies scale states with the statistics of their own training data.
    case none
    /// To mean 0 and deviation 1 on the training window, clipped to ±5.
    case standard
  }

  /// The user's profile, in order.
  public var profile: [ProfileFeature]
  /// What is kept of the user's interactions.
  public var history: HistoryFeatures
  /// What is kept of the running session and the moment.
  public var session: SessionFeatures
  /// How features are scaled.
  public var normalization: Normalization
  /// The statistics behind `normalization`; fitted.
  public var statistics: StateNormalizer?

  /// A definition; what is not named keeps its default.
  public init(
    profile: [ProfileFeature] = [], history: HistoryFeatures = HistoryFeatures(),
    session: SessionFeatures = SessionFeatures(), normalization: Normalization = .none,
    statistics: StateNormalizer? = nil
  ) {
    self.profile = profile
    self.history = history
    self.session = session
    self.normalization = normalization
    self.statistics = statistics
  }

  /// The state of the simulated platform and of the logs that it writes: numbers as they are, rates
  /// over the last 500 and the last 50 interactions, means an impression of the session.
  public static func platform(profileNames: [String]) -> StateDefinition {
    let signals = FeedbackSignal.allCases.map(\.rawValue)
    return StateDefinition(
      profile: profileNames.map { ProfileFeature(name: $0) },
      history: HistoryFeatures(
        behaviors: InteractionHistory.standardBehaviors.map(\.rawValue),
        windows: [
          .init(interactions: 500, name: "history"), .init(interactions: 50, name: "recent"),
        ],
        statistics: [.rate], times: [.playIntegrity, .logWatchSeconds], decays: [],
        topics: nil, recency: [], totals: [.logCount]),
      session: SessionFeatures(
        features: [
          .logRequests, .means, .isFirst, .logHoursSinceLast, .hourSine, .hourCosine, .isStart,
        ], signals: signals))
  }

  /// What is still to be fitted, by key; empty when the definition can encode.
  public var unfitted: [String] {
    var missing: [String] = []
    for feature in profile where !feature.isFitted { missing.append("profile.\(feature.name)") }
    if let topics = history.topics, topics.buckets == nil, topics.values == nil {
      missing.append("history.topics.values")
    }
    if normalization == .standard, statistics == nil { missing.append("statistics") }
    return missing
  }

  /// The names of the features in order, S of them.
  public var names: [String] {
    profile.flatMap(\.names) + history.names + session.names
  }

  /// Checks the definition: what is out of range, unknown or named twice.
  /// - Throws: `StateDefinitionError` naming the key.
  public func check() throws(StateDefinitionError) {
    for feature in profile { try feature.check() }
    try history.check()
    try session.check()
    var seen = Set<String>()
    for name in names where !seen.insert(name).inserted {
      throw StateDefinitionError(
        key: "state", expected: "feature names that differ", found: "“\(name)” twice")
    }
    if names.isEmpty {
      throw StateDefinitionError(key: "state", expected: "at least one feature", found: "none")
    }
    if let statistics, unfitted.isEmpty, statistics.stateSize != names.count {
      throw StateDefinitionError(
        key: "statistics", expected: "\(names.count) features",
        found: "\(statistics.stateSize)")
    }
  }

  /// Checks that the definition is sound, fitted and builds states of these features.
  /// - Throws: `StateDefinitionError` naming the key.
  public func check(builds stateNames: [String]) throws(StateDefinitionError) {
    let built = try StateEncoder(self).names
    guard built != stateNames else { return }
    let place = zip(built, stateNames).enumerated().first { $1.0 != $1.1 }
    throw StateDefinitionError(
      key: place.map { "feature \($0.offset)" } ?? "features",
      expected: place.map { "“\($0.element.1)”" } ?? "\(stateNames.count)",
      found: place.map { "“\($0.element.0)”" } ?? "\(built.count)")
  }
}

extension StateDefinition {
  private enum CodingKeys: String, CodingKey {
    case profile, history, session, normalization, statistics
  }

  /// Reads a definition; absent keys keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      profile: try container.decodeIfPresent([ProfileFeature].self, forKey: .profile) ?? [],
      history: try container.decodeIfPresent(HistoryFeatures.self, forKey: .history)
        ?? HistoryFeatures(),
      session: try container.decodeIfPresent(SessionFeatures.self, forKey: .session)
        ?? SessionFeatures(),
      normalization: try container.decodeIfPresent(Normalization.self, forKey: .normalization)
        ?? .none,
      statistics: try container.decodeIfPresent(StateNormalizer.self, forKey: .statistics))
  }
}

/// A state definition that cannot be used, or data that it cannot encode.
public struct StateDefinitionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The key at fault, as in the file.
  public let key: String
  /// What was expected.
  public let expected: String
  /// What was found.
  public let found: String

  /// An error at a key.
  public init(key: String, expected: String, found: String) {
    self.key = key
    self.expected = expected
    self.found = found
  }

  /// The error in one sentence for people.
  public var description: String { "\(key): \(expected) expected, found \(found)" }
}
