import SeededRandom

/// Builds the state s that a ``StateDefinition`` declares.
///
/// The encoder holds no data: the same inputs give the same state in the simulator, in the replay
/// of old logs and in serving. Unless the definition says otherwise states are raw, and the
/// `StateNormalizer` of a policy scales them.
///
/// Shapes: profile [P], behaviors of an interaction [B′], signals [V], state [S].
public struct StateEncoder: Sendable, Equatable {
  /// Hours are counted up to this many (30 days); a first session counts as this long away.
  public static let longestAbsenceHours: Float = 720

  /// What the state holds.
  public let definition: StateDefinition
  /// The names of the state features in order, S of them.
  public let names: [String]
  /// How histories for this encoder are laid out.
  public let layout: HistoryLayout
  /// The behaviors whose numbers an ``Interaction`` holds, in order: those of the history, then
  /// those that only the session tells [B′].
  public let behaviorNames: [String]
  /// The number of features of the encoded profile, P.
  public let profileSize: Int
  /// Where each signal of the session comes from [V].
  private let signals: [Signal]
  /// A hash of ``storedLayout(of:)``: users stored under another one are refused.
  public let storedFingerprint: UInt64
  /// The feature of each topic that has one.
  private let topics: [String: Int]
  /// Of each column of the profile, the feature of each word that has one.
  private let words: [[String: Int]]

  private enum Signal: Sendable, Equatable {
    case playMinutes
    case playIntegrity
    case behavior(Int)
  }

  /// An encoder for a definition.
  /// - Throws: `StateDefinitionError` for a definition that is not sound or not fitted yet.
  public init(_ definition: StateDefinition) throws(StateDefinitionError) {
    try definition.check()
    if !definition.unfitted.isEmpty {
      throw StateDefinitionError(
        key: definition.unfitted[0], expected: "a definition that is fitted",
        found: "none of it (fit it on the training window, or give the value)")
    }
    self.init(checked: definition)
  }

  /// The encoder of the simulated platform with these profile features.
  public init(profileNames: [String]) {
    self.init(checked: .platform(profileNames: profileNames))
  }

  /// The encoder of the simulated platform with profile features called `profile_0`, `profile_1` …
  public init(profileSize: Int) {
    self.init(profileNames: (0..<profileSize).map { "profile_\($0)" })
  }

  private init(checked definition: StateDefinition) {
    self.definition = definition
    names = definition.names
    layout = HistoryLayout(definition.history)
    storedFingerprint = stableHash(Self.storedLayout(of: definition).joined(separator: "\n"))
    profileSize = definition.profile.reduce(0) { $0 + $1.names.count }
    var behaviors = definition.history.behaviors
    var signals: [Signal] = []
    for name in definition.session.signals {
      switch FeedbackSignal(rawValue: name) {
      case .playMinutes: signals.append(.playMinutes)
      case .playIntegrity: signals.append(.playIntegrity)
      default:
        if !behaviors.contains(name) { behaviors.append(name) }
        signals.append(.behavior(behaviors.firstIndex(of: name) ?? 0))
      }
    }
    self.signals = signals
    behaviorNames = behaviors
    topics = Self.places(of: definition.history.topics?.values)
    words = definition.profile.map { Self.places(of: $0.values) }
  }

  /// Where each word stands, the first of equal ones.
  private static func places(of words: [String]?) -> [String: Int] {
    Dictionary((words ?? []).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The names of the profile features where this is the platform's encoder, else nil.
  public var platformProfileNames: [String]? {
    let names = definition.profile.map(\.name)
    return definition == .platform(profileNames: names) ? names : nil
  }

  /// The number of state features, S.
  public var stateSize: Int { names.count }

  /// The number of signals that a session sums, V.
  public var signalCount: Int { signals.count }

  /// A history without interactions.
  public func emptyHistory() -> InteractionHistory { InteractionHistory(layout) }

  /// The features of a profile, one value a declared column.
  ///
  /// Shapes: `values` [columns] → [P].
  /// - Throws: `StateDefinitionError` for a word where a number is declared.
  public func profile(_ values: [ProfileValue]) throws(StateDefinitionError) -> [Float] {
    precondition(
      values.count == definition.profile.count,
      "\(values.count) values of the profile, expected \(definition.profile.count)")
    var features: [Float] = []
    features.reserveCapacity(profileSize)
    for (index, value) in values.enumerated() {
      try definition.profile[index].append(value, words: words[index], to: &features)
    }
    return features
  }

  /// The features of a profile of which nothing is known [P].
  public var missingProfile: [Float] {
    let values = definition.profile.map { _ in ProfileValue.missing }
    return (try? profile(values)) ?? []
  }

  /// The state of one request at a time in milliseconds since 1970.
  ///
  /// Shapes: `profile` [P] → [S].
  public func encode(
    profile: [Float], history: InteractionHistory, session: SessionContext, at time: Int64
  ) -> [Float] {
    var state = [Float]()
    state.reserveCapacity(stateSize)
    encode(profile: profile, history: history, session: session, at: time, into: &state)
    return state
  }

  /// Appends the state of one request to `states`: B calls build [B·S] without copies.
  public func encode(
    profile: [Float], history: InteractionHistory, session: SessionContext, at time: Int64,
    into states: inout [Float]
  ) {
    precondition(
      profile.count == profileSize && session.signalSums.count == signalCount,
      "\(profile.count) profile features, expected \(profileSize); "
        + "\(session.signalSums.count) sums of signals, expected \(signalCount)")
    let start = states.count
    states.append(contentsOf: profile)
    history.appendFeatures(at: time, layout, to: &states)
    definition.session.append(session, to: &states)
    guard definition.normalization == .standard, let statistics = definition.statistics else {
      return
    }
    for feature in 0..<stateSize {
      let scaled =
        (states[start + feature] - statistics.mean[feature]) / statistics.deviation[feature]
      states[start + feature] = min(max(scaled, -StateNormalizer.clip), StateNormalizer.clip)
    }
  }

  /// The signals that a session sums of one interaction [V].
  func signalValues(of interaction: Interaction) -> [Float] {
    signals.map { signal in
      switch signal {
      case .playMinutes: interaction.playSeconds / 60
      case .playIntegrity: interaction.playIntegrity
      case .behavior(let index): interaction.behaviors[index]
      }
    }
  }

  func packed(_ interaction: Interaction) -> PackedInteraction {
    precondition(
      interaction.behaviors.count == behaviorNames.count,
      "\(interaction.behaviors.count) behaviors, expected \(behaviorNames.count)")
    var flags: UInt64 = 0
    for behavior in 0..<layout.behaviorCount where interaction.behaviors[behavior] > 0 {
      flags |= 1 << UInt64(behavior)
    }
    return PackedInteraction(
      flags: flags, playSeconds: interaction.playSeconds,
      playIntegrity: interaction.playIntegrity, topic: topic(of: interaction),
      timeMilliseconds: interaction.timeMilliseconds)
  }

  private func topic(of interaction: Interaction) -> Int? {
    guard let declared = definition.history.topics, let word = interaction.topic else { return nil }
    return declared.buckets.map { ProfileFeature.bucket(of: word, among: $0) }
      ?? topics[word] ?? topics.count
  }
}

extension StateEncoder: Codable {
  /// Reads a definition and compiles it.
  /// - Throws: `DecodingError` for a definition that is not sound or not fitted yet.
  public init(from decoder: any Decoder) throws {
    do {
      try self.init(StateDefinition(from: decoder))
    } catch let error as StateDefinitionError {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(
          codingPath: decoder.codingPath, debugDescription: error.description))
    }
  }

  /// Writes the definition.
  public func encode(to encoder: any Encoder) throws { try definition.encode(to: encoder) }
}
