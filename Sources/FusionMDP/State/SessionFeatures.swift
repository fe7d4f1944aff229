/// What the state holds of the running session and the moment of the request.
public struct SessionFeatures: Sendable, Equatable, Codable {
  /// One feature, or one a signal.
  public enum Feature: String, CaseIterable, Sendable, Equatable, Codable {
    /// Requests of this session before this one.
    case requests
    /// log(1 + requests).
    case logRequests = "log_requests"
    /// Items shown in this session before this request.
    case impressions
    /// log(1 + impressions).
    case logImpressions = "log_impressions"
    /// The signals summed over this session.
    case sums
    /// The signals summed over this session a shown item.
    case means
    /// Minutes since the first request of this session.
    case minutes
    /// log(1 + minutes).
    case logMinutes = "log_minutes"
    /// 1 in the user's first session.
    case isFirst = "is_first"
    /// log(1 + hours between the last session and this one), at most 30 days; a first session
    /// counts as that long away.
    case logHoursSinceLast = "log_hours_since_last"
    /// sin of the local hour, a day being a turn.
    case hourSine = "hour_sine"
    /// cos of the local hour.
    case hourCosine = "hour_cosine"
    /// 1 at the first request of a session.
    case isStart = "is_start"
  }

  /// The features, in order.
  public var features: [Feature]
  /// What `sums` and `means` stand for: behaviors, `play_minutes` or `play_integrity`.
  public var signals: [String]
  /// A pause longer than this ends a session, in minutes.
  public var gapMinutes: Double
  /// The local time of the users, in hours from UTC.
  public var utcOffsetHours: Double

  private enum CodingKeys: String, CodingKey {
    case features, signals
    case gapMinutes = "gap_minutes"
    case utcOffsetHours = "utc_offset_hours"
  }

  /// Features of the session; what is not named keeps its default.
  public init(
    features: [Feature] = [
      .logRequests, .logImpressions, .means, .logMinutes, .isFirst, .logHoursSinceLast,
      .hourSine, .hourCosine,
    ],
    signals: [String] = ["play_minutes", "play_integrity"], gapMinutes: Double = 30,
    utcOffsetHours: Double = 0
  ) {
    self.features = features
    self.signals = signals
    self.gapMinutes = gapMinutes
    self.utcOffsetHours = utcOffsetHours
  }

  /// Reads the session's part; absent keys keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let usual = SessionFeatures()
    self.init(
      features: try container.decodeIfPresent([Feature].self, forKey: .features)
        ?? usual.features,
      signals: try container.decodeIfPresent([String].self, forKey: .signals) ?? usual.signals,
      gapMinutes: try container.decodeIfPresent(Double.self, forKey: .gapMinutes)
        ?? usual.gapMinutes,
      utcOffsetHours: try container.decodeIfPresent(Double.self, forKey: .utcOffsetHours)
        ?? usual.utcOffsetHours)
  }

  /// A pause longer than this ends a session, in milliseconds.
  public var gapMilliseconds: Int64 { Int64(min(gapMinutes * 60_000, 4e15).rounded()) }

  /// The local hour of a time in milliseconds since 1970, in [0, 24]: the last milliseconds of a day
  /// round to 24, whose sine and cosine are those of 0.
  public func hourOfDay(at time: Int64) -> Float {
    let day: Int64 = 86_400_000
    let local = time + Int64((utcOffsetHours * 3_600_000).rounded())
    let inDay = (local % day + day) % day
    return Float(Double(inDay) / 3_600_000)
  }

  /// The names of the features in order.
  var names: [String] {
    features.flatMap { feature -> [String] in
      switch feature {
      case .requests: ["session_requests"]
      case .logRequests: ["session_log_requests"]
      case .impressions: ["session_impressions"]
      case .logImpressions: ["session_log_impressions"]
      case .sums: signals.map { "session_sum_\($0)" }
      case .means: signals.map { "session_\($0)" }
      case .minutes: ["session_minutes"]
      case .logMinutes: ["session_log_minutes"]
      case .isFirst: ["session_is_first"]
      case .logHoursSinceLast: ["session_log_hours_since_last"]
      case .hourSine: ["hour_sine"]
      case .hourCosine: ["hour_cosine"]
      case .isStart: ["session_is_start"]
      }
    }
  }

  func check() throws(StateDefinitionError) {
    guard gapMinutes > 0 else {
      throw StateDefinitionError(
        key: "session.gap_minutes", expected: "more than 0", found: "\(gapMinutes)")
    }
    guard abs(utcOffsetHours) <= 24 else {
      throw StateDefinitionError(
        key: "session.utc_offset_hours", expected: "-24 to 24", found: "\(utcOffsetHours)")
    }
    if signals.contains(where: \.isEmpty) {
      throw StateDefinitionError(key: "session.signals", expected: "names", found: "an empty one")
    }
  }

  /// Appends the features of a moment of a session.
  func append(_ session: SessionContext, to state: inout [Float]) {
    for feature in features {
      switch feature {
      case .requests: state.append(Float(session.requestsSoFar))
      case .logRequests: state.append(logarithm1p(Float(session.requestsSoFar)))
      case .impressions: state.append(Float(session.impressionsSoFar))
      case .logImpressions: state.append(logarithm1p(Float(session.impressionsSoFar)))
      case .sums: state.append(contentsOf: session.signalSums)
      case .means:
        let scale = session.impressionsSoFar > 0 ? 1 / Float(session.impressionsSoFar) : 0
        for sum in session.signalSums { state.append(sum * scale) }
      case .minutes: state.append(session.minutesSinceStart)
      case .logMinutes: state.append(logarithm1p(session.minutesSinceStart))
      case .isFirst: state.append(session.hoursSinceLastSession == nil ? 1 : 0)
      case .logHoursSinceLast:
        state.append(cappedLogHours(session.hoursSinceLastSession))
      case .hourSine: state.append(sine(session.hourOfDay / 24 * 2 * Float.pi))
      case .hourCosine: state.append(cosine(session.hourOfDay / 24 * 2 * Float.pi))
      case .isStart: state.append(session.requestsSoFar == 0 ? 1 : 0)
      }
    }
  }
}

/// log(1 + hours), hours cut to 0 … 30 days; nil counts as 30 days.
func cappedLogHours(_ hours: Float?) -> Float {
  let longest = StateEncoder.longestAbsenceHours
  return logarithm1p(min(max(hours ?? longest, 0), longest))
}
