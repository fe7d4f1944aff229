/// What the logged sessions allow to say about releasing a policy in place of what runs.
package enum ReleaseVerdict: String, Sendable, Codable, CaseIterable {
  /// It is better by more than asked, with the certainty asked, by every estimator asked.
  case release
  /// The evidence stands, and does not show that it is better.
  case hold
  /// The evidence is below its floors: no number that came out of it says anything.
  case notEnoughEvidence = "not_enough_evidence"

  /// The verdict in words.
  package var words: String {
    switch self {
    case .release: "release"
    case .hold: "hold"
    case .notEnoughEvidence: "not enough evidence"
    }
  }
}

/// One thing that speaks for a verdict, with the number found and the limit it was held against.
package struct GateReason: Sendable, Equatable {
  /// Which threshold was applied; raw values are the names of the thresholds.
  package enum Rule: String, Sendable, Codable {
    /// What is wrong with the data.
    case data
    /// What an estimate lacks.
    case floors
    /// An estimator that was asked for and gave no estimate.
    case estimators
    /// `leastLift` and `leastRelativeLift` with `confidence`.
    case leastLift
    /// `largestDisagreement`.
    case largestDisagreement
    /// `largestTruncatedShare`.
    case largestTruncatedShare
    /// `allowsFittedPropensities`.
    case allowsFittedPropensities
    /// `guardrails`.
    case guardrails
  }

  /// The verdict that follows from this alone.
  package let callsFor: ReleaseVerdict
  /// The threshold.
  package let rule: Rule
  /// What was found, in the threshold's unit, where it is a finite number.
  package let found: Double?
  /// What it was held against, where it is a finite number.
  package let limit: Double?
  /// The reason in words, with its numbers.
  package let text: String

  /// A reason.
  package init(
    _ callsFor: ReleaseVerdict, _ rule: Rule, found: Double? = nil, limit: Double? = nil,
    _ text: String
  ) {
    self.callsFor = callsFor
    self.rule = rule
    self.found = found.flatMap { $0.isFinite ? $0 : nil }
    self.limit = limit.flatMap { $0.isFinite ? $0 : nil }
    self.text = text
  }
}
