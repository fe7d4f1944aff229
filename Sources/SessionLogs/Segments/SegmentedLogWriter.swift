import Dispatch
import DurableFiles
import Synchronization

/// Writes a session log while a service runs: decisions and feedback in pairs of segments, each of
/// which is complete once it has its final name.
///
/// For many callers at a time. One queue writes; what has gathered while it did goes together. An
/// `append` waits without holding a thread: for the disk where the policy says so, and for room in
/// the buffer. A task that is cancelled waits on, as its line is written all the same.
///
/// An `append` that returns is in the log as far as ``SegmentedLogOptions/SyncPolicy`` promises.
/// One that throws is not; only where the disk refuses even to cut the file back, and the process
/// then ends, may its lines stand there. A write that fails makes the writer degraded:
/// further events are refused at once, those already accepted are kept, and the disk is tried again
/// every `retryMilliseconds` until it takes them.
///
/// A writer that is dropped without ``close()`` leaves its pair open; the next one completes it.
public final class SegmentedLogWriter: Sendable {
  /// The folder of the log.
  public let folder: String
  /// What the events hold.
  public let schema: LogSchema
  /// What was found of a writer that ended without closing.
  public let recovery: SegmentedLogRecovery

  private let options: SegmentedLogOptions
  private let state = Mutex(Buffer())
  private let format: EventLineFormat
  private let clock: @Sendable () -> Int64
  private let disk: Mutex<SegmentPair>
  private let queue = DispatchQueue(label: "amalgam.segments")

  /// Opens a log, which is made if it is not there, and completes what another process left open.
  /// - Parameters:
  ///   - schema: of the events; that of the log if it is there.
  ///   - clock: milliseconds since any moment, for the age of segments.
  /// - Throws: `SegmentedLogError.inUse`, `.otherSchema` or `.plainLog`; `SessionLogError` when the
  ///   log's schema cannot be read; `DurableFileError`.
  public init(
    folder: String, schema: LogSchema, options: SegmentedLogOptions = SegmentedLogOptions(),
    clock: @escaping @Sendable () -> Int64
  ) throws {
    self.folder = folder
    self.schema = schema
    self.options = options
    self.clock = clock
    format = EventLineFormat(schema)
    try DurableFiles.makeFolders(folder)
    guard let lock = try OwnerLock(path: SegmentListing.ownerPath(in: folder)) else {
      throw SegmentedLogError.inUse(folder: folder)
    }
    if DurableFiles.exists(SessionLogFolder.decisionsPath(in: folder)) {
      throw SegmentedLogError.plainLog(folder: folder)
    }
    let schemaPath = SessionLogFolder.schemaPath(in: folder)
    if DurableFiles.exists(schemaPath) {
      if try LogSchema(readingFile: schemaPath) != schema {
        throw SegmentedLogError.otherSchema(folder: folder)
      }
    } else {
      try DurableFiles.write(schema.fileText(), to: schemaPath)
    }
    recovery = try SegmentRecovery(folder: folder).found
    disk = Mutex(
      SegmentPair(
        folder: folder, options: options, lock: lock,
        number: try SegmentListing(folder: folder).lastNumber + 1))
    scheduleLook()
  }

  /// Whether the last write came through.
  public var health: SegmentedLogState {
    state.withLock { $0.failure.map { .degraded($0) } ?? .healthy }
  }

  /// What was done so far.
  public var metrics: SegmentedLogMetrics { state.withLock { $0.metrics } }

  /// Adds a decision.
  /// - Throws: `.event`, `.degraded` or `.closed`; the event is then not in the log.
  public func append(_ event: DecisionEvent) async throws(SegmentedLogError) {
    var line = LineBuffer(capacity: 1024)
    do { try format.append(event, to: &line) } catch { throw .event(error) }
    try await append(SegmentEntry(kind: .decisions, lineCount: 1, bytes: line.bytes))
  }

  /// Adds a response to an item.
  /// - Throws: `.event`, `.degraded` or `.closed`; the event is then not in the log.
  public func append(_ event: FeedbackEvent) async throws(SegmentedLogError) {
    try await append([event])
  }

  /// Adds responses, all or none of them.
  /// - Throws: `.event`, `.degraded` or `.closed`; no event is then in the log.
  public func append(_ events: [FeedbackEvent]) async throws(SegmentedLogError) {
    if events.isEmpty { return }
    var lines = LineBuffer(capacity: 256 * events.count)
    do { for event in events { try format.append(event, to: &lines) } } catch {
      throw .event(error)
    }
    try await append(
      SegmentEntry(kind: .feedback, lineCount: events.count, bytes: lines.bytes))
  }

  /// Returns when all that was appended before is on the disk.
  /// - Throws: `.degraded`, and accepted lines are kept and tried again; `.closed`.
  public func flush() async throws(SegmentedLogError) { try await request(.flush) }

  /// Completes the pair of segments that is open, if it holds a line: readers see it then.
  /// - Throws: as ``flush()``.
  public func roll() async throws(SegmentedLogError) { try await request(.roll) }

  /// Writes and completes all, and lets another writer have the folder.
  /// - Throws: `.degraded`; the writer then stays open. Nothing if it is closed already.
  public func close() async throws(SegmentedLogError) {
    do { try await request(.close) } catch .closed { return }
  }

  private func append(_ entry: SegmentEntry) async throws(SegmentedLogError) {
    if options.syncPolicy != .everyWrite {
      switch admit(entry) {
      case .accepted(let startsWork):
        if startsWork { schedule() }
        return
      case .refused(let error): throw error
      case .full: break
      }
    }
    let failure = await withCheckedContinuation { waiter in
      var entry = entry
      entry.waiter = waiter
      switch admit(entry) {
      case .accepted(let startsWork): if startsWork { schedule() }
      case .refused(let error): waiter.resume(returning: error)
      case .full: preconditionFailure("an entry whose caller waits was not taken in")
      }
    }
    if let failure { throw failure }
  }

  private func admit(_ entry: SegmentEntry) -> Buffer.Admission {
    state.withLock { $0.admit(entry, limit: options.bufferBytes, folder: folder) }
  }

  private func request(_ kind: Buffer.Request.Kind) async throws(SegmentedLogError) {
    let failure = await withCheckedContinuation { waiter in
      let startsWork = state.withLock { state -> Bool? in
        if state.isClosing { return nil }
        if kind == .close { state.isClosing = true }
        state.requests.append(Buffer.Request(kind: kind, waiter: waiter))
        return state.startsWork()
      }
      switch startsWork {
      case nil: waiter.resume(returning: .closed(folder: folder))
      case true?: schedule()
      case false?: break
      }
    }
    if let failure { throw failure }
  }

  private func schedule() { queue.async { self.work() } }

  /// One round: all that has gathered is written, and who waited for it is told.
  private func work() {
    let (order, requests) = state.withLock {
      $0.takeOrder(policy: options.syncPolicy, milliseconds: clock())
    }
    let outcome = disk.withLock { $0.perform(order) }
    let settled = state.withLock { state in
      state.settle(
        order, outcome, requests: requests, folder: folder, options: options)
    }
    for (waiter, failure) in settled.answers { waiter.resume(returning: failure) }
    if settled.startsWork { schedule() }
    if settled.armsSync, case .interval(let milliseconds) = options.syncPolicy {
      queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
        guard let self else { return }
        if state.withLock({ $0.syncIsDue() }) { work() }
      }
    }
  }

  /// Looks again and again whether the disk is to be tried, or a pair is old.
  private func scheduleLook() {
    queue.asyncAfter(deadline: .now() + .milliseconds(options.retryMilliseconds)) {
      [weak self] in
      guard let self else { return }
      let now = clock()
      let (isOver, isDue) = state.withLock { state in
        (
          state.isClosed,
          state.isDue(at: now, maximumAge: options.maximumSegmentMilliseconds)
        )
      }
      if isOver { return }
      if isDue { work() }
      scheduleLook()
    }
  }
}
