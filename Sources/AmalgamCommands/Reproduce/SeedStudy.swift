import DurableFiles
import ExperimentReports
import Foundation
import SeededRandom

/// What runs with several seeds say together: each method against the reference, seed by seed.
///
/// A seed repeats the whole chain, from the multi-task model on, so the spread between seeds holds
/// everything that is drawn. Intervals are 95 %, Student's t over the seeds.
struct SeedStudy: Codable, Equatable {
  /// One quantity of one method over the seeds.
  struct Lift: Codable, Equatable {
    /// The value of each seed, as a fraction of the reference's; null where undefined.
    var values: [Double?]
    /// Their mean; null with an undefined value among them.
    var mean: Double?
    /// The ends of its interval; null with fewer than two seeds.
    var low: Double?
    var high: Double?

    init(_ values: [Double?]) {
      self.values = values
      let known = values.compactMap(\.self)
      guard !known.isEmpty, known.count == values.count else { return }
      let n = Double(known.count)
      let mean = known.reduce(0, +) / n
      self.mean = mean
      guard known.count > 1 else { return }
      let squares = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let half =
        StudentDistribution.quantile(0.975, degrees: n - 1) * (squares / (n - 1) / n).squareRoot()
      low = mean - half
      high = mean + half
    }

    /// "+1.20% [-0.30, +2.70]".
    var text: String {
      func percent(_ value: Double) -> String { String(format: "%+.2f", 100 * value) }
      guard let mean else { return "-" }
      guard let low, let high else { return "\(percent(mean))%" }
      return "\(percent(mean))% [\(percent(low)), \(percent(high))]"
    }
  }

  /// One method: true values by paired roll-out, and the A/B test.
  struct Row: Codable, Equatable {
    var method: String
    var sessionReturn: Lift
    var appMinutes: Lift
    var positiveRate: Lift
    var onlineAppTime: Lift
    var onlinePositiveRate: Lift
  }

  /// The root seeds.
  var seeds: [UInt64]
  /// The method that the others are compared with.
  var reference: String
  /// The other methods.
  var rows: [Row]

  /// One finished run.
  struct Run {
    var seed: UInt64
    var truth: [Reproduction.TrueRow]
    var online: [OnlineResult]
  }

  init(_ runs: [Run], reference: String, methods: [String]) {
    seeds = runs.map(\.seed)
    self.reference = reference
    rows = methods.filter { $0 != reference }.map { method in
      func lift(
        _ gain: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value?>,
        of value: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value>
      ) -> Lift {
        Lift(
          runs.map { run in
            guard let gain = run.truth.first(where: { $0.method == method })?[keyPath: gain],
              let base = run.truth.first(where: { $0.method == reference })?[keyPath: value],
              base.value != 0
            else { return nil }
            return gain.value / base.value
          })
      }
      func online(_ metric: KeyPath<OnlineResult, LiftResult>) -> Lift {
        Lift(runs.map { $0.online.first { $0.method == method }?[keyPath: metric].lift })
      }
      return Row(
        method: method, sessionReturn: lift(\.sessionReturnGain, of: \.sessionReturn),
        appMinutes: lift(\.appMinutesGain, of: \.appMinutes),
        positiveRate: lift(\.positiveRateGain, of: \.positiveRate),
        onlineAppTime: online(\.adTime), onlinePositiveRate: online(\.upi))
    }
  }

  /// The study as `seeds.json` holds it.
  func write(to path: String) throws {
    try DurableFiles.write(MachineOutput.document(self), to: path)
  }

  /// The study for a terminal.
  var lines: [String] {
    let list = seeds.map(String.init).joined(separator: ", ")
    var lines = [
      "SIMULATED PLATFORM, seeds \(list): lifts over \(reference), mean over seeds",
      "[95 % interval over seeds]. Truth: paired roll-outs. A/B: the tests of the runs.",
    ]
    for row in rows {
      lines += [
        "\(row.method):", "  true session return  \(row.sessionReturn.text)",
        "  true app time        \(row.appMinutes.text)",
        "  true UPIRate         \(row.positiveRate.text)",
        "  A/B ADTime           \(row.onlineAppTime.text)",
        "  A/B UPIRate          \(row.onlinePositiveRate.text)",
      ]
    }
    return lines
  }
}
