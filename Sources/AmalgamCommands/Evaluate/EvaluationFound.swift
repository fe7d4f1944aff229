import Foundation
import OffPolicyEvaluation

extension EvaluateCommand {
  /// The result.
  struct Found: Codable {
    /// Something about the data that a reader should know.
    struct Finding: Codable, Equatable {
      /// What was looked at.
      var check: String
      /// Whether it forbids the use of the data.
      var forbids: Bool
      /// In words, with its numbers.
      var text: String
    }

    var data: String
    var sessions: Int
    var transitions: Int
    /// Mean discounted return of the sessions as they were logged: the behavior's value.
    var loggedReturn: Double
    /// The share of sessions that the window cut, of which the behavior's value guesses the rest.
    var truncatedShare: Double
    var seed: UInt64
    /// What is odd about the data; empty where nothing.
    var findings: [Finding]
    var estimates: [PolicyEvaluation.Estimate]
    /// Estimators that have no estimate, and why; nil where all have one.
    var failures: [String]?
    /// The release gate's word; nil where none was asked.
    var gate: ReleaseDecision.Found?
  }

  /// The result for a terminal.
  static func lines(_ found: Found) -> [String] {
    let width = max(6, found.estimates.map(\.method.count).max() ?? 0)
    let named = max(16, found.estimates.map(\.estimator.count).max() ?? 0)
    func row(_ cells: [String]) -> String {
      let widths = [width, named, 26, 9, 9, 9]
      return zip(cells, widths).enumerated().map { index, cell in
        let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
        return index < 2 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ") + "  " + (cells.last ?? "")
    }
    func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
    var lines = [
      "estimated from \(found.sessions) logged sessions of \(found.data): satisfaction per session"
    ]
    lines += found.findings.map { "\($0.forbids ? "NOT USABLE" : "note"): \($0.text)" }
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
          estimate.method, estimate.estimator,
          String(format: "%.3f [%.3f, %.3f]", estimate.value, estimate.low, estimate.high),
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
    if let gate = found.gate { lines += gate.lines }
    return lines
  }
}
