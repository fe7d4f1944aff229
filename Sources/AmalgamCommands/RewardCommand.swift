import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import RewardFitting
import SessionLogs

/// `amalgam reward`: what a user's feedback is worth.
struct RewardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reward", abstract: "Fit the reward's weights to a log.",
    subcommands: [Fit.self])

  /// `amalgam reward fit`
  struct Fit: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Regress later app time on the feedback of sessions, pooled and within users.",
      discussion: """
        The weights go to a YAML file that train, evaluate and sweep read with --config. Both \
        regressions are associations under the policy that logged them; Docs/Reward.md tells how \
        to read them.
        """)
    @Argument(help: "The log's folder: schema.json with plain files or segments.")
    var log: String
    @Option(name: .shortAndLong, help: "The YAML file to write the weights to.")
    var output: String?
    @Option(help: "A file to write the whole report to, as --json prints it.")
    var report: String?
    @Option(
      help: "Which coefficients become weights: pooled or within.",
      transform: { text in
        guard let estimate = RewardFitConfiguration.Estimate(rawValue: text) else {
          throw ValidationError("pooled or within expected")
        }
        return estimate
      })
    var estimate: RewardFitConfiguration.Estimate?
    @OptionGroup var common: ConfigurationOptions

    func run() throws {
      var settings = try common.configuration(RewardFitConfiguration())
      if let estimate { settings.estimate = estimate }
      let found = try RewardFit.run(
        log: SessionLogFolder(path: log), configuration: settings,
        spillFolder: LogsCommand.Settings.spillFolder)
      let text = RewardText(report: found)
      if let report { try DurableFiles.write(try MachineOutput.document(found), to: report) }
      try common.json ? MachineOutput.print(found) : StandardOutput.print(text.lines)
      guard let output else { return }
      _ = try found.reward()
      try DurableFiles.write(text.configuration, to: output)
    }
  }
}

/// A fitted reward in words.
struct RewardText {
  let report: RewardFitReport

  /// The tables for a terminal: pooled beside within, then the weights.
  var lines: [String] {
    var lines = [
      "\(report.sessions) sessions of \(report.users) users, \(report.truncatedSessions) of them "
        + "truncated"
    ]
    for fit in report.outcomes { lines += [""] + table(fit) }
    if !report.weights.isEmpty {
      let chosen = report.configuration
      lines += ["", "weights (\(chosen.estimate.rawValue), \(chosen.outcome.rawValue)):"]
      for weight in report.weights {
        lines.append("  " + Self.padded(weight.signal, 18) + Self.text(of: weight))
      }
    }
    lines += report.findings.map { "note: \($0)" }
    return lines
  }

  private func table(_ fit: OutcomeFit) -> [String] {
    let out = fit.leftOut
    var lines = [
      "\(fit.outcome.rawValue): left out \(out.truncated) truncated, \(out.withoutNext) without a "
        + "next session, \(out.nextTruncated) before a truncated one, \(out.beyondWindow) with a "
        + "horizon beyond the window"
    ]
    for (name, result) in [("pooled", fit.pooled), ("within", fit.within)] {
      guard let result else { continue }
      lines.append(
        "  \(name): \(result.rows) sessions, \(result.clusters) users"
          + (result.rSquared.map { String(format: ", R2 %.4f", $0) } ?? "")
          + String(format: ", condition number %.1f", result.conditionNumber))
    }
    let width = 24
    lines.append(
      "  " + Self.padded("", width) + Self.padded("pooled [interval]", 28) + Self.padded("t", 8)
        + Self.padded("VIF", 8) + Self.padded("within [interval]", 28) + Self.padded("t", 8)
        + "VIF")
    var names = fit.pooled.terms.map(\.name)
    names += (fit.within?.terms ?? []).map(\.name).filter { !names.contains($0) }
    for name in names where !name.hasPrefix("day_") && !name.hasPrefix("hours_") {
      lines.append(
        "  " + Self.padded(name, width) + cells(fit.pooled[name]) + cells(fit.within?[name]))
    }
    return lines
  }

  private func cells(_ term: RegressionTerm?) -> String {
    guard let term else { return Self.padded("-", 28) + Self.padded("-", 8) + Self.padded("-", 8) }
    return Self.padded(
      String(format: "%.4f [%.4f, %.4f]", term.estimate, term.low, term.high), 28)
      + Self.padded(term.t.map { String(format: "%.2f", $0) } ?? "-", 8)
      + Self.padded(String(format: "%.2f", term.varianceInflation), 8)
  }

  /// The weights as a configuration that `train`, `evaluate` and `sweep` read.
  var configuration: String {
    let chosen = report.configuration
    var lines = [
      "# Fitted by amalgam reward fit: \(chosen.estimate.rawValue), \(chosen.outcome.rawValue),",
      "# \(report.sessions) sessions of \(report.users) users. Associations, not effects.",
    ]
    lines += report.findings.map { "# note: " + $0.split(separator: "\n").joined(separator: " ") }
    lines.append("rewardWeights:")
    for weight in report.weights {
      lines.append("  \(weight.signal): \(Float(weight.weight))  # \(Self.text(of: weight))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The weight with its interval and where it comes from.
  private static func text(of weight: FittedWeight) -> String {
    let interval =
      if let low = weight.low, let high = weight.high {
        String(format: " [%.4f, %.4f]", low, high)
      } else {
        ""
      }
    let source =
      switch weight.source {
      case .fitted: ""
      case .zero: " the interval holds 0: weighs nothing"
      case .standard: " the interval holds 0: as in the standard reward"
      case .notFitted: " not fitted"
      }
    return String(format: "%.4f", weight.weight) + interval + source
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
