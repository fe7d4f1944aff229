/// Builds the state s = user profile ⊕ interaction history ⊕ session context (paper, section 2.2:
/// profile features joined with the user's last 500 interactions).
///
/// The encoder holds no data: the same inputs give the same state in the simulator, the preparation
/// of old logs and serving. States are raw; `StateNormalizer` scales them.
///
/// Shapes: state [S], S = P + 27 + 19 with P profile features.
public struct StateEncoder: Sendable, Equatable, Codable {
  /// The names of the profile features, P of them.
  public let profileNames: [String]

  /// An encoder for these profile features.
  public init(profileNames: [String]) {
    self.profileNames = profileNames
  }

  /// An encoder for `profileSize` profile features called `profile_0`, `profile_1` …
  public init(profileSize: Int) {
    profileNames = (0..<profileSize).map { "profile_\($0)" }
  }

  /// The number of profile features, P.
  public var profileSize: Int { profileNames.count }

  /// The number of state features, S.
  public var stateSize: Int { profileSize + Self.historyNames.count + Self.sessionNames.count }

  /// The names of the state features in order, S of them.
  public var names: [String] { profileNames + Self.historyNames + Self.sessionNames }

  /// Hours are counted up to this many (30 days); a first session counts as this long away.
  public static let longestAbsenceHours: Float = 720

  private static let historyNames: [String] =
    ["history", "recent"].flatMap { window in
      InteractionHistory.behaviors.map { "\(window)_\($0.rawValue)" }
        + ["\(window)_play_integrity", "\(window)_log_watch_seconds"]
    } + ["history_log_count"]

  private static let sessionNames: [String] =
    ["session_log_requests"] + FeedbackSignal.allCases.map { "session_\($0.rawValue)" } + [
      "session_is_first", "session_log_hours_since_last", "hour_sine", "hour_cosine",
      "session_is_start",
    ]

  /// The state of one request.
  ///
  /// Shapes: `profile` [P] → [S].
  public func encode(
    profile: [Float], history: InteractionHistory, session: SessionContext
  ) -> [Float] {
    var state = [Float]()
    state.reserveCapacity(stateSize)
    encode(profile: profile, history: history, session: session, into: &state)
    return state
  }

  /// Appends the state of one request to `states`: B calls build [B·S] without copies.
  public func encode(
    profile: [Float], history: InteractionHistory, session: SessionContext,
    into states: inout [Float]
  ) {
    precondition(
      profile.count == profileSize, "\(profile.count) profile features, expected \(profileSize)")
    states.append(contentsOf: profile)
    history.appendFeatures(to: &states)

    states.append(logarithm1p(Float(session.requestsSoFar)))
    let scale = session.impressionsSoFar > 0 ? 1 / Float(session.impressionsSoFar) : 0
    for sum in session.signalSums { states.append(sum * scale) }
    let hours = session.hoursSinceLastSession ?? Self.longestAbsenceHours
    states.append(session.hoursSinceLastSession == nil ? 1 : 0)
    states.append(logarithm1p(min(max(hours, 0), Self.longestAbsenceHours)))
    let angle = session.hourOfDay / 24 * 2 * Float.pi
    states.append(sine(angle))
    states.append(cosine(angle))
    states.append(session.requestsSoFar == 0 ? 1 : 0)
  }
}
