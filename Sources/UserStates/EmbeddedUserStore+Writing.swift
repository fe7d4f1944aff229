internal import FusionMDP
internal import Synchronization

extension EmbeddedUserStore {
  /// The users of one transaction, at most.
  private static let batch = 1000
  /// Without changes, expired users are looked for this often.
  private static let sweepMilliseconds: Int64 = 60_000

  /// A user to be written, as it was when the write looked.
  private struct Change: Sendable {
    let user: String
    let record: UserRecord
    let version: Int
  }

  /// Writes if there is something to write, or to sweep. What goes wrong stands in the metrics,
  /// and the changes stay pending.
  func writeInBackground() async {
    let now = time.now
    let task = content.withLock { content -> Task<UserStateError?, Never>? in
      let isDue = abs(now - content.lastSweep) >= Self.sweepMilliseconds
      let isIdle = content.hot.pendingCount == 0 && content.deletions.isEmpty
      if content.isClosing || content.queued != nil || isIdle && !isDue { return nil }
      return queueWrite(&content)
    }
    _ = await task?.value
  }

  /// The write that will look at the changes after this moment: one for all who ask before it
  /// does.
  func queueWrite(_ content: inout Content) -> Task<UserStateError?, Never> {
    if let queued = content.queued { return queued }
    let before = content.running
    let task = Task { [self] () -> UserStateError? in
      _ = await before?.value
      return await writeAll()
    }
    content.queued = task
    return task
  }

  /// One write: all that is pending at its start, in transactions of ``batch`` users.
  private func writeAll() async -> UserStateError? {
    var (changes, deletions) = content.withLock { content -> ([Change], [String]) in
      content.running = content.queued
      content.queued = nil
      content.lastSweep = time.now
      let changes = content.pending.compactMap { user -> Change? in
        guard let slot = content.hot.slot(of: user), content.hot.isPending(at: slot),
          let record = content.hot.record(at: slot)
        else { return nil }
        return Change(user: user, record: record, version: content.hot.version(at: slot))
      }
      content.pending = []
      defer { content.deletions = [] }
      return (changes, content.deletions)
    }
    var failure: UserStateError?
    repeat {
      let part = Array(changes.prefix(Self.batch))
      do {
        try await write(part, deleting: deletions)
      } catch {
        failure = error
        break
      }
      changes.removeFirst(part.count)
      deletions = []
    } while !changes.isEmpty
    content.withLock { content in
      // What was not written is the next write's.
      content.pending = changes.map(\.user) + content.pending
      content.deletions = deletions + content.deletions
      content.running = nil
      content.metrics.failure = failure
      if failure != nil { content.metrics.failedWrites += 1 }
    }
    return failure
  }

  private func write(
    _ changes: [Change], deleting deletions: [String]
  ) async throws(UserStateError) {
    let start = time.clock.nanoseconds()
    defer {
      let taken = time.clock.nanoseconds() - start
      content.withLock { content in
        content.metrics.writeNanoseconds += taken
        content.metrics.longestWriteNanoseconds = max(
          content.metrics.longestWriteNanoseconds, taken)
      }
    }
    let outcome = try await database.write(
      changes.map { ($0.user, $0.record) }, deleting: deletions,
      expiredBefore: time.now - limits.timeToLiveMilliseconds)
    if !deletions.isEmpty { try await database.emptyJournal() }
    content.withLock { content in
      content.metrics.writes += 1
      content.metrics.writtenUsers += changes.count
      content.metrics.deleted += outcome.deleted
      content.metrics.evictions += outcome.evicted.count
      content.metrics.purged += outcome.purged.count
      content.metrics.storedUsers = outcome.stored
      for user in deletions {
        let left = (content.deleting[user] ?? 1) - 1
        content.deleting[user] = left > 0 ? left : nil
      }
      for change in changes {
        guard let slot = content.hot.slot(of: change.user) else { continue }
        let isWritten = content.hot.written(slot, version: change.version)
        if !isWritten { content.pending.append(change.user) }
      }
      // Users that left the table leave memory too, unless a change is to be written.
      for user in outcome.evicted + outcome.purged {
        if let slot = content.hot.slot(of: user), !content.hot.isPending(at: slot) {
          content.hot.remove(user)
        }
        content.loads[user]?.isStale = true
      }
      content.metrics.cacheEvictions += content.hot.trim(
        users: limits.cachedUsers, bytes: limits.cachedBytes)
    }
  }
}
