import Foundation

/// The results of a run as lines of ASCII for a terminal.
package struct TerminalTable {
  private let results: ReproductionResults

  /// The table of `results`.
  package init(_ results: ReproductionResults) {
    self.results = results
  }

  /// Lines without a line break at their ends.
  package var lines: [String] {
    var lines = [
      "preset \(results.preset), seed \(results.seed), data \(results.dataset.name): "
        + "\(results.dataset.impressions) impressions, \(results.dataset.users) users"
    ]
    if !results.offline.isEmpty {
      lines += ["", "OFFLINE: estimated from logged test sessions (value [95 % interval])"]
      lines += offlineTable
    }
    if !results.truth.isEmpty || !results.online.isEmpty {
      lines += [
        "", "SIMULATED PLATFORM: no real users saw these policies. Truth and A/B numbers come from",
        "a simulator with stated assumptions; lifts are over the reference arm [95 % interval].",
      ]
      lines += platformTable
    }
    return lines
  }

  /// One row a method, one column an estimator.
  private var offlineTable: [String] {
    let estimators = Self.distinct(results.offline.map(\.estimator))
    var rows = [["method"] + estimators]
    for method in Self.distinct(results.offline.map(\.method)) {
      var row = [method]
      for estimator in estimators {
        let found = results.offline.first { $0.method == method && $0.estimator == estimator }
        row.append(found.map { Self.interval($0.value, $0.low, $0.high) } ?? "-")
      }
      rows.append(row)
    }
    return Self.aligned(rows)
  }

  /// One row a method: true return, minutes and share with their lifts.
  private var platformTable: [String] {
    var rows = [
      ["method", "true session return", "ADTime min", "lift", "p", "UPIRate", "lift", "p"]
    ]
    for method in Self.distinct(results.truth.map(\.method) + results.online.map(\.method)) {
      let truth = results.truth.first { $0.method == method }
      let online = results.online.first { $0.method == method }
      rows.append([
        method,
        truth.map { Self.interval($0.sessionReturn, $0.low, $0.high) } ?? "-",
        online.map { Self.fixed($0.adTimeMinutes, 2) } ?? "-",
        online.map { Self.lift($0.adTime) } ?? "-",
        online.map { Self.probability($0.adTime.pValue) } ?? "-",
        online.map { $0.upiRate.map { Self.fixed(100 * $0, 3) + "%" } ?? "-" } ?? "-",
        online.map { Self.lift($0.upi) } ?? "-",
        online.map { Self.probability($0.upi.pValue) } ?? "-",
      ])
    }
    return Self.aligned(rows)
  }

  /// First column to the left, the others to the right, a rule under the head.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows[0].count
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }
      return cells.joined(separator: "  ")
    }
    lines.insert(
      widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "), at: 1)
    return lines
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen = Set<String>()
    return names.filter { seen.insert($0).inserted }
  }

  private static func interval(_ value: Double, _ low: Double, _ high: Double) -> String {
    "\(fixed(value, 3)) [\(fixed(low, 3)), \(fixed(high, 3))]"
  }

  /// "+2.31% [+1.02, +3.60]", or "reference".
  private static func lift(_ result: LiftResult) -> String {
    guard let lift = result.lift else { return "reference" }
    guard let low = result.low, let high = result.high else {
      return signed(lift) + "% [unbounded]"
    }
    return "\(signed(lift))% [\(signed(low)), \(signed(high))]"
  }

  private static func signed(_ fraction: Double) -> String {
    (fraction < 0 ? "" : "+") + fixed(100 * fraction, 2)
  }

  private static func probability(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value < 0.0001 ? "<0.0001" : fixed(value, 4)
  }

  private static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
