import Foundation
import FusionMDP
import Synchronization
import Testing
import UserStates

#if canImport(Glibc)
  import Glibc
#endif

@Suite("crashes and full disks")
struct CrashTests {
  @Test(
    "kill -9 in the middle of writes: what was flushed is there, and nothing is half-written",
    arguments: [0, 1, 3, 7, 12, 20, 33, 54])
  func killed(milliseconds: Int) async throws {
    let folder = try TemporaryFolder()
    let (path, acknowledged) = (folder.file("users"), folder.file("acknowledged"))
    #expect(FileManager.default.createFile(atPath: acknowledged, contents: nil))
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, acknowledged = acknowledged as String, milliseconds] in
      let encoder = try TestUsers.encoder()
      let store = try EmbeddedUserStore(
        path: path, encoder: encoder, limits: .with { $0.writeInterval = .milliseconds(1) },
        clock: .system)
      let log = try FileHandle(forWritingTo: URL(fileURLWithPath: acknowledged))
      let flushed = Atomic(0)
      Thread.detachNewThread {
        while flushed.load(ordering: .relaxed) < 5 { usleep(100) }
        Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
        kill(getpid(), SIGKILL)
      }
      for round in 0..<1_000_000 {
        for user in 0..<40 {
          _ = try await store.record([TestUsers.event(round, encoder)], of: "user \(user)")
        }
        try await store.flush()
        try log.write(contentsOf: Data("\(round)\n".utf8))
        flushed.store(round + 1, ordering: .relaxed)
      }
    }
    let lines = try String(contentsOfFile: acknowledged, encoding: .utf8).split(separator: "\n")
    let rounds = (lines.last.flatMap { Int($0) } ?? -1) + 1
    #expect(rounds >= 5)
    let encoder = try TestUsers.encoder()
    let store = try EmbeddedUserStore(
      path: path, encoder: encoder, limits: .manual, clock: .system)
    for user in 0..<40 {
      let found = try await store.state(of: "user \(user)")
      let count = found?.history.totalCount ?? 0
      #expect(count == rounds || count == rounds + 1, "user \(user): \(count) of \(rounds)")
      if let found { #expect(found == TestUsers.context(count, encoder)) }
      // The names of events come back with the user: repeating the last changes nothing.
      if count > 0 {
        let again = try await store.record(
          [TestUsers.event(count - 1, encoder)], of: "user \(user)")
        #expect(again == 0)
      }
    }
    try await store.close()
  }

  @Test("a full disk is an error, users in memory are served and changed on, and nothing is lost")
  func fullDisk() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("users")
    await #expect(processExitsWith: .success) { [path = path as String] in
      let encoder = try TestUsers.encoder()
      let store = try EmbeddedUserStore(
        path: path, encoder: encoder,
        limits: .with {
          $0.writeInterval = .milliseconds(5)
          $0.pendingUsers = 50
        }, clock: .system)
      for user in 0..<30 {
        _ = try await store.record([TestUsers.event(0, encoder)], of: "user \(user)")
      }
      try await store.flush()
      // No file may grow: as on a full disk, but for the error number.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 1000, rlim_max: .max)
      #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      for user in 0..<50 {
        let new = try await store.record([TestUsers.event(1, encoder)], of: "user \(user)")
        #expect(new == 1)
      }
      do {
        try await store.flush()
        Issue.record("the write came through")
      } catch {
        #expect((error as? UserStateError)?.isOutOfSpace == true, "\(error)")
        #expect("\(error)".contains("cannot write users"), "\(error)")
      }
      #expect(store.metrics.failedWrites > 0 && store.metrics.failure?.isOutOfSpace == true)
      // Pending users are changed on, further ones are refused, known ones are read.
      let new = try await store.record([TestUsers.event(2, encoder)], of: "user 3")
      #expect(new == 1)
      do {
        try await store.update("one more") { $0.profile = [1, 1] }
        Issue.record("one more was taken in")
      } catch {
        #expect("\(error)".contains("changes of 50 users wait"), "\(error)")
      }
      let known = try await store.state(of: "user 3")
      #expect(known == TestUsers.context(3, encoder))
      limit.rlim_cur = .max
      #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      try await store.update("one more") { $0.profile = [1, 1] }
      try await store.close()
      #expect(store.metrics.failure == nil)
    }
    try await checkAfterFullDisk(path)
  }

  /// All that was changed while the disk was full is there.
  private func checkAfterFullDisk(_ path: String) async throws {
    let encoder = try TestUsers.encoder()
    let store = try EmbeddedUserStore(
      path: path, encoder: encoder, limits: .manual, clock: .system)
    #expect(store.metrics.storedUsers == 51)
    #expect(try await store.state(of: "user 3") == TestUsers.context(3, encoder))
    #expect(try await store.state(of: "user 4") == TestUsers.context(2, encoder))
    var late = UserContext(using: encoder)
    late.record(TestUsers.interaction(1, encoder), using: encoder)
    #expect(try await store.state(of: "user 40") == late)
    try await store.close()
  }
}
