import Foundation

/// Progress of long work on standard error: a bar with the time left on a terminal, and a plain
/// line at every tenth of the work otherwise.
package final class ProgressLine {
  private let label: String
  private let total: Int
  private let start = ContinuousClock.now
  private let isTerminal: Bool
  private var lastShown = -1.0
  private var lastTime: ContinuousClock.Instant

  /// Begins the work called `label`, which has `total` steps.
  package init(_ label: String, total: Int) {
    self.label = label
    self.total = max(total, 1)
    self.isTerminal = isatty(STDERR_FILENO) == 1
    self.lastTime = start
  }

  /// Tells that `done` steps are done; `note` is shown behind the bar.
  package func update(_ done: Int, note: String = "") {
    let share = min(Double(done) / Double(total), 1)
    let now = ContinuousClock.now
    if isTerminal {
      guard now - lastTime > .milliseconds(200) || share >= 1 else { return }
      lastTime = now
      let filled = Int(share * 24)
      let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
      write("\r\u{1B}[K\(label) [\(bar)] \(Int(share * 100)) % \(timeLeft(share, now)) \(note)")
    } else if share - lastShown >= 0.1 || (share >= 1 && lastShown < 1) {
      lastShown = share
      write("\(label): \(Int(share * 100)) % \(timeLeft(share, now)) \(note)\n")
    }
  }

  /// Ends the work with a line that says how long it took.
  package func finish(_ note: String = "") {
    let seconds = Self.clock(Self.seconds(ContinuousClock.now - start))
    write("\(isTerminal ? "\r\u{1B}[K" : "")\(label): done in \(seconds) \(note)\n")
  }

  private func timeLeft(_ share: Double, _ now: ContinuousClock.Instant) -> String {
    guard share > 0.001, share < 1 else { return "" }
    return "\(Self.clock(Self.seconds(now - start) / share * (1 - share))) left"
  }

  private static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// Seconds as `1.2 s`, `3 min 05 s` or `2 h 10 min`.
  package static func clock(_ seconds: Double) -> String {
    if seconds < 60 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
    return String(format: "%d h %02d min", whole / 3600, whole / 60 % 60)
  }

  private func write(_ text: String) { StandardError.write(text) }
}
