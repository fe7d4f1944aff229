import DurableFiles
import FusionMDP
import SeededRandom
import SessionLogs
import Testing
import TrajectoryPreparation

@Suite("Session cutting")
struct SessionCuttingTests {
  private func cut(
    windowEnd: Double? = 10_000, _ requests: [Request],
    _ configuration: PreparationConfiguration = PreparationConfiguration(trainFraction: 1)
  ) throws -> (sessions: [CutSession], report: PreparationReport) {
    let folder = try TemporaryFolder()
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: windowEnd, requests)
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out", configuration: configuration)
    return (
      try sessions(of: report.trainFolder) + sessions(of: report.testFolder), report
    )
  }

  @Test("one request alone is a terminal session of one step")
  func single() throws {
    #expect(try cut([Request("u", 1)]).sessions == [CutSession([0], .terminal)])
  }

  @Test("a pause of exactly the gap goes on, one millisecond more ends the session")
  func gap() throws {
    #expect(
      try cut([Request("u", 0), Request("u", 30)]).sessions == [CutSession([0, 1], .terminal)])
    let later = 30 + 1.0 / 60_000
    #expect(
      try cut([Request("u", 0), Request("u", later)]).sessions
        == [CutSession([0], .terminal), CutSession([1], .terminal)])
    let narrow = PreparationConfiguration(sessionGapMinutes: 10, trainFraction: 1)
    #expect(
      try cut([Request("u", 0), Request("u", 10), Request("u", 21)], narrow).sessions.count == 2)
  }

  @Test("feedback prolongs a session: the pause counts from all that the user did")
  func feedbackProlongs() throws {
    let folder = try TemporaryFolder()
    let requests = [Request("u", 0, plays: [1]), Request("u", 50)]
    func run(_ name: String, feedbackAt minutes: Int64) throws -> [CutSession] {
      let log = try tinyLog(
        folder.path + "/\(name)", windowEndMinutes: 10_000, requests,
        extraFeedback: [tinyFeedback("r0", "u", 1, minutes * minute, 5)])
      return try sessions(
        of: TrajectoryPreparation.run(
          log: log, output: folder.path + "/out-\(name)",
          configuration: PreparationConfiguration(trainFraction: 1)
        ).trainFolder)
    }
    #expect(try run("early", feedbackAt: 19).count == 2)
    #expect(try run("late", feedbackAt: 20) == [CutSession([0, 1], .terminal)])
  }

  @Test("users that take turns in the file keep their own sessions")
  func interleaved() throws {
    let result = try cut([
      Request("v", 5), Request("u", 0), Request("v", 6), Request("u", 1), Request("u", 100),
      Request("v", 36), Request("u", 101),
    ])
    #expect(
      result.sessions == [
        CutSession([1, 3], .terminal), CutSession([0, 2, 5], .terminal),
        CutSession([4, 6], .terminal),
      ])
    #expect(result.report.counts["sessions"] == 3)
  }

  @Test("lines out of time order are put in order")
  func unordered() throws {
    let result = try cut([Request("u", 2), Request("u", 0), Request("u", 1)])
    #expect(result.sessions == [CutSession([1, 2, 0], .terminal)])
    #expect(result.report.irregularities[.unorderedDecision] == 1)
  }

  @Test("every way to place three requests of a user gives the sessions of a plain reference")
  func exhaustive() throws {
    // Minutes between requests: same time, inside the gap, at it, beyond it. One user a case.
    let pauses: [Double] = [0, 29, 30, 31, 90]
    var requests: [Request] = []
    var expected: [CutSession] = []
    for first in pauses {
      for second in pauses {
        for windowAfter in [0.0, 10, 30, 31, 200] {
          let times = [0, first, first + second]
          let start = 1000 - windowAfter - times[2]
          expected += reference(times, end: times[2] + windowAfter, firstNumber: requests.count)
          let user = "u\(requests.count)"
          requests += times.map { Request(user, start + $0) }
        }
      }
    }
    let found = try cut(windowEnd: 1000, requests).sessions
    func ordered(_ sessions: [CutSession]) -> [CutSession] {
      sessions.sorted { $0.requests[0] < $1.requests[0] }
    }
    #expect(requests.count == 375 && ordered(found) == ordered(expected))
  }

  /// Cuts one user's requests, whose feedback is complete.
  private func reference(
    _ times: [Double], end: Double, firstNumber: Int
  ) -> [CutSession] {
    var groups: [[Int]] = []
    for (index, time) in times.enumerated() {
      if index == 0 || time - times[index - 1] > 30 { groups.append([]) }
      groups[groups.count - 1].append(index)
    }
    return groups.compactMap { group in
      let last = group[group.count - 1]
      let numbers = group.map { $0 + firstNumber }
      if end - times[last] > 30 { return CutSession(numbers, .terminal) }
      let settled = group.count { end - times[$0] > 30 }
      return settled == 0
        ? nil
        : CutSession(Array(numbers[..<settled]), .truncated, final: numbers[settled])
    }
  }

  @Test("a session that the window cuts bootstraps where it is no longer settled how it goes on")
  func windowCut() throws {
    let requests = [Request("u", 0), Request("u", 1), Request("u", 2), Request("v", 20)]
    // At 32 minutes a pause after request 2 would not yet have ended the session; after 1 it would.
    let result = try cut(windowEnd: 32, requests)
    #expect(result.sessions == [CutSession([0, 1], .truncated, final: 2)])
    #expect(result.report.counts["sessions_cut_by_the_window"] == 2)
    #expect(result.report.counts["sessions_without_transition"] == 1)
    #expect(
      try cut(windowEnd: 31, requests).sessions == [CutSession([0], .truncated, final: 1)])
    #expect(throws: PreparationError.self) { try cut(windowEnd: 30, requests) }
    #expect(throws: PreparationError.self) { try cut(windowEnd: nil, [Request("u", 0)]) }
  }

  @Test("users who leave after every request at the same rate seem to, up to the window's end")
  func censoring() throws {
    // A request a minute; after each, one in four leaves for good.
    var stream = RandomStream(seed: 5, name: "censoring")
    var requests: [Request] = []
    for user in 0..<1500 {
      var time = stream.uniform(in: 0...60).rounded()
      repeat {
        requests.append(Request("u\(user)", time))
        time += 1
      } while stream.uniform() >= 0.25 && time < 60
    }
    let found = try cut(windowEnd: 60, requests).sessions
    let steps = found.reduce(0) { $0 + $1.requests.count }
    let ends = found.count { $0.end == .terminal }
    let rate = Double(ends) / Double(steps)
    #expect(abs(rate - 0.25) < 3 * (0.25 * 0.75 / Double(steps)).squareRoot(), "\(rate)")
  }

  @Test("a request whose feedback may still arrive ends the known part of its session")
  func openFeedback() throws {
    let requests = [
      Request("u", 0), Request("u", 1, plays: [3]), Request("u", 2), Request("v", 60),
    ]
    let open = try cut(windowEnd: 60.9, requests)
    #expect(open.sessions == [CutSession([0], .truncated, final: 1)])
    #expect(open.report.counts["sessions_with_open_feedback"] == 1)
    #expect(open.report.irregularities[.missingFeedback] == 1)
    let closed = try cut(windowEnd: 61, requests)
    #expect(closed.sessions == [CutSession([0, 1, 2], .terminal)])
  }

  @Test("decisions after the declared end of the window are counted and left out")
  func afterWindow() throws {
    let result = try cut(windowEnd: 100, [Request("u", 0), Request("u", 101)])
    #expect(result.sessions == [CutSession([0], .terminal)])
    #expect(result.report.irregularities[.decisionAfterWindow] == 1)
  }

  @Test("the split is by start time and never splits a session", arguments: [0.5, 0.9, 0.33])
  func split(fraction: Double) throws {
    let folder = try TemporaryFolder()
    var stream = RandomStream(seed: 3, name: "split")
    var requests: [Request] = []
    for user in 0..<40 {
      var time = stream.uniform(in: 0...2000).rounded()
      for _ in 0..<12 {
        requests.append(Request("u\(user)", time))
        time += stream.uniform() < 0.4 ? 31 + stream.uniform() * 500 : stream.uniform() * 30
      }
    }
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: 20_000, requests)
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: fraction))
    let train = try TrajectoryShards(folder: report.trainFolder)
    let test = try TrajectoryShards(folder: try #require(report.testFolder))
    let trainStarts = (0..<train.sessionCount).map { train.startTimeMilliseconds(of: $0) }
    let testStarts = (0..<test.sessionCount).map { test.startTimeMilliseconds(of: $0) }
    #expect(trainStarts == trainStarts.sorted() && testStarts == testStarts.sorted())
    let split = try #require(report.test?.split?.timeMilliseconds)
    #expect(try #require(trainStarts.last) < split && testStarts.first == split)
    let all = train.sessionCount + test.sessionCount
    #expect(abs(Double(train.sessionCount) - fraction * Double(all)) <= 2)
    let whole = try cut(windowEnd: 20_000, requests).sessions
    let parts = try sessions(of: report.trainFolder) + sessions(of: report.testFolder)
    #expect(parts == whole)
    #expect(Set(parts.flatMap(\.requests)).count == requests.count)
  }

  @Test("arms can be chosen, and balanced to the smallest, the earliest sessions first")
  func arms() throws {
    var requests: [Request] = []
    for index in 0..<7 { requests.append(Request("r\(index)", Double(index), arm: "random")) }
    for index in 0..<3 { requests.append(Request("n\(index)", 0.5 + Double(index), arm: "noise")) }
    let only = try cut(requests, PreparationConfiguration(trainFraction: 1, arms: ["noise"]))
    #expect(only.sessions.map(\.requests) == [[7], [8], [9]])
    #expect(only.report.counts["sessions_left_out_by_arm"] == 7)
    let balanced = try cut(
      requests, PreparationConfiguration(trainFraction: 1, balancesArms: true))
    #expect(balanced.sessions.map(\.requests) == [[0], [7], [1], [8], [2], [9]])
    let split = try cut(
      requests, PreparationConfiguration(trainFraction: 0.6, balancesArms: true))
    // The test part holds one arm only: there is nothing to balance it with.
    #expect(split.report.train.sessions == 6 && split.report.test?.sessions == 4)
  }

  @Test("a configuration out of range is refused with its field")
  func badConfiguration() throws {
    for (field, configuration) in [
      ("sessionGapMinutes", PreparationConfiguration(sessionGapMinutes: 0)),
      ("feedbackDeadlineMinutes", PreparationConfiguration(feedbackDeadlineMinutes: -1)),
      ("trainFraction", PreparationConfiguration(trainFraction: 1.5)),
      ("arms", PreparationConfiguration(arms: [])),
      ("maximumShardTransitions", PreparationConfiguration(maximumShardTransitions: 0)),
      ("threads", PreparationConfiguration(threads: 0)),
    ] {
      let error = #expect(throws: PreparationError.self) {
        try cut([Request("u", 0)], configuration)
      }
      #expect(error?.description.contains(field) == true)
    }
  }
}
