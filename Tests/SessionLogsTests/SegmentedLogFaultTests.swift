import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("A log of segments: crashes and full disks")
struct SegmentedLogFaultTests {
  @Test(
    "kill -9 in the middle of writes: what was acknowledged is there, and every line is whole",
    arguments: [0, 1, 3, 7, 12, 20, 33, 54])
  func killed(milliseconds: Int) async throws {
    let folder = try TemporaryFolder()
    let (path, acknowledged) = (folder.path + "/log", folder.path + "/acknowledged")
    try DurableFiles.write("", to: acknowledged)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, acknowledged = acknowledged as String, milliseconds] in
      // Every other run acknowledges by flush.
      let policy: SegmentedLogOptions.SyncPolicy =
        milliseconds % 2 == 0 ? .everyWrite : .interval(milliseconds: 2)
      let writer = try segmentedLog(
        path, SegmentedLogOptions(syncPolicy: policy, maximumSegmentBytes: 20_000))
      let log = try FileHandle(forWritingTo: URL(fileURLWithPath: acknowledged))
      let rounds = Atomic(0)
      Thread.detachNewThread {
        while rounds.load(ordering: .relaxed) < 3 { usleep(100) }
        Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
        kill(getpid(), SIGKILL)
      }
      for round in 0..<1_000_000 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for caller in 0..<20 {
            group.addTask {
              try await writer.append(smallDecision("\(round) \(caller)"))
              try await writer.append(smallFeedback("\(round) \(caller)"))
            }
          }
          try await group.waitForAll()
        }
        if policy != .everyWrite { try await writer.flush() }
        try log.write(contentsOf: Data("\(round)\n".utf8))
        rounds.store(round + 1, ordering: .relaxed)
      }
    }
    let lines = try DurableFiles.readText(acknowledged).split(separator: "\n")
    let rounds = (lines.last.flatMap { Int($0) } ?? -1) + 1
    #expect(rounds >= 3)
    let writer = try segmentedLog(path)
    #expect(writer.recovery.cutLines <= 2)
    try await writer.append(smallDecision("after"))
    try await writer.close()
    let log = try SessionLogFolder(path: path)
    let decided = try requestIDs(log.decisionsPaths)
    let answered = Set(try requestIDs(log.feedbackPaths))
    #expect(Set(decided).count == decided.count && decided.last == "after")
    for round in 0..<rounds {
      for caller in 0..<20 {
        #expect(answered.contains("\(round) \(caller)"))
      }
    }
    #expect(Set(decided).isSuperset(of: answered))
    #expect(decided.count <= 20 * (rounds + 1) + 1)
    #expect(try LineValidation.scan(log).errorCount == 0)
    #expect(try DurableFiles.names(inFolder: path).allSatisfy { !$0.hasSuffix(".open") })
  }

  @Test("half a last line is cut off and counted, and what a process left half closed is completed")
  func recovered() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/log"
    let writer = try segmentedLog(path)
    for id in ["r1", "r2", "r3"] {
      try await writer.append(smallDecision(id))
      try await writer.append(smallFeedback(id))
      try await writer.roll()
    }
    try await writer.close()
    let before = try SessionLogFolder(path: path)
    func open(_ file: String) throws {
      let name = try #require(file.split(separator: "/").last)
      try DurableFiles.rename(file, to: path + "/.\(name).open")
    }
    // The second pair ended between its two renames; the third with half a line, longer than a
    // block, in one of its files.
    try open(before.decisionsPaths[1])
    let decisions = try DurableFiles.readText(before.decisionsPaths[2])
    let half = decisions + "{\"request_id\":\"" + String(repeating: "x", count: 200_000)
    try DurableFiles.write(half, to: before.decisionsPaths[2])
    try open(before.decisionsPaths[2])
    try open(before.feedbackPaths[2])
    // A fourth had only its first file, a fifth only half its first line.
    try DurableFiles.write("", to: path + "/.decisions-0000000004.jsonl.open")
    try DurableFiles.write("{\"req", to: path + "/.decisions-0000000005.jsonl.open")
    #expect(try SessionLogFolder(path: path).decisionsPaths.count == 1)
    let next = try segmentedLog(path)
    #expect(next.recovery.segments == 2 && next.recovery.cutLines == 2)
    #expect(next.recovery.cutBytes == 200_015 + 5)
    try await next.append(smallDecision("r4"))
    try await next.close()
    let log = try SessionLogFolder(path: path)
    #expect(try requestIDs(log.decisionsPaths) == ["r1", "r2", "r3", "r4"])
    #expect(try requestIDs(log.feedbackPaths) == ["r1", "r2", "r3"])
    #expect(try DurableFiles.names(inFolder: path).allSatisfy { !$0.hasSuffix(".open") })
  }

  @Test("a full disk refuses events and says why, heals by itself, and loses nothing accepted")
  func fullDisk() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/log"
    await #expect(processExitsWith: .success) { [path = path as String] in
      let writer = try segmentedLog(path, SegmentedLogOptions(retryMilliseconds: 5))
      for index in 0..<20 { try await writer.append(smallDecision("before \(index)")) }
      // Files may grow by half a line: as on a full disk, but for the error number.
      try limitFiles(to: openBytes(path) + 60)
      await refuses(writer, "full", 20)
      guard case .degraded(let reason) = writer.health else {
        Issue.record("healthy on a full disk")
        return
      }
      #expect("\(reason)".contains("(EFBIG)"), "\(reason)")
      await #expect(throws: SegmentedLogError.self) { try await writer.roll() }
      await #expect(throws: SegmentedLogError.self) { try await writer.close() }
      try limitFiles(to: .max)
      try await healed(writer)
      for index in 0..<20 { try await writer.append(smallDecision("after \(index)")) }
      #expect(writer.metrics.refused == 20 && writer.metrics.recoveries > 0)
      try await writer.close()
    }
    let log = try SessionLogFolder(path: path)
    let names = (0..<20).map { "before \($0)" } + (0..<20).map { "after \($0)" }
    #expect(try requestIDs(log.decisionsPaths) == names)
    #expect(try LineValidation.scan(log).errorCount == 0)
  }

  @Test("what an interval accepted before the disk was full is written when there is room")
  func fullDiskInterval() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/log"
    await #expect(processExitsWith: .success) { [path = path as String] in
      let writer = try segmentedLog(
        path,
        SegmentedLogOptions(syncPolicy: .interval(milliseconds: 10), retryMilliseconds: 5))
      try await writer.append(smallDecision("first"))
      try await writer.flush()
      try limitFiles(to: openBytes(path) + 60)
      var accepted = ["first"]
      for index in 0..<10_000 where writer.health == .healthy {
        do {
          try await writer.append(smallDecision("\(index)"))
          accepted.append("\(index)")
        } catch {}
      }
      await #expect(throws: SegmentedLogError.self) { try await writer.flush() }
      await #expect(throws: SegmentedLogError.self) {
        try await writer.append(smallDecision("refused"))
      }
      #expect(accepted.count > 1)
      try limitFiles(to: .max)
      try await healed(writer)
      try await writer.close()
      let log = try SessionLogFolder(path: path)
      #expect(try requestIDs(log.decisionsPaths) == accepted)
      #expect(try LineValidation.scan(log).errorCount == 0)
    }
  }
}

/// No file of this process may grow beyond so many bytes.
private func limitFiles(to bytes: rlim_t) throws {
  signal(SIGXFSZ, SIG_IGN)
  var limit = rlimit(rlim_cur: bytes, rlim_max: .max)
  #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
}

/// How long the decisions of the first pair are while they are being written.
private func openBytes(_ folder: String) throws -> rlim_t {
  rlim_t(try DurableFiles.read(folder + "/.decisions-0000000001.jsonl.open").count)
}

/// Appends what the disk refuses, every one.
private func refuses(_ writer: SegmentedLogWriter, _ name: String, _ count: Int) async {
  var refused = 0
  for index in 0..<count {
    do {
      try await writer.append(smallDecision("\(name) \(index)"))
    } catch {
      guard case .degraded = error else {
        Issue.record("\(error)")
        continue
      }
      refused += 1
    }
  }
  #expect(refused == count)
}

private func healed(_ writer: SegmentedLogWriter) async throws {
  for _ in 0..<2000 where writer.health != .healthy {
    try await Task.sleep(for: .milliseconds(5))
  }
  #expect(writer.health == .healthy)
}
