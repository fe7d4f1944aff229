import BatchRL
import DurableFiles
import Foundation
import PolicyArtifacts

/// What a sweep found, as `sweep.json` holds it.
struct SweepResults: Codable {
  /// What logged test sessions say of a point's policy.
  struct Offline: Codable, Equatable {
    var estimator: String
    var value: Double
    var low: Double
    var high: Double
    var effectiveSampleSize: Double?

    init(_ estimate: PolicyEvaluation.Estimate) {
      estimator = estimate.estimator
      value = estimate.value
      low = estimate.low
      high = estimate.high
      effectiveSampleSize = estimate.effectiveSampleSize
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(estimator, forKey: .estimator)
      try container.encode(value, forKey: .value)
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
      try container.encode(effectiveSampleSize, forKey: .effectiveSampleSize)
    }
  }

  /// A policy's true session return by roll-out on a simulated platform.
  struct Truth: Codable, Equatable {
    var sessionReturn: Double
    var low: Double
    var high: Double
  }

  /// One point of the grid.
  struct Point: Codable {
    var number: Int
    /// The value of each key of the sweep.
    var settings: [String: ConfigurationValue]
    /// Gradient steps made.
    var steps: Int
    /// What went wrong at which step, if training diverged: then there is no policy to value.
    var divergence: String?
    /// Q at the policy's decisions in the last report; nil without critics or report.
    var qMean: Double?
    var qDeviation: Double?
    var offline: [Offline]
    var truth: Truth?

    /// Keys without a value are written as null: what is undefined is told.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(number, forKey: .number)
      try container.encode(settings, forKey: .settings)
      try container.encode(steps, forKey: .steps)
      try container.encode(divergence, forKey: .divergence)
      try container.encode(qMean, forKey: .qMean)
      try container.encode(qDeviation, forKey: .qDeviation)
      try container.encode(offline, forKey: .offline)
      try container.encode(truth, forKey: .truth)
    }
  }

  /// The layout's version.
  var schema = 1
  var algorithm: String
  var seed: UInt64
  /// The keys that were varied, in the order asked for.
  var keys: [String]
  var points: [Point]

  /// The table for a terminal.
  var lines: [String] {
    func text(_ value: ConfigurationValue?) -> String {
      guard let value, let data = try? JSONEncoder().encode(value) else { return "-" }
      return String(decoding: data, as: UTF8.self).replacing("\"", with: "")
    }
    func interval(_ value: Double, _ low: Double, _ high: Double) -> String {
      String(format: "%.3f [%.3f, %.3f]", value, low, high)
    }
    let names = keys.enumerated().map { index, key in
      keys.count == 1
        ? String(key.split(separator: ".").last ?? "") : "(\(index + 1))"
    }
    let estimators = points.first { !$0.offline.isEmpty }?.offline.map(\.estimator) ?? []
    let hasTruth = points.contains { $0.truth != nil }
    var rows = [["point"] + names + ["Q"] + estimators + (hasTruth ? ["true"] : [])]
    for point in points {
      var row = ["\(point.number)"] + keys.map { text(point.settings[$0]) }
      row.append(point.qMean.map { String(format: "%.3f", $0) } ?? "-")
      row += estimators.map { name in
        point.offline.first { $0.estimator == name }.map { interval($0.value, $0.low, $0.high) }
          ?? "-"
      }
      if hasTruth {
        row.append(point.truth.map { interval($0.sessionReturn, $0.low, $0.high) } ?? "-")
      }
      rows.append(row)
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
        .joined(separator: "  ")
    }
    let diverged = points.compactMap { point in
      point.divergence.map { "point \(point.number) diverged: \($0)" }
    }
    let legend =
      keys.count == 1 ? [] : keys.enumerated().map { index, key in "(\(index + 1)) \(key)" }
    return ["\(algorithm), seed \(seed): satisfaction per session [95 % interval]"] + legend + table
      + diverged + (hasTruth ? ["true: on SIMULATED users"] : [])
  }
}
