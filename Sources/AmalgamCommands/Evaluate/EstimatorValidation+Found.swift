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
      /// How many of the estimates stand above their floors, and the rank correlation of these.
      var aboveFloors: Int
      var rankCorrelationAboveFloors: Double?

      /// The quality of the estimator called `name` in `policies`.
      init(_ name: String, _ policies: [Policy]) {
        estimator = name
        let own = policies.compactMap { policy in
          policy.estimates.first { $0.estimator == name }.map { (policy.truth, $0) }
        }
        func quality(_ estimates: [(Double, PolicyEvaluation.Estimate)]) -> EstimatorQuality? {
          EstimatorQuality(
            estimates.map { truth, estimate in
              EstimatorQuality.Pair(
                truth: truth, value: estimate.value, low: estimate.low, high: estimate.high)
            })
        }
        let standing = own.filter { $0.1.evidence == .enough }
        aboveFloors = standing.count
        rankCorrelationAboveFloors = quality(standing)?.rankCorrelation
        let quality = quality(own)
        rankCorrelation = quality?.rankCorrelation
        absoluteError = quality?.absoluteError
        regretAt1 = quality?.regretAt1
        coverage = quality?.coverage
      }

      private enum CodingKeys: String, CodingKey {
        case estimator, rankCorrelation, absoluteError, coverage, aboveFloors
        case rankCorrelationAboveFloors
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
        try container.encode(aboveFloors, forKey: .aboveFloors)
        try container.encode(rankCorrelationAboveFloors, forKey: .rankCorrelationAboveFloors)
      }
    }

    /// One policy: its true value and its estimates.
    struct Policy: Encodable {
      var policy: String
      var truth: Double
      var truthLow: Double
      var truthHigh: Double
      /// Its true value less that of the best policy, and the ends of the paired interval.
      var truthDifference: Double
      var truthDifferenceLow: Double
      var truthDifferenceHigh: Double
      /// Root mean square between its and the logged weights.
      var actionDistance: Double
      var estimates: [PolicyEvaluation.Estimate] = []
      /// Estimators that failed, and why.
      var failures: [String] = []

      init(_ policy: String, _ truth: EstimatorValidation.Truth, distance: Double) {
        self.policy = policy
        self.truth = truth.value.value
        truthLow = truth.value.low
        truthHigh = truth.value.high
        truthDifference = truth.difference.value
        truthDifferenceLow = truth.difference.low
        truthDifferenceHigh = truth.difference.high
        actionDistance = distance
      }
    }

    var estimators: [Estimator]
    var policies: [Policy]
    /// Spearman's, of the true values by one half of the users and by the other.
    var truthRankCorrelation: Double?
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
      "rank correlation of the true values by two halves of the users: "
        + number(truthRankCorrelation),
      pad("policy", width) + "  truth [95 % interval]    " + "estimates",
    ]
    for policy in policies.sorted(by: { $0.truth > $1.truth }) {
      let values = policy.estimates.map { "\($0.estimator) \(number($0.value))" }
      lines.append(
        pad(policy.policy, width) + "  "
          + "\(number(policy.truth)) [\(number(policy.truthLow)), \(number(policy.truthHigh))]  "
          + (values + policy.failures).joined(separator: ", "))
    }
    let titles = [
      "rank corr.", "abs. error", "regret@1", "coverage", "above floors", "their rank corr.",
    ]
    func row(_ name: String, _ cells: [String]) -> String {
      zip(cells, titles).reduce(pad(name, named)) { line, cell in
        let (text, title) = cell
        return line + "  " + String(repeating: " ", count: max(0, title.count - text.count)) + text
      }
    }
    lines.append(row("estimator", titles))
    for estimator in estimators {
      lines.append(
        row(
          estimator.estimator,
          [
            number(estimator.rankCorrelation), number(estimator.absoluteError),
            number(estimator.regretAt1), number(estimator.coverage), "\(estimator.aboveFloors)",
            number(estimator.rankCorrelationAboveFloors),
          ]))
    }
    let low = policies.flatMap(\.estimates).count { $0.evidence == .notEnough }
    let all = policies.flatMap(\.estimates).count
    lines.append(
      "\(low) of \(all) estimates lie below their floors: not enough evidence on their own")
    return lines
  }
}
