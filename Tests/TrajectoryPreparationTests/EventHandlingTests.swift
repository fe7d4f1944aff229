import DurableFiles
import FusionMDP
import SeededRandom
import SessionLogs
import Testing
import TrajectoryPreparation

@Suite("Odd events in preparation")
struct EventHandlingTests {
  /// One session of two requests at minutes 0 and 1, and more feedback; rewards count play minutes.
  private func prepared(
    plays: [Float] = [60, 120], extra: [FeedbackEvent], deadline: Double = 60
  ) throws -> (feedback: [[Float]], report: PreparationReport) {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000,
      [Request("u", 0, plays: plays), Request("u", 1, plays: [6, 12])], extraFeedback: extra)
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(feedbackDeadlineMinutes: deadline, trainFraction: 1))
    let shards = try TrajectoryShards(folder: report.trainFolder)
    #expect(shards.transitionCount == 2)
    return ((0..<2).map { shards.feedback(at: $0) ?? [] }, report)
  }

  @Test("signals are summed over the shown list, in the order of FeedbackSignal")
  func sums() throws {
    let (feedback, report) = try prepared(extra: [])
    #expect(report.train.signals == FeedbackSignal.allCases.map(\.rawValue))
    // 60 s and 120 s of 100 s: 3 minutes; 0.6 + 1; two clicks; "skip" as logged.
    #expect(feedback[0] == [3, 1.6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2])
    #expect(feedback[1][0] == 0.3)
    #expect(report.irregularities[.finishedContradictsPlayTime] == 1)
    #expect(report.irregularities[.skipContradictsPlayTime] == 4)
    #expect(report.irregularities.entries.count == 2)
  }

  @Test("a repeated event counts once; with other values the first to arrive wins")
  func repeats() throws {
    let same = try prepared(extra: [tinyFeedback("r0", "u", 0, 0, 60)])
    #expect(same.feedback[0][0] == 3)
    #expect(same.report.irregularities[.duplicateFeedback] == 1)
    #expect(same.report.irregularities[.conflictingFeedback] == 0)
    let other = try prepared(extra: [tinyFeedback("r0", "u", 0, 0, 30, arrival: 5)])
    #expect(other.feedback[0][0] == 3)
    #expect(other.report.irregularities[.conflictingFeedback] == 1)
    // The line comes later in the file but its arrival is earlier than the others'.
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000, [Request("u", 1, plays: [])],
      extraFeedback: [
        tinyFeedback("r0", "u", 0, minute, 60, arrival: minute + 9),
        tinyFeedback("r0", "u", 0, minute, 30, arrival: minute + 8),
      ])
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1))
    #expect(try TrajectoryShards(folder: report.trainFolder).feedback(at: 0)?[0] == 0.5)
    #expect(report.irregularities[.conflictingFeedback] == 1)
    #expect(report.irregularities.entries.first { $0.kind == .conflictingFeedback }?.firstLine == 1)
  }

  @Test("orphans, strangers, items not shown and late events are counted and left out")
  func leftOut() throws {
    let (feedback, report) = try prepared(
      plays: [60],
      extra: [
        tinyFeedback("nowhere", "u", 0, 0, 1), tinyFeedback("r0", "stranger", 1, 0, 1),
        tinyFeedback("r0", "u", 1, 0, 1, item: "z"),
        tinyFeedback("r0", "u", 1, 0, 120, arrival: 60 * minute + 1),
      ])
    #expect(feedback[0][0] == 1)
    for kind in [
      LogIrregularity.orphanFeedback, .feedbackByOtherUser, .feedbackForItemNotShown,
      .lateFeedback, .missingFeedback,
    ] {
      #expect(report.irregularities[kind] == 1, "\(kind.rawValue)")
      #expect(report.counts[kind.rawValue] == 1)
    }
    // In time by a millisecond.
    let (inTime, _) = try prepared(
      plays: [60], extra: [tinyFeedback("r0", "u", 1, 0, 120, arrival: 60 * minute)])
    #expect(inTime[0][0] == 3)
  }

  @Test("feedback at another position or from before its request is counted and used")
  func oddButUsed() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000, [Request("u", 1, plays: [60])],
      extraFeedback: [tinyFeedback("r0", "u", 0, 0, 60, item: "b")])
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1))
    #expect(try TrajectoryShards(folder: report.trainFolder).feedback(at: 0)?[0] == 2)
    #expect(report.irregularities[.feedbackAtOtherPosition] == 1)
    #expect(report.irregularities[.feedbackBeforeDecision] == 1)
    let entry = report.irregularities.entries.first { $0.kind == .feedbackAtOtherPosition }
    #expect(entry?.firstLine == 2 && entry?.file == log.feedbackPaths[0])
  }

  @Test("a repeated decision is used once, its first line, and conflicts are told apart")
  func repeatedDecisions() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000,
      [Request("u", 0), Request("u", 1), Request("u", 1)])
    let lines = try DurableFiles.readText(log.decisionsPaths[0]).split(separator: "\n")
    let again = lines[0].replacing("\"state\":[0,", with: "\"state\":[7,")
    let conflicting = lines[1].replacing("\"time_ms\":60000", with: "\"time_ms\":120000")
    try DurableFiles.write(
      (lines + [again[...], conflicting[...]]).joined(separator: "\n") + "\n",
      to: log.decisionsPaths[0])
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1))
    #expect(try sessions(of: report.trainFolder) == [CutSession([0, 1, 2], .terminal)])
    #expect(report.irregularities[.duplicateDecision] == 1)
    #expect(report.irregularities[.conflictingDecision] == 1)
    #expect(report.irregularities[.simultaneousDecision] == 1)
    #expect(
      report.irregularities.entries.first { $0.kind == .conflictingDecision }?.firstLine == 5)
    #expect(report.counts["decisions"] == 5 && report.counts["feedback"] == 6)
  }

  @Test("a log in segments gives the shards of the plain log, byte for byte")
  func segments() throws {
    let folder = try TemporaryFolder()
    let requests = (0..<40).map { Request("u\($0 % 7)", Double($0 * 13 % 200)) }
    let plain = try tinyLog(folder.path + "/log", windowEndMinutes: 10_000, requests)
    let path = folder.path + "/segments"
    try DurableFiles.makeFolders(path)
    try DurableFiles.write(
      DurableFiles.read(plain.path + "/schema.json"), to: path + "/schema.json")
    // Cut unevenly, with an empty file in the middle.
    for (name, file, ends) in [
      ("decisions", plain.decisionsPaths[0], [0, 3, 20, 20, 40]),
      ("feedback", plain.feedbackPaths[0], [0, 5, 33, 34, 80]),
    ] {
      let lines = try DurableFiles.readText(file).split(separator: "\n")
      for number in 1..<ends.count {
        let text = lines[ends[number - 1]..<ends[number]].map { $0 + "\n" }.joined()
        try DurableFiles.write(text, to: path + "/\(name)-000000000\(number).jsonl")
      }
    }
    var shards: [[[UInt8]]] = []
    for log in [plain, try SessionLogFolder(path: path)] {
      let report = try TrajectoryPreparation.run(log: log, output: folder.path + "/out")
      let train = report.trainFolder
      shards.append(
        try DurableFiles.names(inFolder: train).map { try DurableFiles.read(train + "/" + $0) })
      #expect(report.counts["decisions"] == 40 && report.counts["feedback"] == 80)
    }
    #expect(shards[0].count > 1 && shards[0] == shards[1])
  }

  @Test("a log with a bad line is refused with its place, and nothing is written")
  func badLine() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: nil, [Request("u", 0)])
    let text = try DurableFiles.readText(log.decisionsPaths[0])
    try DurableFiles.write(text.replacing("0.25", with: "1.25"), to: log.decisionsPaths[0])
    let error = #expect(throws: PreparationError.self) {
      try TrajectoryPreparation.run(log: log, output: folder.path + "/out")
    }
    #expect(
      error?.description == "\(log.decisionsPaths[0]):1: task_scores[1][0] (click): "
        + "\(BehaviorTask.Domain.probability.summary) expected, found 1.25")
    #expect(try DurableFiles.names(inFolder: folder.path) == ["log"])
  }

  @Test("a full disk is a clear error and leaves no folder")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: 10_000, [Request("u", 0)])
    let error = #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: 500) {
        try TrajectoryPreparation.run(log: log, output: folder.path + "/out")
      }
    }
    #expect(error?.isOutOfSpace == true)
    #expect(try DurableFiles.names(inFolder: folder.path) == ["log"])
  }

  @Test("what the caller throws stops the preparation and leaves no folder")
  func stopped() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: 10_000, [Request("u", 0)])
    #expect(throws: Stop.self) {
      try TrajectoryPreparation.run(log: log, output: folder.path + "/out") { stage in
        if stage == "cutting sessions" { throw Stop() }
      }
    }
    #expect(try DurableFiles.names(inFolder: folder.path) == ["log"])
  }
}
