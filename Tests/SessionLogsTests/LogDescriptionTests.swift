import DurableFiles
import FusionMDP
import SessionLogs
import Testing

@Suite("Validation and description of a whole log")
struct LogDescriptionTests {
  @Test("a clean log is valid; what services meet fails only strict validation")
  func validation() throws {
    let folder = try TemporaryFolder()
    let complete = [smallFeedback(), smallFeedback(item: "b", position: 1)]
    let clean = try writeLog(folder.path + "/clean", [smallDecision()], complete)
    let good = try LogValidation(of: clean)
    #expect(good.isValid() && good.isValid(strictly: true) && good.irregularities.entries.isEmpty)

    let repeated = try writeLog(
      folder.path + "/repeated", [smallDecision()], complete + [smallFeedback(arrival: 1600)])
    let usual = try LogValidation(of: repeated)
    #expect(usual.isValid() && !usual.isValid(strictly: true))
    #expect(usual.irregularities[.duplicateFeedback] == 1)
    #expect(usual.irregularities.entries.first?.firstLine == 3)

    let orphan = try writeLog(
      folder.path + "/orphan", [smallDecision()], complete + [smallFeedback("r9")])
    #expect(try !LogValidation(of: orphan).isValid())

    try DurableFiles.write("{}\n", to: clean.decisionsPaths[0])
    let broken = try LogValidation(of: clean)
    #expect(!broken.isValid() && broken.lines.errorCount == 1)
  }

  @Test("every count of a description is that of the log")
  func description() throws {
    let folder = try TemporaryFolder()
    let hour: Int64 = 3_600_000
    var second = smallDecision("r2", at: 61_000, shown: ["a", "c", "d"])
    second.arm = "random"
    second.logPropensity = nil
    let log = try writeLog(
      folder.path + "/log",
      [
        smallDecision("r1", at: 1000), second, smallDecision("r3", at: 3 * hour),
        smallDecision("r4", user: "u2", at: 5 * hour),
      ],
      [
        smallFeedback("r1", item: "a", at: 2000, play: 30, duration: 60),
        smallFeedback("r1", item: "b", position: 1, at: 3000, play: 90, behaviors: [0, 1, 0]),
        smallFeedback("r2", item: "d", position: 2, at: 121_000, play: 0, behaviors: [0, 0, 1]),
        smallFeedback("r4", user: "u2", item: "a", at: 5 * hour, play: 12, duration: 60),
      ])
    let description = try LogDescription(of: log)
    #expect(description.decisions == 4 && description.feedback == 4)
    #expect(description.users == 2 && description.items == 4)
    #expect(description.sessions == 3 && description.truncatedSessions == 1)
    #expect(description.firstTimeMilliseconds == 1000)
    #expect(description.lastTimeMilliseconds == 5 * hour)
    #expect(description.requestsPerSession.mean == 4.0 / 3)
    #expect(description.requestsPerSession.maximum == 2)
    #expect(description.sessionMinutes.maximum == 2)
    #expect(description.sessionsPerUser.mean == 1.5)
    #expect(description.itemsPerRequest.mean == 2.25 && description.itemsPerRequest.median == 2)
    #expect(description.propensityCoverage == 0.75)
    #expect(description.arms.map(\.name) == ["none", "random"])
    #expect(description.arms.map(\.decisions) == [3, 1])
    #expect(description.policyVersions.map(\.name) == ["p1"])
    #expect(description.signalMeans["click"] == 0.5)
    #expect(description.signalMeans["finished"] == 0.25)
    #expect(abs((description.signalMeans["play_minutes"] ?? 0) - 33.0 / 60) < 1e-6)
    #expect(
      description.irregularities.map { "\($0.kind) \($0.count)" } == ["missing_feedback 5"])
    // A gap beyond any log joins all that a user did, and overflows nowhere.
    let joined = try LogDescription(
      of: log, sessionGapMinutes: 1e300, feedbackDeadlineMinutes: 1e300)
    #expect(joined.sessions == 2 && joined.truncatedSessions == 2)
  }

  @Test("the engine numbers lines as they stand, however many threads read them")
  func lineNumbers() throws {
    let folder = try TemporaryFolder()
    var decisions = (0..<30_000).map { smallDecision("r\($0)", user: "u\($0)") }
    decisions[23_456].requestID = "r7"
    let log = try writeLog(folder.path + "/log", decisions, [])
    for threads in [1, 4] {
      let found = try LogValidation(of: log, threads: threads).irregularities.entries
      let conflict = try #require(found.first { $0.kind == .conflictingDecision })
      #expect(conflict.firstLine == 23_457 && conflict.count == 1)
    }
  }
}
