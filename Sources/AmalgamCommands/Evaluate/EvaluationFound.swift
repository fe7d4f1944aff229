import Foundation
import OffPolicyEvaluation

extension EvaluateCommand {
  /// The result.
  struct Found: Codable {
    /// A policy that was asked about.
    struct Policy: Codable, Equatable {
      /// What results call it.
      var method: String
      /// The SHA-256 of its manifest: names may repeat.
      var manifestSHA256: String

      enum CodingKeys: String, CodingKey {
        case method
        case manifestSHA256 = "manifestSha256"
      }
    }

    /// Where the densities of the logged actions come from.
    struct Propensities: Codable {
      var source: PropensityChoice
      /// What speaks against them: whatever weighs by them is then not enough evidence.
      var objections: [String]
      /// How fitted ones do on users that the fit never saw; nil of logged ones.
      var calibration: DensityCalibration?
    }

    var data: String
    var sessions: Int
    var transitions: Int
    /// Mean discounted return of the sessions as they were logged: the behavior's value.
    var loggedReturn: Double
    /// The share of sessions that the window cut, of which the behavior's value guesses the rest.
    var truncatedShare: Double
    var seed: UInt64
    /// The policies, a gate's reference last.
    var policies: [Policy]
    /// What is odd about the data; empty where nothing.
    var findings: [DataFinding]
    var propensities: Propensities
    var estimates: [PolicyEvaluation.Estimate]
    /// Estimators that have no estimate, and why; nil where all have one.
    var failures: [String]?
    /// Of each policy with `--health-log`; nil without.
    var healthMetrics: [FusionGAUC.Result]?
    /// The release gate's word; nil where none was asked.
    var gate: ReleaseDecision.Found?
  }

  /// The result for a terminal.
  static func lines(_ found: Found) -> [String] {
    let width = max(6, found.estimates.map(\.method.count).max() ?? 0)
    let named = max(16, found.estimates.map(\.markedEstimator.count).max() ?? 0)
    func row(_ cells: [String]) -> String {
      let widths = [width, named, 26, 9, 9, 9]
      return zip(cells, widths).enumerated().map { index, cell in
        let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
        return index < 2 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ") + "  " + (cells.last ?? "")
    }
    /// What weights of nearly nothing blow up stays readable.
    func value(_ value: Double) -> String {
      String(format: abs(value) < 1e6 ? "%.3f" : "%.3g", value)
    }
    func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
    var lines = [
      "estimated from \(found.sessions) logged sessions of \(found.data): satisfaction per session"
    ]
    lines += found.findings.map {
      let label =
        switch ($0.severity, $0.check) {
        case (.warning, _): "note"
        case (.error, .propensities): "NOT USABLE BY WEIGHTS"
        case (.error, _): "NOT USABLE"
        }
      return "\(label): \($0.summary); \($0.advice)"
    }
    lines += found.propensities.lines
    let cut =
      found.truncatedShare > 0
      ? String(
        format: " (%.1f %% were cut; the rest of one is taken to be worth a session)",
        100 * found.truncatedShare) : ""
    lines.append(
      String(format: "the sessions as they were logged: %.3f", found.loggedReturn) + cut)
    lines.append(
      row([
        "policy", "estimator", "value [95 % interval]", "TD error", "gap", "distance", "evidence",
      ]))
    for estimate in found.estimates {
      lines.append(
        row([
          estimate.method, estimate.markedEstimator,
          "\(value(estimate.value)) [\(value(estimate.low)), \(value(estimate.high))]",
          number(estimate.temporalDifferenceError), number(estimate.regularizer),
          number(estimate.actionDistance),
          estimate.evidence == .enough ? "enough" : "NOT ENOUGH",
        ]))
    }
    for estimate in found.estimates {
      lines += (estimate.shortcomings ?? []).map {
        "not enough evidence: \(estimate.estimator) of \(estimate.method): \($0)"
      }
    }
    lines += (found.failures ?? []).map { "no estimate: \($0)" }
    lines += found.estimates.compactMap(\.warning)
    lines.append("gap: mean Q of the policy's actions less that of the logged ones (R of eq. 10);")
    lines.append("distance: root mean square between the policy's and the logged weights")
    lines += (found.healthMetrics ?? []).map(\.line)
    if let gate = found.gate { lines += gate.lines }
    return lines
  }
}

extension PolicyEvaluation.Estimate {
  /// The estimator's name, marked where it weighs by densities that were fitted.
  fileprivate var markedEstimator: String {
    weights?.propensitiesAreFitted == true ? "\(estimator) (fitted densities)" : estimator
  }
}

extension EvaluateCommand.Found.Propensities {
  /// Fitted densities and what speaks against them, for a terminal; nothing about logged ones, of
  /// which the findings tell.
  fileprivate var lines: [String] {
    guard let calibration else { return [] }
    func nats(_ value: Double) -> String { String(format: "%.3f", value) }
    let distance = calibration.dimensions.map(\.uniformDistance).max() ?? 0
    var lines = [
      "densities of the logged actions were FITTED; on users that no fit saw, in nats: "
        + "\(nats(calibration.meanLogDensity)), a uniform density \(nats(calibration.uniformLogDensity)), "
        + "one Gaussian \(nats(calibration.gaussianLogDensity)); largest distance of a weight from "
        + String(
          format: "its fitted distribution %.3f (noise %.3f)", distance,
          calibration.uniformDistanceNoise)
    ]
    if let agreement = calibration.agreement {
      lines.append(
        String(
          format: "beside the logged ones: correlation %.2f, logged less fitted %.3f ± %.3f nats, ",
          agreement.correlation, agreement.meanDifference, agreement.meanDifferenceError)
          + String(
            format: "mean of fitted over logged %.3f ± %.3f (1 where both are right)",
            agreement.meanRatio, agreement.meanRatioError))
    }
    return lines + objections.map { "NOT USABLE BY WEIGHTS: \($0)" }
  }
}
