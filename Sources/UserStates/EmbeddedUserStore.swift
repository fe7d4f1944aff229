public import FusionMDP
internal import Synchronization

/// Users in one file of this process: the active ones in memory, all of them in SQLite.
///
/// A call for a user in memory touches no disk and does not suspend, unless too many changes wait.
/// Changes are gathered and written by the background, a transaction every
/// ``UserStateLimits/writeInterval``. When the process or the machine stops without
/// ``close()``, what is lost are the changes since the last transaction: those of about
/// one interval and the time of one write. ``flush()`` returns when all changes before it are on
/// disk; callers at the same time share a transaction.
///
/// When writing fails (a full disk), users in memory are served and changed on, their changes kept
/// to be written later, up to ``UserStateLimits/pendingUsers``; then changes of further users throw
/// ``UserStateError/backlog(path:users:reason:)``. ``metrics`` has the reason.
///
/// Invariants: a user is changed by one call at a time; a user with changes that are not written
/// stays in memory, so the database never has more than memory; a user is read once at a time, and
/// what was read before a deletion is not used after it; database writes follow each other.
public final class EmbeddedUserStore: UserStateStore {
  let limits: UserStateLimits
  let encoder: StateEncoder
  let time: StoreTime
  let database: UserDatabase
  let content: Mutex<Content>
  private let writer = Mutex<Task<Void, Never>?>(nil)

  /// Opens a store, or makes one where there is no file, and starts writing in the background.
  ///
  /// Beside `path` stand `path-wal`, `path-shm` and `path-owner`.
  /// - Throws: `UserStateError` for a file of something else, of a later version, of another
  ///   definition of the state, or that another process has open.
  public init(
    path: String, encoder: StateEncoder, limits: UserStateLimits = UserStateLimits(),
    clock: UserStateClock
  ) throws(UserStateError) {
    limits.check()
    self.limits = limits
    self.encoder = encoder
    time = StoreTime(clock)
    database = try UserDatabase(path: path, encoder: encoder, limits: limits)
    content = Mutex(Content())
    let stored = try database.count()
    content.withLock { $0.metrics.storedUsers = stored }
    let interval = limits.writeInterval
    let task = Task { [weak self] in
      while !Task.isCancelled {
        try? await Task.sleep(for: interval)
        guard let self else { return }
        await self.writeInBackground()
      }
    }
    writer.withLock { $0 = task }
  }

  deinit { writer.withLock { $0?.cancel() } }

  /// Counters and sizes.
  public var metrics: UserStateMetrics {
    content.withLock { content in
      var metrics = content.metrics
      metrics.clockStepMilliseconds = time.step
      metrics.pendingUsers = content.hot.pendingCount
      metrics.cachedUsers = content.hot.count
      metrics.cachedBytes = content.hot.bytes
      return metrics
    }
  }

  /// A user in memory costs no disk and no suspension.
  public func state(of user: String) async throws(UserStateError) -> UserContext? {
    try await record(of: user)?.context
  }

  /// Reads as ``state(of:)`` does.
  public func export(_ user: String) async throws(UserStateError) -> UserExport? {
    try await record(of: user).map { UserExport(user, $0, encoder) }
  }

  /// The change is in memory at once, and on disk with the next write.
  public func update<Result: Sendable>(
    _ user: String, _ change: @Sendable (inout UserContext) -> Result
  ) async throws(UserStateError) -> Result {
    try await self.change(user) { record in (change(&record.context), true) }
  }

  /// The changes are in memory at once, and on disk with the next write.
  public func record(
    _ feedback: [UserFeedbackEvent], of user: String
  ) async throws(UserStateError) -> Int {
    if feedback.isEmpty { return 0 }
    let new = try await change(user) { [encoder, limits] record in
      let new = record.take(
        feedback, using: encoder, eventCapacity: limits.eventIDsPerUser)
      return (new, new > 0)
    }
    if new < feedback.count {
      content.withLock { $0.metrics.repeatedEvents += feedback.count - new }
    }
    return new
  }

  /// Deletes from memory at once, from the table with a write of its own, and empties the journal
  /// after it. Where that fails it throws, the user stays out of sight of this process, and the
  /// next write tries again.
  public func delete(_ user: String) async throws(UserStateError) {
    try content.withLock { content throws(UserStateError) in
      if content.isClosing { throw .closed(path: database.path) }
      content.hot.remove(user)
      content.loads[user]?.isStale = true
      content.deletions.append(user)
      content.deleting[user, default: 0] += 1
    }
    try await flush()
  }

  /// One transaction serves all that wait for it.
  public func flush() async throws(UserStateError) {
    let task = content.withLock { content in
      let isIdle = content.hot.pendingCount == 0 && content.deletions.isEmpty
      return isIdle && content.running == nil ? nil : queueWrite(&content)
    }
    if let failure = await task?.value { throw failure }
  }

  /// Writes what is pending, stops the background and closes the file. Later calls throw. Where the
  /// write fails the file stays open, and another call tries again.
  public func close() async throws(UserStateError) {
    content.withLock { $0.isClosing = true }
    writer.withLock { $0?.cancel() }
    try await flush()
    let wasOpen = content.withLock { content in
      defer { content.isClosed = true }
      return !content.isClosed
    }
    if wasOpen { try await database.close() }
  }
}
