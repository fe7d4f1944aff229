import Foundation
import FusionMDP

/// Rewards that are no numbers, do not vary, or are in another unit than they should.
enum RewardChecks {
  static func findings(_ data: CheckedTransitions, facts: DataChecks.Facts) -> [DataFinding] {
    if let place = data.rewards.firstIndex(where: { !$0.isFinite }) {
      let count = data.rewards.count { !$0.isFinite }
      return [
        DataFinding(
          check: .rewards, severity: .error,
          summary: "\(count) of \(data.count) rewards are no finite numbers (the first: transition "
            + "\(place), \(data.rewards[place]))",
          advice: "look for divisions by 0 and missing feedback in what makes the reward")
      ]
    }
    var findings: [DataFinding] = []
    let (mean, deviation) = meanAndDeviation(data.rewards)
    if data.count > 1, deviation <= 1e-6 * max(1, abs(mean)) {
      findings.append(
        DataFinding(
          check: .rewards, severity: .error,
          summary: String(
            format: "all %d rewards are %.4g; a reward that varies expected",
            data.count, mean),
          advice: "look at the reward's weights and at the feedback of the log"))
    } else {
      findings += facts.references.flatMap { compared(mean, deviation, with: $0) }
    }
    if let signals = facts.signals { findings += SignalChecks(data, signals).findings }
    return findings
  }

  private static func compared(
    _ mean: Double, _ deviation: Double, with reference: DataChecks.Facts.RewardReference
  ) -> [DataFinding] {
    let limit = reference.largestFactor
    var factors: [Double] = []
    if let usual = reference.deviation {
      // Root mean squares, so that a mean near 0 is no division by it.
      let found = (mean * mean + deviation * deviation).squareRoot()
      let expected = (reference.mean * reference.mean + usual * usual).squareRoot()
      guard expected > 0, usual > 0 else { return [] }
      factors = [found / expected, deviation / usual]
    } else if reference.mean != 0 {
      factors = [mean / reference.mean]
    }
    guard let factor = factors.first(where: { !($0 <= limit && $0 >= 1 / limit) })
    else { return [] }
    return [
      DataFinding(
        check: .units, severity: .error,
        summary: String(format: "the reward is %.3g ± %.3g a request, ", mean, deviation)
          + String(format: "%.3g", reference.mean)
          + (reference.deviation.map { String(format: " ± %.3g", $0) } ?? "") + " in "
          + reference.name
          + String(format: ": a factor of %.3g (at most %g either way expected)", factor, limit),
        advice:
          "look for another unit (60: seconds for minutes; 1000: milliseconds for seconds) or "
          + "other reward weights")
    ]
  }
}

/// Whether summed feedback is possible for the lists it was summed over.
private struct SignalChecks {
  private var totals: [Double]
  private var items = 0
  /// Per signal: transitions below 0, or above what the list allows, and the first of them.
  private var outside: [(count: Int, first: Int, value: Float, items: Int?)]
  private var skippedLists = (all: 0, long: 0)
  private let names: [String]
  private let count: Int

  init(_ data: CheckedTransitions, _ signals: DataChecks.Facts.Signals) {
    names = signals.names
    count = data.count
    totals = [Double](repeating: 0, count: names.count)
    outside = names.map { _ in (0, 0, 0, 0) }
    let width = names.count
    let play = names.firstIndex(of: FeedbackSignal.playMinutes.rawValue)
    let skip = names.firstIndex(of: FeedbackSignal.skip.rawValue)
    let known = Set(FeedbackSignal.allCases.map(\.rawValue))
    // What counts items at most once each; signals of the log's own may count anything.
    let bounded = names.indices.map { $0 != play && known.contains(names[$0]) }
    for start in stride(from: 0, to: data.count, by: 4096) {
      let rows = Array(start..<min(start + 4096, data.count))
      let values = signals.values(rows)
      for position in rows.indices {
        let length = signals.itemCounts?[start + position]
        items += length ?? 0
        let list = values[position * width..<(position + 1) * width]
        for (v, value) in list.enumerated() {
          totals[v] += Double(value)
          // Sums of Float shares may exceed the count by rounding.
          let most = bounded[v] ? length.map { Float($0) * 1.0001 } ?? .infinity : .infinity
          guard !(value >= 0 && value <= most) else { continue }
          if outside[v].count == 0 { outside[v] = (0, start + position, value, length) }
          outside[v].count += 1
        }
        if let play, let skip, let length, length > 0, list[list.startIndex + skip] >= Float(length)
        {
          skippedLists.all += 1
          let limit = Float(length) * UserFeedback.skipSeconds / 60
          if list[list.startIndex + play] > limit * 1.01 { skippedLists.long += 1 }
        }
      }
    }
  }

  var findings: [DataFinding] {
    var found: [DataFinding] = []
    for (v, name) in names.enumerated() where outside[v].count > 0 {
      found.append(
        finding(
          "'\(name)' lies outside 0 to the list's length in \(outside[v].count) of \(count) "
            + "requests (the first: transition \(outside[v].first), \(outside[v].value)"
            + (outside[v].items.map { " over \($0) items" } ?? "") + ")",
          "give behaviors as 0 or 1 and shares as 0 to 1 for each item, summed over the list"))
    }
    if let play = names.firstIndex(of: FeedbackSignal.playMinutes.rawValue), items > 0 {
      let mean = totals[play] / Double(items)
      if mean > DataChecks.Threshold.playMinutes {
        found.append(
          finding(
            String(
              format: "an item is played for %.4g minutes on average; at most %g expected",
              mean, DataChecks.Threshold.playMinutes),
            "give play_minutes in minutes: these look like "
              + (mean > 3000 ? "milliseconds" : "seconds")))
      }
    }
    if skippedLists.all >= 20, Double(skippedLists.long) > 0.1 * Double(skippedLists.all) {
      found.append(
        finding(
          "\(skippedLists.long) of \(skippedLists.all) lists whose items were all skipped (played for "
            + "less than \(UserFeedback.skipSeconds) seconds) were played for longer than that",
          "give play_minutes in minutes, or declare what skip means in your log"))
    }
    return found
  }

  private func finding(_ summary: String, _ advice: String) -> DataFinding {
    DataFinding(check: .units, severity: .error, summary: summary, advice: advice)
  }
}
