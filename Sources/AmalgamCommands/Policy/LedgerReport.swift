import Foundation
import OffPolicyEvaluation
import PolicyArtifacts

/// The ledger as `policy ledger` prints it: predicted beside observed, a version and an estimator.
struct LedgerReport: Encodable {
  /// One estimator's prediction of a version, held against the observed session return.
  struct Prediction: Encodable {
    var estimator: String
    var value: Double
    var low: Double?
    var high: Double?
    /// Predicted less observed; nil before there is an observation.
    var error: Double?
    /// Whether the observed value lies in the interval.
    var held: Bool?
    /// The predicted difference to what the release replaced.
    var difference: Double?
  }

  /// What was observed.
  struct Observed: Encodable {
    var metric: PolicyLedger.Observation.Metric
    var value: Double
    var low: Double?
    var high: Double?
    var count: Int
    var source: String
  }

  /// A version that was released, or was about to be.
  struct Version: Encodable {
    var version: String
    /// Whether a release of it followed: where one fails after its prediction was written, none did.
    var isReleased: Bool
    var verdict: String?
    var against: String?
    var predictions: [Prediction]
    var observations: [Observed]

    fileprivate func observed(_ metric: PolicyLedger.Observation.Metric) -> Double? {
      observations.first { $0.metric == metric }?.value
    }
  }

  /// How well an estimator predicted, over all versions.
  struct Estimator: Encodable {
    var estimator: String
    /// Versions with a prediction and an observed session return.
    var versions: Int
    var meanError: Double?
    var absoluteError: Double?
    var coverage: Double?
    var rankCorrelation: Double?
    /// Of predicted differences and observed lifts of app time.
    var liftRankCorrelation: Double?
  }

  var entries: Int
  var versions: [Version]
  var estimators: [Estimator]

  /// The report of a ledger. Of several predictions or observations of one version and metric the
  /// last counts; a prediction made after the observation is none and does not.
  ///
  /// - Parameter released: the versions that were ever released.
  init(_ entries: [PolicyLedger.Entry], released: Set<String>) {
    self.entries = entries.count
    var order: [String] = []
    var versions: [String: Version] = [:]
    for entry in entries {
      if versions[entry.version] == nil { order.append(entry.version) }
      var version =
        versions[entry.version]
        ?? Version(
          version: entry.version, isReleased: released.contains(entry.version), predictions: [],
          observations: [])
      switch entry.content {
      case .prediction(let prediction):
        guard version.observations.isEmpty else { continue }
        version.verdict = prediction.verdict
        version.against = prediction.against
        version.predictions = prediction.estimates.map { estimate in
          Prediction(
            estimator: estimate.estimator, value: estimate.sessionReturn.value,
            low: estimate.sessionReturn.low, high: estimate.sessionReturn.high,
            difference: estimate.difference?.value)
        }
      case .observation(let seen):
        version.observations.removeAll { $0.metric == seen.metric }
        version.observations.append(
          Observed(
            metric: seen.metric, value: seen.observed.value, low: seen.observed.low,
            high: seen.observed.high, count: seen.count, source: entry.source))
      }
      versions[entry.version] = version
    }
    self.versions = order.compactMap { versions[$0].map(Self.compared) }
    estimators = Self.estimators(self.versions)
  }

  /// The version with its predictions held against the observed session return.
  private static func compared(_ version: Version) -> Version {
    guard let observed = version.observed(.sessionReturn) else { return version }
    var version = version
    for index in version.predictions.indices {
      let prediction = version.predictions[index]
      version.predictions[index].error = prediction.value - observed
      if let low = prediction.low, let high = prediction.high {
        version.predictions[index].held = low <= observed && observed <= high
      }
    }
    return version
  }

  private static func estimators(_ versions: [Version]) -> [Estimator] {
    var names: [String] = []
    for prediction in versions.flatMap(\.predictions) where !names.contains(prediction.estimator) {
      names.append(prediction.estimator)
    }
    return names.map { name in
      let pairs = versions.compactMap { version in
        version.predictions.first { $0.estimator == name }.map { (version, $0) }
      }
      let known = pairs.filter { $0.1.error != nil }
      let errors = known.compactMap(\.1.error)
      let held = known.compactMap(\.1.held)
      let lifts = pairs.compactMap { version, prediction -> (Double, Double)? in
        guard let lift = version.observed(.appTimeLift), let predicted = prediction.difference
        else { return nil }
        return (predicted, lift)
      }
      func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
      }
      return Estimator(
        estimator: name, versions: known.count, meanError: mean(errors),
        absoluteError: mean(errors.map(abs)), coverage: mean(held.map { $0 ? 1 : 0 }),
        rankCorrelation: EstimatorQuality.rankCorrelation(
          known.map(\.1.value), known.compactMap { $0.0.observed(.sessionReturn) }),
        liftRankCorrelation: EstimatorQuality.rankCorrelation(lifts.map(\.0), lifts.map(\.1)))
    }
  }
}

extension LedgerReport {
  /// An observation in words.
  static func words(of seen: PolicyLedger.Observation) -> String {
    words(seen.metric, seen.observed.value, seen.observed.low, seen.observed.high, seen.count)
  }

  private static func words(
    _ metric: PolicyLedger.Observation.Metric, _ value: Double, _ low: Double?, _ high: Double?,
    _ count: Int
  ) -> String {
    let isReturn = metric == .sessionReturn
    func number(_ value: Double) -> String {
      isReturn ? String(format: "%.3f", value) : String(format: "%+.2f %%", 100 * value)
    }
    let interval = low.flatMap { low in high.map { " [\(number(low)), \(number($0))]" } } ?? ""
    let name =
      switch metric {
      case .sessionReturn: "session return"
      case .appTimeLift: "lift of app time"
      case .positiveRateLift: "lift of UPIRate"
      }
    return "\(name) \(number(value))\(interval), \(count) \(isReturn ? "sessions" : "users")"
  }

  /// The report for a terminal.
  var lines: [String] {
    guard !versions.isEmpty else {
      return ["the ledger is empty: nothing was released since it is kept"]
    }
    var lines: [String] = []
    for version in versions {
      let verdict = version.verdict.flatMap(ReleaseVerdict.init)?.words
      let gate = verdict.map { ", gate: \($0) against \(version.against ?? "?")" } ?? ""
      lines.append(version.version + gate)
      for prediction in version.predictions {
        let interval = prediction.low.flatMap { low in
          prediction.high.map { String(format: " [%.3f, %.3f]", low, $0) }
        }
        let error = prediction.error.map { String(format: ", error %+.3f", $0) } ?? ""
        let held = prediction.held.map { $0 ? ", interval held" : ", interval did NOT hold" } ?? ""
        lines.append(
          "  predicted \(prediction.estimator) " + String(format: "%.3f", prediction.value)
            + (interval ?? "") + error + held)
      }
      if !version.isReleased {
        lines.append("  not released: the release failed after this was predicted")
      } else if version.predictions.isEmpty {
        lines.append("  released without a prediction")
      }
      for seen in version.observations {
        lines.append(
          "  observed " + Self.words(seen.metric, seen.value, seen.low, seen.high, seen.count))
      }
      if version.observations.isEmpty, version.isReleased { lines.append("  not observed yet") }
    }
    func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
    for estimator in estimators where estimator.versions > 0 {
      lines.append(
        "\(estimator.estimator): \(estimator.versions) versions observed, mean error "
          + "\(number(estimator.meanError)), absolute \(number(estimator.absoluteError)), coverage "
          + "\(number(estimator.coverage)), rank correlation \(number(estimator.rankCorrelation))")
    }
    return lines
  }
}
