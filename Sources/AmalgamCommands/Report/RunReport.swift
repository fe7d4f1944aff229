import BatchRL
import ExperimentReports
import Foundation
import SeededRandom

/// A run of `reproduce` as a page: the paper's tables and figures, found here.
struct RunReport {
  /// A sweep, and where it was read from.
  struct Sweep {
    var path: String
    var results: SweepResults
  }

  let run: FinishedRun
  let sweeps: [Sweep]

  var seeds: [FinishedRun.Seed] { run.seeds }
  /// The seed whose curves and histograms are drawn.
  var first: FinishedRun.Seed { run.seeds[0] }

  /// The whole page.
  var page: ReportPage {
    let results = first.results
    let numbers = seeds.map { "\($0.results.seed)" }.joined(separator: ", ")
    var sections = [
      ReportPage.Section(
        "What this is",
        [
          .notice(
            "Simulated platform: no real user saw these policies. True values and A/B tests come "
              + "from a simulator with stated assumptions, fitted to a real log."),
          .paragraph(
            "A run of `amalgam reproduce`, preset \(results.preset), "
              + (seeds.count == 1
                ? "seed \(numbers)"
                : "seeds \(numbers), each the whole chain from the multi-task model on")
              + ". Log: \(results.dataset.name), \(results.dataset.impressions) impressions of "
              + "\(results.dataset.users) users."
              + (seeds.count == 1
                ? "" : " Curves and histograms are those of seed \(results.seed).")),
        ]),
      ReportPage.Section("Table 1: the methods", [.table(methodTable), .paragraph(tableNotes)]),
      ReportPage.Section(
        "The paper's signatures",
        [
          .paragraph(
            "Seen: the 95 % interval of the margin over seeds (Student's t) lies above 0; not seen: "
              + "below it; not distinguishable: it holds 0, or there is one seed and no interval."),
          .table(signatureTable),
        ]),
      ReportPage.Section("Figure 5: estimated Q during training", [.figures(valueFigures)]),
    ]
    let rest: [(String, [Figure])] = [
      ("Figure 6: what learners decide", actionFigures),
      ("Figure 7: exploration", explorationFigures),
      ("Figure 8: sensitivity", sweepFigures),
    ]
    for (heading, figures) in rest {
      sections.append(
        .init(
          heading,
          [
            figures.isEmpty
              ? .paragraph("Nothing of this is in the run or in a sweep beside it.")
              : .figures(figures)
          ]))
    }
    sections += [
      ReportPage.Section("Training", [.table(dataTable), .figures(trainingFigures)]),
      ReportPage.Section("The multi-task model", [.figures([taskFigure])]),
      ReportPage.Section("The platform beside the log", [.figures([anchorFigure])]),
    ]
    return ReportPage(
      title: "Multi-task fusion by batch reinforcement learning", sections: sections)
  }

  /// Table 1, the paper's numbers beside those found.
  private var methodTable: ReportPage.Table {
    let rows = run.methods.map { name -> [String] in
      let method = Reproduction.Method(rawValue: name)
      let paper = method.flatMap { PaperResults.rows[$0] }
      func cell(_ measure: FinishedRun.Measure) -> String {
        guard let method, name != run.methods[0] || !measure.isLift else { return "reference" }
        return text(method, measure)
      }
      return [
        name, paper?.offline.map { number($0) } ?? "–", percent(paper?.adTime),
        percent(paper?.upiRate), cell(.conservative), cell(.fitted), cell(.sessionReturn),
        cell(.appMinutes), cell(.positiveRate), cell(.onlineAppTime), cell(.onlinePositiveRate),
      ]
    }
    return ReportPage.Table(
      caption: seeds.count == 1
        ? "One seed: 95 % intervals over users or fits, p of the A/B test"
        : "Means over \(seeds.count) seeds, 95 % intervals over seeds (Student's t), p two-sided",
      head: [
        "method", "paper: V̂", "paper: ADTime", "paper: UPIRate", "V̂ conservative", "V̂ fitted Q",
        "true session return", "true app time", "true UPIRate", "A/B ADTime", "A/B UPIRate",
      ], rows: rows)
  }

  /// What each method was made from.
  private var dataTable: ReportPage.Table {
    let searched = first.searches.map { method, found in
      [
        method, "\(found.sessions) of \(found.sessionBudget)", "\(found.points) points", "–", "–",
      ]
    }
    let learned = first.training.map { record in
      [
        record.method, "\(record.sessions)", "\(record.steps) steps",
        String(format: "%.0f", record.stepsPerSecond), record.divergence ?? "–",
      ]
    }
    return ReportPage.Table(
      caption: "What each method saw (seed \(first.results.seed))",
      head: ["method", "user sessions", "effort", "steps a second", "divergence"],
      rows: searched + learned)
  }

  private var tableNotes: String {
    "V̂: discounted satisfaction a session, estimated from logged test sessions. The others are "
      + "lifts over \(run.methods[0]): true ones by paired roll-outs of the same simulated users, A/B "
      + "ones between separate users. The paper's are from its own platform, on other data and in "
      + "another unit of satisfaction."
  }

  private var signatureTable: ReportPage.Table {
    ReportPage.Table(
      caption: "What the paper found, looked for here", head: ["finding", "verdict", "numbers"],
      rows: Signatures(run: run).findings.map { [$0.claim, $0.verdict.rawValue, $0.numbers] })
  }

  /// A cell: over seeds where there are several, else as the run has it.
  private func text(_ method: Reproduction.Method, _ measure: FinishedRun.Measure) -> String {
    let values = run.values(method, measure)
    guard seeds.count > 1 else { return singleText(method, measure) ?? "–" }
    let summary = SeedStudy.Lift(values)
    guard let mean = summary.mean, let low = summary.low, let high = summary.high else {
      return "–"
    }
    guard measure.isLift else { return interval(mean, low, high) }
    return "\(summary.text), p \(probability(values.compactMap(\.self)))"
  }

  private func singleText(
    _ method: Reproduction.Method, _ measure: FinishedRun.Measure
  ) -> String? {
    func lift(_ value: Double?, _ low: Double?, _ high: Double?, _ p: Double?) -> String? {
      guard let value else { return nil }
      let range = low.flatMap { low in high.map { " [\(signed(low)), \(signed($0))]" } } ?? ""
      return "\(signed(value))%\(range)" + (p.map { String(format: ", p %.4f", $0) } ?? "")
    }
    func gain(
      _ gain: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value?>,
      of value: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value>
    ) -> String? {
      guard let base = first.truth.first?[keyPath: value].value, base != 0,
        let found = first.truth.first(where: { $0.method == method.rawValue })?[keyPath: gain]
      else { return nil }
      return lift(found.value / base, found.low / base, found.high / base, nil)
    }
    func estimate(_ estimator: String) -> String? {
      first.results.offline.first { $0.method == method.rawValue && $0.estimator == estimator }
        .map { interval($0.value, $0.low, $0.high) }
    }
    let online = first.results.online.first { $0.method == method.rawValue }
    switch measure {
    case .conservative: return estimate("conservative")
    case .fitted: return estimate("fitted Q")
    case .sessionReturn: return gain(\.sessionReturnGain, of: \.sessionReturn)
    case .appMinutes: return gain(\.appMinutesGain, of: \.appMinutes)
    case .positiveRate: return gain(\.positiveRateGain, of: \.positiveRate)
    case .onlineAppTime:
      return online.flatMap {
        lift($0.adTime.lift, $0.adTime.low, $0.adTime.high, $0.adTime.pValue)
      }
    case .onlinePositiveRate:
      return online.flatMap { lift($0.upi.lift, $0.upi.low, $0.upi.high, $0.upi.pValue) }
    case .finalValue, .finalDeviation, .saturation: return nil
    }
  }

  /// Two-sided p of a mean of 0, by Student's t over seeds.
  private func probability(_ values: [Double]) -> String {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / (n - 1) / n).squareRoot()
    guard error > 0 else { return mean == 0 ? "1" : "0" }
    let p = 2 * (1 - StudentDistribution.cumulative(abs(mean / error), degrees: n - 1))
    return String(format: "%.4f", p)
  }

  /// Learners whose curves stand in one figure.
  var learners: [Reproduction.StoredSummary] {
    let shown = ["behavior_cloning", "td3", "uwac_td3", "td3_bc", "cql_sac", "iql", "batch_rl_mtf"]
    return first.training.filter { shown.contains($0.method) }
  }

  /// The same color for a method in every figure.
  func color(_ method: String) -> Int {
    let order = [
      "batch_rl_mtf", "td3", "cql_sac", "uwac_td3", "td3_bc", "iql", "behavior",
      "behavior_cloning", "behavior_random",
    ]
    return order.firstIndex(of: method) ?? 4
  }

  /// A file of the first seed, as it is named below the run's folder.
  func file(_ name: String) -> String { first.name + name }

  func number(_ value: Double) -> String {
    abs(value) >= 1000 ? String(format: "%.3g", value) : String(format: "%.3f", value)
  }

  private func interval(_ value: Double, _ low: Double, _ high: Double) -> String {
    "\(number(value)) [\(number(low)), \(number(high))]"
  }

  private func signed(_ fraction: Double) -> String { String(format: "%+.2f", 100 * fraction) }

  private func percent(_ fraction: Double?) -> String {
    fraction.map { signed($0) + "%" } ?? "–"
  }
}
