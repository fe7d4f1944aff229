import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Synchronization
import Testing

/// A clock that a test sets.
final class TestClock: Sendable {
  private let now = Atomic<Int64>(1_000_000)

  var milliseconds: Int64 {
    get { now.load(ordering: .relaxed) }
    set { now.store(newValue, ordering: .relaxed) }
  }
}

/// Opens a log of segments of small events.
func segmentedLog(
  _ folder: String, _ options: SegmentedLogOptions = SegmentedLogOptions(),
  clock: TestClock = TestClock()
) throws -> SegmentedLogWriter {
  try SegmentedLogWriter(folder: folder, schema: smallSchema(), options: options) {
    clock.milliseconds
  }
}

/// What the files hold, one after another.
func joined(_ paths: [String]) throws -> String {
  try paths.map { try DurableFiles.readText($0) }.joined()
}

/// The value of `request_id` of each line.
func requestIDs(_ paths: [String]) throws -> [String] {
  try joined(paths).split(separator: "\n").map { line in
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return try #require(object?["request_id"] as? String)
  }
}

@Suite("A log of segments")
struct SegmentedLogTests {
  static let policies: [SegmentedLogOptions.SyncPolicy] = [
    .everyWrite, .interval(milliseconds: 20),
  ]

  @Test("lines are those of the plain log, and the log reads as one", arguments: policies)
  func sameLines(policy: SegmentedLogOptions.SyncPolicy) async throws {
    let folder = try TemporaryFolder()
    var decision = smallDecision("r\"1\\\n", user: "ü")
    decision.logPropensity = nil
    let decisions = [decision, smallDecision("r2", at: 2000)]
    let feedback = [smallFeedback("r2", at: 2500), smallFeedback("r2", item: "b", position: 1)]
    let plain = try writeLog(folder.path + "/plain", decisions, feedback)
    let writer = try segmentedLog(
      folder.path + "/segments", SegmentedLogOptions(syncPolicy: policy))
    for event in decisions { try await writer.append(event) }
    try await writer.append(feedback)
    try await writer.close()
    let log = try SessionLogFolder(path: folder.path + "/segments")
    #expect(log.schema == plain.schema)
    #expect(
      try DurableFiles.names(inFolder: log.path)
        == [".owner", "decisions-0000000001.jsonl", "feedback-0000000001.jsonl", "schema.json"])
    #expect(try joined(log.decisionsPaths) == DurableFiles.readText(plain.decisionsPaths[0]))
    #expect(try joined(log.feedbackPaths) == DurableFiles.readText(plain.feedbackPaths[0]))
    #expect(writer.metrics.decisions == 2 && writer.metrics.feedback == 2)
    #expect(writer.metrics.completedSegments == 1 && writer.health == .healthy)
  }

  @Test("a pair is complete before it grows beyond its size; a longer line has one for itself")
  func rolledBySize() async throws {
    let folder = try TemporaryFolder()
    let line = try DurableFiles.read(
      writeLog(folder.path + "/plain", [smallDecision("r00", user: "u")], []).decisionsPaths[0]
    ).count
    let path = folder.path + "/segments"
    let writer = try segmentedLog(path, SegmentedLogOptions(maximumSegmentBytes: 4 * line))
    var expected: [String] = []
    for index in 0..<40 {
      let user = index == 20 ? String(repeating: "u", count: 5 * line) : "u"
      try await writer.append(smallDecision("r\(index)", user: user))
      expected.append("r\(index)")
    }
    try await writer.close()
    let log = try SessionLogFolder(path: path)
    // Twenty lines in pairs of four, the long one, and nineteen in pairs of four.
    #expect(log.decisionsPaths.count == 11)
    #expect(try requestIDs(log.decisionsPaths) == expected)
    for path in log.decisionsPaths {
      let text = try DurableFiles.readText(path)
      #expect(text.utf8.count <= 4 * line || text.split(separator: "\n").count == 1)
      #expect(text.hasSuffix("}\n"))
    }
    #expect(log.feedbackPaths.count == log.decisionsPaths.count)
    #expect(writer.metrics.completedSegments == log.decisionsPaths.count)
  }

  @Test("a pair is complete when it is old by the clock, asked or not; a clock set back delays it")
  func rolledByAge() async throws {
    let folder = try TemporaryFolder()
    let clock = TestClock()
    let writer = try segmentedLog(
      folder.path,
      SegmentedLogOptions(maximumSegmentMilliseconds: 1000, retryMilliseconds: 600_000),
      clock: clock)
    try await writer.append(smallDecision("r0"))
    clock.milliseconds += 999
    try await writer.append(smallDecision("r1"))
    #expect(writer.metrics.completedSegments == 0)
    clock.milliseconds += 1
    try await writer.append(smallDecision("r2"))
    #expect(writer.metrics.completedSegments == 1)
    #expect(
      try requestIDs(SessionLogFolder(path: folder.path).decisionsPaths) == ["r0", "r1"])
    clock.milliseconds -= 500_000
    try await writer.append(smallDecision("r3"))
    clock.milliseconds += 999
    try await writer.append(smallDecision("r4"))
    #expect(writer.metrics.completedSegments == 1)
    clock.milliseconds += 1
    try await writer.flush()
    #expect(writer.metrics.completedSegments == 2)
    try await writer.close()
  }

  @Test("an old pair is completed without a further event")
  func rolledAlone() async throws {
    let folder = try TemporaryFolder()
    let clock = TestClock()
    let writer = try segmentedLog(
      folder.path,
      SegmentedLogOptions(maximumSegmentMilliseconds: 1000, retryMilliseconds: 2), clock: clock)
    try await writer.append(smallFeedback())
    clock.milliseconds += 1000
    for _ in 0..<2000 where writer.metrics.completedSegments == 0 {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(writer.metrics.completedSegments == 1)
    let log = try SessionLogFolder(path: folder.path)
    #expect(try requestIDs(log.feedbackPaths) == ["r1"])
    #expect(try joined(log.decisionsPaths) == "")
    try await writer.close()
  }

  @Test("many callers at a time lose nothing, and each one's events keep their order")
  func concurrent() async throws {
    let folder = try TemporaryFolder()
    for (number, policy) in Self.policies.enumerated() {
      let path = folder.path + "/\(number)"
      let writer = try segmentedLog(
        path,
        SegmentedLogOptions(
          syncPolicy: policy, maximumSegmentBytes: 20_000, bufferBytes: 2000))
      let (callers, count) = (32, 60)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 0..<callers {
          group.addTask {
            for index in 0..<count {
              let id = "\(caller) \(index)"
              try await writer.append(smallDecision(id))
              try await writer.append([
                smallFeedback(id), smallFeedback(id, item: "b", position: 1),
              ])
            }
          }
        }
        try await group.waitForAll()
      }
      try await writer.close()
      let log = try SessionLogFolder(path: path)
      let decided = try requestIDs(log.decisionsPaths)
      let answered = try requestIDs(log.feedbackPaths)
      #expect(decided.count == callers * count && answered.count == 2 * callers * count)
      for caller in 0..<callers {
        let expected = (0..<count).map { "\(caller) \($0)" }
        #expect(decided.filter { $0.hasPrefix("\(caller) ") } == expected)
        #expect(answered.filter { $0.hasPrefix("\(caller) ") } == expected.flatMap { [$0, $0] })
      }
      // Feedback never stands in an earlier pair than its decision.
      var known: Set<String> = []
      for (decisions, feedback) in zip(log.decisionsPaths, log.feedbackPaths) {
        known.formUnion(try requestIDs([decisions]))
        #expect(known.isSuperset(of: try requestIDs([feedback])))
      }
      #expect(log.decisionsPaths.count > 5)
      #expect(policy == .everyWrite || writer.metrics.waits > 0)
      #expect(try LineValidation.scan(log).errorCount == 0)
    }
  }

  @Test("a line that does not fit the schema is refused and leaves no trace")
  func refusedEvent() async throws {
    let folder = try TemporaryFolder()
    let writer = try segmentedLog(folder.path)
    let bad = smallDecision("bad", shown: [])
    await #expect(throws: SegmentedLogError.self) { try await writer.append(bad) }
    let responses = [smallFeedback(), smallFeedback(play: -1)]
    await #expect(throws: SegmentedLogError.self) { try await writer.append(responses) }
    try await writer.append(smallDecision("good"))
    try await writer.close()
    let log = try SessionLogFolder(path: folder.path)
    #expect(try requestIDs(log.decisionsPaths) == ["good"])
    #expect(try joined(log.feedbackPaths) == "")
  }

  @Test("a folder has one writer, one schema, and one kind of log")
  func oneWriter() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/log"
    let writer = try segmentedLog(path)
    #expect(throws: SegmentedLogError.inUse(folder: path)) { try segmentedLog(path) }
    let error = #expect(throws: SessionLogError.self) { try SessionLogFolder(path: path) }
    #expect(error?.description.contains("there is no") == true)
    try await writer.append(smallDecision())
    try await writer.close()
    try await writer.close()
    await #expect(throws: SegmentedLogError.closed(folder: path)) {
      try await writer.append(smallDecision())
    }
    await #expect(throws: SegmentedLogError.closed(folder: path)) { try await writer.flush() }
    #expect(throws: SegmentedLogError.otherSchema(folder: path)) {
      try SegmentedLogWriter(folder: path, schema: LogSchema(stateNames: ["a"])) { 0 }
    }
    let plain = try writeLog(folder.path + "/plain", [], [])
    #expect(throws: SegmentedLogError.plainLog(folder: plain.path)) {
      try segmentedLog(plain.path)
    }
    for replacing in [false, true] {
      #expect(throws: SessionLogError.alreadyThere(folder: path)) {
        try SessionLogWriter(folder: path, schema: smallSchema(), replacing: replacing)
      }
    }
    // A second writer goes on with the next number, and one without events leaves nothing.
    try await segmentedLog(path).close()
    let next = try segmentedLog(path)
    try await next.append(smallDecision("r2"))
    try await next.roll()
    try await next.roll()
    let log = try SessionLogFolder(path: path)
    #expect(log.decisionsPaths.map { $0.hasSuffix("-0000000002.jsonl") } == [false, true])
    try await next.close()
    #expect(try DurableFiles.names(inFolder: path).count == 6)
  }

  @Test("the disk is waited for after the interval, and by flush")
  func interval() async throws {
    let folder = try TemporaryFolder()
    let writer = try segmentedLog(
      folder.path, SegmentedLogOptions(syncPolicy: .interval(milliseconds: 10)))
    try await writer.append(smallDecision())
    for _ in 0..<2000 where writer.metrics.decisions == 0 {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(writer.metrics.decisions == 1 && writer.metrics.syncs == 1)
    for index in 0..<100 { try await writer.append(smallDecision("r\(index)")) }
    try await writer.flush()
    #expect(writer.metrics.decisions == 101)
    try await writer.close()
  }
}
