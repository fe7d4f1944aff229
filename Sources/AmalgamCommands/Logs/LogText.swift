import Foundation
import SessionLogs

/// Logs in words for a terminal.
enum LogText {
  /// One line an irregularity, with what preparation does about it.
  static func lines(of irregularities: IrregularityCounts) -> [String] {
    irregularities.entries.map { entry in
      "\(entry.kind.rawValue): \(entry.count), first at \(entry.file):\(entry.firstLine) "
        + "(\(entry.kind.policy))"
    }
  }

  /// A description as lines of “name  value”.
  static func text(of log: LogDescription) -> String {
    var lines: [String] = []
    func row(_ name: String, _ value: String) {
      lines.append(
        name.padding(toLength: max(24, name.count + 1), withPad: " ", startingAt: 0) + value)
    }
    func spread(_ name: String, _ value: LogDescription.Spread) {
      row(
        name,
        String(
          format: "mean %.2f, median %.1f, nine in ten up to %.1f, at most %.1f", value.mean,
          value.median, value.ninetieth, value.maximum))
    }
    row("decisions", "\(log.decisions)")
    row("feedback events", "\(log.feedback)")
    row("users", "\(log.users)")
    row("items shown", "\(log.items)")
    row("sessions", "\(log.sessions), \(log.truncatedSessions) of them truncated")
    row("from", time(log.firstTimeMilliseconds))
    row("to", time(log.lastTimeMilliseconds))
    row("collected until", time(log.windowEndMilliseconds))
    spread("requests per session", log.requestsPerSession)
    spread("minutes per session", log.sessionMinutes)
    spread("sessions per user", log.sessionsPerUser)
    spread("items per request", log.itemsPerRequest)
    row("log density known", String(format: "%.2f %% of decisions", log.propensityCoverage * 100))
    for (title, shares) in [("policy", log.policyVersions), ("arm", log.arms)] {
      for share in shares {
        row(
          "\(title) \(share.name)",
          "\(share.decisions) decisions"
            + (share.actions.map { ", actions: \(summary(of: $0))" } ?? ""))
      }
    }
    if let actions = log.actions {
      row("actions", summary(of: actions))
      for weight in actions.weights {
        row(
          "  \(weight.name)",
          String(
            format: "mean %.3f, deviation %.3f, 5 %% %.3f, median %.3f, 95 %% %.3f, "
              + "at the bounds %.2f %%", weight.mean, weight.deviation, weight.low, weight.median,
            weight.high, weight.atBounds * 100))
      }
    } else {
      row("actions", "unknown")
    }
    lines.append("mean per feedback event:")
    for (name, mean) in log.signalMeans.sorted(by: { $0.key < $1.key }) {
      row("  \(name)", String(format: "%.5f", mean))
    }
    lines.append(log.irregularities.isEmpty ? "nothing odd" : "odd events:")
    for oddity in log.irregularities {
      row(
        "  \(oddity.kind)",
        "\(oddity.count), first at \(oddity.file):\(oddity.firstLine) (\(oddity.policy))")
    }
    return lines.joined(separator: "\n")
  }

  private static func summary(of actions: ActionCoverage) -> String {
    String(
      format: "%.1f of \(actions.weights.count) dimensions vary, box share %.2g",
      actions.effectiveDimension, actions.boxShare)
  }

  private static func time(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
  }
}
