import FusionMDP
import OffPolicyEvaluation

/// What the release gate asks for, under the key `gate` of a configuration.
///
/// The defaults and why: two estimators that fail differently must agree (a network fitted in rounds
/// and pulled down where the log is thin; a linear function solved exactly); any lift that is certain
/// at 95 % is worth a release; propensities fitted to the log make
/// the weights and the estimate fail together, so that they alone release nothing; satisfaction
/// may be traded against play time, but not more than a tenth of it.
struct GateSettings: Codable, Equatable {
  /// A feedback signal that must not be lost.
  struct Guardrail: Codable, Equatable {
    /// The signal, summed over a session and discounted as the reward is.
    var signal: String
    /// The largest loss, as a fraction of what it is compared with.
    var largestLoss: Double
  }

  /// The estimators that must agree.
  var estimators: [EstimatorKind] = [.conservative, .linearFittedQ]
  /// The least lift, in reward units.
  var leastLift = 0.0
  /// The least lift, as a fraction of the reference's value; the larger of the two counts.
  var leastRelativeLift = 0.0
  /// Coverage of the differences' intervals.
  var confidence = 0.95
  /// How far two estimators may lie apart, in units of their joint half width.
  var largestDisagreement = 1.0
  /// The share of logged sessions that may be cut, where they are the reference.
  var largestTruncatedShare = 0.2
  /// By what factor the data's mean reward may differ from that of the policy's training data.
  var largestRewardRatio = 3.0
  /// Whether estimates that weigh by fitted propensities may release.
  var allowsFittedPropensities = false
  /// What must not be lost.
  var guardrails = [Guardrail(signal: "play_minutes", largestLoss: 0.1)]

  init() {}

  /// The gate's thresholds.
  var thresholds: ReleaseGate.Thresholds {
    var thresholds = ReleaseGate.Thresholds()
    thresholds.estimators = estimators.map(\.rawValue)
    thresholds.leastLift = leastLift
    thresholds.leastRelativeLift = leastRelativeLift
    thresholds.largestDisagreement = largestDisagreement
    thresholds.largestTruncatedShare = largestTruncatedShare
    thresholds.allowsFittedPropensities = allowsFittedPropensities
    thresholds.guardrails = Dictionary(
      guardrails.map { ($0.signal, $0.largestLoss) }, uniquingKeysWith: { min($0, $1) })
    return thresholds
  }

  /// What is wrong, in words, or nil.
  var problem: String? {
    if estimators.isEmpty { return "estimators: expected at least one, found none" }
    if let other = estimators.first(where: { $0.estimand != .sessionValue }) {
      return "estimators: expected estimators of a session's value, found \(other.key)"
    }
    for (name, value) in [
      ("leastLift", leastLift), ("leastRelativeLift", leastRelativeLift),
      ("largestDisagreement", largestDisagreement),
      ("largestTruncatedShare", largestTruncatedShare),
    ] where !(value >= 0 && value.isFinite) {
      return "\(name): expected a number of at least 0, found \(value)"
    }
    if !(confidence > 0 && confidence < 1) {
      return "confidence: expected a number in (0, 1), found \(confidence)"
    }
    if !(largestRewardRatio > 1 && largestRewardRatio.isFinite) {
      return "largestRewardRatio: expected a number above 1, found \(largestRewardRatio)"
    }
    for guardrail in guardrails {
      guard FeedbackSignal(rawValue: guardrail.signal) != nil else {
        let known = FeedbackSignal.allCases.map(\.rawValue).joined(separator: ", ")
        return "guardrails: expected a signal of \(known); found '\(guardrail.signal)'"
      }
      guard guardrail.largestLoss >= 0, guardrail.largestLoss.isFinite else {
        return "guardrails: \(guardrail.signal): expected a largestLoss of at least 0, found "
          + "\(guardrail.largestLoss)"
      }
    }
    return nil
  }
}
