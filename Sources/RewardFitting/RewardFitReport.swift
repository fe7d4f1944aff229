public import FusionMDP

/// Sessions that an outcome cannot use, by reason.
public struct SessionsLeftOut: Sendable, Equatable, Codable {
  /// Cut by the log's window, or with feedback that may still arrive.
  public var truncated = 0
  /// The user's last one: there is no next session in the log.
  public var withoutNext = 0
  /// Followed by a truncated session, whose app time is not all seen.
  public var nextTruncated = 0
  /// The horizon reaches beyond the log's window, or to requests on which feedback may still arrive.
  public var beyondWindow = 0

  /// Why nothing is left.
  func reason(for outcome: RewardFitConfiguration.Outcome) -> String {
    "no session with a known \(outcome.rawValue): \(truncated) truncated, "
      + "\(withoutNext) without a next session, \(nextTruncated) before a truncated one, "
      + "\(beyondWindow) with a horizon beyond the log's window"
  }
}

/// Both regressions of one outcome.
public struct OutcomeFit: Sendable, Equatable, Codable {
  /// The outcome.
  public let outcome: RewardFitConfiguration.Outcome
  /// Sessions that it cannot use.
  public let leftOut: SessionsLeftOut
  /// Over all sessions.
  public let pooled: RegressionResult
  /// Around each user's means; nil where too few users come often enough.
  public let within: RegressionResult?
  /// The sessions used, by their place.
  let used: [Int]

  enum CodingKeys: String, CodingKey { case outcome, leftOut, pooled, within }

  init(
    outcome: RewardFitConfiguration.Outcome, leftOut: SessionsLeftOut, pooled: RegressionResult,
    within: RegressionResult?, used: [Int]
  ) {
    self.outcome = outcome
    self.leftOut = leftOut
    self.pooled = pooled
    self.within = within
    self.used = used
  }

  /// Reads a stored fit, which no longer knows its sessions.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    outcome = try container.decode(RewardFitConfiguration.Outcome.self, forKey: .outcome)
    leftOut = try container.decode(SessionsLeftOut.self, forKey: .leftOut)
    pooled = try container.decode(RegressionResult.self, forKey: .pooled)
    within = try container.decodeIfPresent(RegressionResult.self, forKey: .within)
    used = []
  }

  /// The regression of one estimate.
  public subscript(estimate: RewardFitConfiguration.Estimate) -> RegressionResult? {
    estimate == .pooled ? pooled : within
  }
}

/// What a signal weighs in the reward, and why.
public struct FittedWeight: Sendable, Equatable, Codable {
  /// Where a weight comes from.
  public enum Source: String, Sendable, Codable {
    /// Its coefficient.
    case fitted
    /// The interval holds zero: it weighs nothing.
    case zero
    /// The interval holds zero: it weighs what it does in the standard reward.
    case standard
    /// It was not regressed on, or could not be: it weighs nothing.
    case notFitted = "not_fitted"
  }

  /// The signal.
  public let signal: String
  /// Its weight, a unit of the signal.
  public let weight: Double
  /// The interval of its coefficient, scaled like the weight; null without a coefficient.
  public let low: Double?
  /// The upper end.
  public let high: Double?
  /// Where it comes from.
  public let source: Source
}

/// All that a fit found.
public struct RewardFitReport: Sendable, Equatable, Codable {
  /// How it was made.
  public let configuration: RewardFitConfiguration
  /// Sessions of the log.
  public let sessions: Int
  /// Users of the log.
  public let users: Int
  /// Sessions cut by the log's window, or with feedback that may still arrive.
  public let truncatedSessions: Int
  /// The regressions.
  public let outcomes: [OutcomeFit]
  /// The weights, one a signal of `FeedbackSignal`; empty where nothing can be weighed.
  public let weights: [FittedWeight]
  /// What a reader must know, one sentence each.
  public let findings: [String]

  /// The reward with these weights.
  /// - Throws: `RewardFitError.nothingToWeigh` where there are none.
  public func reward() throws(RewardFitError) -> SatisfactionReward {
    guard !weights.isEmpty else {
      throw .nothingToWeigh(
        "no weights: no signal that a reward can weigh has an interval without 0 (\(configuration.estimate.rawValue), "
          + "\(configuration.outcome.rawValue))")
    }
    var named: [FeedbackSignal: Float] = [:]
    for weight in weights {
      if let signal = FeedbackSignal(rawValue: weight.signal) {
        named[signal] = Float(weight.weight)
      }
    }
    return SatisfactionReward(weights: named)
  }
}
