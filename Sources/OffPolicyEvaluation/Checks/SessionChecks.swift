import Foundation
import FusionMDP
import SeededRandom

/// Too few users or sessions, sessions that stand twice, sessions out of order.
enum SessionChecks {
  static func findings(
    _ source: any TransitionSource, _ data: CheckedTransitions
  ) -> [DataFinding] {
    counts(data) + duplicates(data) + timeOrder(data)
  }

  private static func counts(_ data: CheckedTransitions) -> [DataFinding] {
    var findings: [DataFinding] = []
    let users = Set(data.users).count
    if users < DataChecks.Threshold.users {
      findings.append(
        DataFinding(
          check: .users, severity: users == 1 ? .error : .warning,
          summary: users == 1
            ? "all \(data.sessions.count) sessions are of one user; at least "
              + "\(DataChecks.Threshold.users) users expected"
            : "the sessions are of \(users) users; at least \(DataChecks.Threshold.users) expected",
          advice: "users are what intervals and held-out fits are made of: log more of them, or "
            + "look whether user_id is filled"))
    }
    if data.sessions.count < DataChecks.Threshold.sessions {
      findings.append(
        DataFinding(
          check: .sessions, severity: data.sessions.count < 2 ? .error : .warning,
          summary: "there are \(data.sessions.count) sessions; at least "
            + "\(DataChecks.Threshold.sessions) expected",
          advice: "log for longer: an interval from so few says nothing"))
    }
    return findings
  }

  /// A hash of what happened in each session, without user and time.
  private static func contents(_ data: CheckedTransitions) -> [UInt64] {
    data.sessions.map { session in
      var hash = UInt64(session.count)
      func add(_ values: ArraySlice<Float>) {
        for value in values { hash = stableHash(hash, seed: UInt64(value.bitPattern)) }
      }
      add(data.states[session.lowerBound * data.stateSize..<session.upperBound * data.stateSize])
      add(data.actions[session.lowerBound * data.actionSize..<session.upperBound * data.actionSize])
      add(data.rewards[session])
      return hash
    }
  }

  private static func duplicates(_ data: CheckedTransitions) -> [DataFinding] {
    var first: [UInt64: Int] = [:]
    var (repeats, example) = (0, (0, 0))
    for (m, hash) in contents(data).enumerated() {
      if let earlier = first[hash] {
        if repeats == 0 { example = (earlier, m) }
        repeats += 1
      } else {
        first[hash] = m
      }
    }
    guard repeats > 0 else { return [] }
    let share = Double(repeats) / Double(data.sessions.count)
    return [
      DataFinding(
        check: .duplicates, severity: share > DataChecks.Threshold.duplicates ? .error : .warning,
        summary: "\(repeats) of \(data.sessions.count) sessions repeat the states, actions and "
          + "rewards of another one (the first: session \(example.1) that of \(example.0)); none "
          + "expected",
        advice: "look whether files were read twice: repeated sessions make intervals too narrow")
    ]
  }

  private static func timeOrder(_ data: CheckedTransitions) -> [DataFinding] {
    let times = data.startTimes
    guard times.count > 1 else { return [] }
    if times.allSatisfy({ $0 == times[0] }) {
      return [
        DataFinding(
          check: .timeOrder, severity: .warning,
          summary: "all sessions began at the same time (\(times[0]) ms)",
          advice: "store start times: without them training and test cannot be split by time")
      ]
    }
    let later = times.indices.dropFirst().filter { times[$0] < times[$0 - 1] }
    guard let place = later.first else { return [] }
    return [
      DataFinding(
        check: .timeOrder, severity: .warning,
        summary: "\(later.count) of \(times.count) sessions began before the one they follow (the "
          + "first: session \(place), \(times[place - 1] - times[place]) ms); time order expected",
        advice: "sort sessions by start time; a split by position is none by time")
    ]
  }
}
