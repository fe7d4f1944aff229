import DurableFiles
import FusionMDP
import SessionLogs
import Testing

@Suite("Reading a log of segments")
struct SegmentedLogReadingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func event(_ index: Int) -> DecisionEvent {
    smallDecision("r\(index)", user: "u\(index % 3)", at: Int64(index) * 60_000)
  }

  private func response(_ index: Int) -> FeedbackEvent {
    smallFeedback(
      "r\(index)", user: "u\(index % 3)", at: Int64(index) * 60_000 + 5000,
      play: Float(index % 10))
  }

  /// Thirty requests with feedback on the first item, plain and in pairs of three.
  private func logs() async throws -> (plain: SessionLogFolder, segments: SessionLogFolder) {
    let indices = Array(0..<30)
    let plain = try writeLog(
      folder.path + "/plain", indices.map(event), indices.map(response))
    let writer = try segmentedLog(folder.path + "/segments")
    for index in indices {
      try await writer.append(event(index))
      try await writer.append(response(index))
      if index % 3 == 2 { try await writer.roll() }
    }
    try await writer.close()
    return (plain, try SessionLogFolder(path: folder.path + "/segments"))
  }

  @Test("validation and description say what they say of the plain log")
  func sameVerdict() async throws {
    let (plain, segments) = try await logs()
    #expect(segments.decisionsPaths.count == 10)
    #expect(try LineValidation.scan(segments) == LineValidation.scan(plain))
    let (found, expected) = (
      try LogValidation(of: segments), try LogValidation(of: plain)
    )
    #expect(found.warnings == expected.warnings && found.totals == expected.totals)
    #expect(
      found.irregularities.entries.map { [$0.kind.rawValue, "\($0.count)"] }
        == expected.irregularities.entries.map { [$0.kind.rawValue, "\($0.count)"] })
    #expect(found.irregularities[.missingFeedback] == 30)
    let (one, other) = (try LogDescription(of: segments), try LogDescription(of: plain))
    #expect(one.decisions == other.decisions && one.feedback == other.feedback)
    #expect(one.users == other.users && one.sessions == other.sessions)
    #expect(one.lastTimeMilliseconds == other.lastTimeMilliseconds)
  }

  @Test("a finding names the file and the line of its segment")
  func places() async throws {
    let (_, log) = try await logs()
    let path = log.decisionsPaths[4]
    let text = try DurableFiles.readText(path)
    try DurableFiles.write(text.replacing("\"u1\"", with: "\"\""), to: path)
    let scan = try LineValidation.scan(log)
    #expect(scan.errorCount == 1 && scan.decisionCount == 30)
    #expect(scan.findings[0].file == path && scan.findings[0].line == 2)
    try DurableFiles.write(text.replacing("\"r13\"", with: "\"r2\""), to: path)
    let entries = try LogValidation(of: log).irregularities.entries
    let repeated = entries.first { $0.kind == .conflictingDecision }
    #expect(repeated?.file == path && repeated?.firstLine == 2)
    let orphan = entries.first { $0.kind == .orphanFeedback }
    #expect(orphan?.file == log.feedbackPaths[4] && orphan?.firstLine == 2)
  }

  @Test("open segments are not read, and half a pair is an error that names what is missing")
  func incomplete() async throws {
    let path = folder.path + "/log"
    let writer = try segmentedLog(path)
    try await writer.append(smallDecision("r1"))
    #expect(throws: SessionLogError.notALog(folder: path, reason: "no segment is complete yet")) {
      try SessionLogFolder(path: path)
    }
    try await writer.roll()
    try await writer.append(smallDecision("r2"))
    var log = try SessionLogFolder(path: path)
    #expect(try requestIDs(log.decisionsPaths) == ["r1"])
    try await writer.close()
    log = try SessionLogFolder(path: path)
    #expect(try requestIDs(log.decisionsPaths) == ["r1", "r2"])
    try DurableFiles.remove(log.feedbackPaths[0])
    #expect(
      throws: SessionLogError.notALog(
        folder: path,
        reason: "there is decisions-0000000001.jsonl, but no feedback-0000000001.jsonl")
    ) { try SessionLogFolder(path: path) }
    try DurableFiles.write("", to: path + "/decisions.jsonl")
    try DurableFiles.write("", to: log.feedbackPaths[0])
    let error = #expect(throws: SessionLogError.self) { try SessionLogFolder(path: path) }
    #expect(error?.description.contains("it holds segments beside") == true)
  }
}
