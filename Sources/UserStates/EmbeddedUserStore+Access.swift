internal import FusionMDP
internal import Synchronization

extension EmbeddedUserStore {
  /// What the store holds in memory.
  struct Content: Sendable {
    var hot = HotUsers()
    /// Users that became pending since the last write, in that order.
    var pending: [String] = []
    var loads: [String: Load] = [:]
    /// Users to be deleted by the next write.
    var deletions: [String] = []
    /// Users whose deletion is not written yet, with how many of them: the database may still
    /// have them.
    var deleting: [String: Int] = [:]
    /// The write that runs, and the one that waits for it and has not looked at the changes yet.
    var running: Task<UserStateError?, Never>?
    var queued: Task<UserStateError?, Never>?
    var lastSweep: Int64 = 0
    var isClosing = false
    var isClosed = false
    var metrics = UserStateMetrics()
  }

  /// A read of a user that is under way.
  struct Load: Sendable {
    /// The user was deleted meanwhile.
    var isStale = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  /// What a look into memory came to.
  private enum Step<Result: Sendable>: Sendable {
    case done(Result)
    /// Another call reads the user.
    case wait
    /// This call has to read the user.
    case load
    /// Too many changes are pending.
    case full
  }

  /// What is known of a user.
  func record(of user: String) async throws(UserStateError) -> UserRecord? {
    while true {
      let step: Step<UserRecord?> = try content.withLock { content throws(UserStateError) in
        try checkOpen(content)
        if let slot = content.hot.slot(of: user) {
          return .done(use(slot, &content) ? content.hot.record(at: slot) : nil)
        }
        if content.deleting[user] != nil {
          content.metrics.unknown += 1
          return .done(nil)
        }
        return beginLoad(user, &content)
      }
      switch step {
      case .done(let record): return record
      case .load:
        return try await load(user) { content, found in
          guard let found else { return nil }
          _ = content.hot.insert(user, found)
          trim(&content)
          return found
        }
      case .wait, .full: await waitForLoad(of: user)
      }
    }
  }

  /// Changes a user, in memory at once.
  ///
  /// - Parameter body: the change; with its result, whether it changed anything.
  func change<Result: Sendable>(
    _ user: String, _ body: @Sendable (inout UserRecord) -> (Result, Bool)
  ) async throws(UserStateError) -> Result {
    while true {
      var step: Step<Result> = try content.withLock { content throws(UserStateError) in
        try checkOpen(content)
        if let slot = content.hot.slot(of: user) {
          return apply(user, slot, isKnown: use(slot, &content), &content, body)
        }
        if content.deleting[user] != nil {
          return apply(user, nil, isKnown: false, &content, body)
        }
        return beginLoad(user, &content)
      }
      if case .load = step {
        step = try await load(user) { content, found in
          let slot = found.map { content.hot.insert(user, $0) }
          return apply(user, slot, isKnown: found != nil, &content, body)
        }
      }
      switch step {
      case .done(let result): return result
      case .full: try await waitForWrite()
      case .wait, .load: await waitForLoad(of: user)
      }
    }
  }

  private func checkOpen(_ content: borrowing Content) throws(UserStateError) {
    if content.isClosing { throw .closed(path: database.path) }
  }

  /// Whether the user in memory is known still: false if it has expired.
  private func use(_ slot: Int, _ content: inout Content) -> Bool {
    content.hot.touch(slot)
    let isKnown = content.hot.record(at: slot).map { !isExpired($0) } ?? false
    if isKnown { content.metrics.hits += 1 } else { content.metrics.expired += 1 }
    return isKnown
  }

  private func isExpired(_ record: UserRecord) -> Bool {
    record.lastActivity < time.now - limits.timeToLiveMilliseconds
  }

  /// Changes a user in place; one who is not known starts anew.
  private func apply<Result: Sendable>(
    _ user: String, _ cached: Int?, isKnown: Bool, _ content: inout Content,
    _ body: (inout UserRecord) -> (Result, Bool)
  ) -> Step<Result> {
    let isPending = cached.map { content.hot.isPending(at: $0) } ?? false
    if !isPending, content.hot.pendingCount >= limits.pendingUsers { return .full }
    let now = time.now
    func fresh() -> UserRecord {
      UserRecord(context: UserContext(using: encoder), lastActivity: now)
    }
    let slot = cached ?? content.hot.insert(user, fresh())
    var result: Result?
    let becamePending = content.hot.change(slot) { record in
      if cached != nil, !isKnown { record = fresh() }
      let (found, isChanged) = body(&record)
      result = found
      if isChanged { record.lastActivity = now }
      return isChanged
    }
    if becamePending { content.pending.append(user) }
    trim(&content)
    return result.map { .done($0) } ?? .full
  }

  private func trim(_ content: inout Content) {
    content.metrics.cacheEvictions += content.hot.trim(
      users: limits.cachedUsers, bytes: limits.cachedBytes)
  }

  private func beginLoad<Result>(_ user: String, _ content: inout Content) -> Step<Result> {
    if content.loads[user] != nil { return .wait }
    content.loads[user] = Load()
    return .load
  }

  /// Reads a user, and hands over what was found, unless it has expired or was deleted meanwhile.
  private func load<Result: Sendable>(
    _ user: String, _ then: (inout Content, UserRecord?) -> Result
  ) async throws(UserStateError) -> Result {
    let read: Swift.Result<UserRecord?, UserStateError>
    do { read = .success(try await database.read(user)) } catch { read = .failure(error) }
    var waiters: [CheckedContinuation<Void, Never>] = []
    defer { for waiter in waiters { waiter.resume() } }
    return try content.withLock { content throws(UserStateError) in
      let load = content.loads.removeValue(forKey: user)
      waiters = load?.waiters ?? []
      try checkOpen(content)
      var found = try read.get()
      content.metrics.misses += 1
      if load?.isStale == true { found = nil }
      if let record = found, isExpired(record) {
        content.metrics.expired += 1
        found = nil
      } else if found == nil {
        content.metrics.unknown += 1
      }
      return then(&content, found)
    }
  }

  private func waitForLoad(of user: String) async {
    await withCheckedContinuation { continuation in
      let isOver = content.withLock { content in
        guard content.loads[user] != nil else { return true }
        content.loads[user]?.waiters.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  /// Waits until pending changes are written.
  private func waitForWrite() async throws(UserStateError) {
    do { try await flush() } catch {
      throw .backlog(
        path: database.path, users: limits.pendingUsers, reason: error.description)
    }
  }
}
