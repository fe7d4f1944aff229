import Foundation
import OffPolicyEvaluation
import UserSimulator

extension EstimatorValidation {
  /// The result, as `evaluate --validate --json` prints it.
  struct Found: Encodable {
    /// How well one estimator did over all policies that it has an estimate of.
    struct Estimator: Encodable {
      var estimator: String
      var rankCorrelation: Double?
      var absoluteError: Double?
      var regretAt1: Double?
      var coverage: Double?

      /// The quality of the estimator called `name` in `policies`.
      init(_ name: String, _ policies: [Policy]) {
        estimator = name
        let quality = EstimatorQuality(
          policies.compactMap { policy in
            policy.estimates.first { $0.estimator == name }.map {
              EstimatorQuality.Pair(
                truth: policy.truth, value: $0.value, low: $0.low, high: $0.high)
            }
          })
        rankCorrelation = quality?.rankCorrelation
        absoluteError = quality?.absoluteError
        regretAt1 = quality?.regretAt1
        coverage = quality?.coverage
      }

      private enum CodingKeys: String, CodingKey {
        case estimator, rankCorrelation, absoluteError, coverage
        case regretAt1 = "regret_at_1"
      }

      /// Every key, null where undefined.
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(estimator, forKey: .estimator)
        try container.encode(rankCorrelation, forKey: .rankCorrelation)
        try container.encode(absoluteError, forKey: .absoluteError)
        try container.encode(regretAt1, forKey: .regretAt1)
        try container.encode(coverage, forKey: .coverage)
      }
    }

    /// One policy: its true value and its estimates.
    struct Policy: Encodable {
      var policy: String
      var truth: Double
      var truthLow: Double
      var truthHigh: Double
      /// Root mean square between its and the logged weights.
      var actionDistance: Double
      var estimates: [PolicyEvaluation.Estimate] = []
      /// Estimators that failed, and why.
      var failures: [String] = []

      init(_ policy: String, _ truth: TrueValue, distance: Double) {
        self.policy = policy
        self.truth = truth.value
        truthLow = truth.low
        truthHigh = truth.high
        actionDistance = distance
      }
    }

    var estimators: [Estimator]
    var policies: [Policy]
    var platform: String
    var seed: UInt64
    var sessions: Int
    var transitions: Int
    var loggedReturn: Double
  }
}

extension EstimatorValidation.Found {
  /// The result for a terminal.
  var lines: [String] {
    func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    let width = max(8, policies.map(\.policy.count).max() ?? 0)
    let named = max(9, estimators.map(\.estimator.count).max() ?? 0)
    var lines = [
      "SIMULATED PLATFORM \(platform), seed \(seed): \(sessions) sessions of mixed exploration, "
        + String(format: "worth %.3f each", loggedReturn),
      pad("policy", width) + "  truth [95 % interval]    " + "estimates",
    ]
    for policy in policies.sorted(by: { $0.truth > $1.truth }) {
      let values = policy.estimates.map { "\($0.estimator) \(number($0.value))" }
      lines.append(
        pad(policy.policy, width) + "  "
          + "\(number(policy.truth)) [\(number(policy.truthLow)), \(number(policy.truthHigh))]  "
          + (values + policy.failures).joined(separator: ", "))
    }
    lines.append(pad("estimator", named) + "  rank corr.  abs. error  regret@1  coverage")
    for estimator in estimators {
      let cells = [
        (estimator.rankCorrelation, 10), (estimator.absoluteError, 10), (estimator.regretAt1, 8),
        (estimator.coverage, 8),
      ]
      lines.append(
        pad(estimator.estimator, named)
          + cells.map { value, width in
            let text = number(value)
            return "  " + String(repeating: " ", count: max(0, width - text.count)) + text
          }.joined())
    }
    let low = policies.flatMap(\.estimates).count { $0.evidence == .notEnough }
    let all = policies.flatMap(\.estimates).count
    lines.append(
      "\(low) of \(all) estimates lie below their floors: not enough evidence on their own")
    return lines
  }
}
