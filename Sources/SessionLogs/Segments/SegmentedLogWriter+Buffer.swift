import DurableFiles

extension SegmentedLogWriter {
  /// What waits to be written, and who waits for it.
  struct Buffer {
    typealias Waiter = CheckedContinuation<SegmentedLogError?, Never>

    /// A wish besides events.
    struct Request: Sendable {
      enum Kind: Sendable { case flush, roll, close }
      let kind: Kind
      let waiter: Waiter
    }

    /// What becomes of an entry.
    enum Admission {
      case accepted(startsWork: Bool)
      case refused(SegmentedLogError)
      case full
    }

    /// What a round of work leads to.
    struct Settlement {
      var answers: [(waiter: Waiter, failure: SegmentedLogError?)] = []
      var startsWork = false
      var armsSync = false
    }

    var metrics = SegmentedLogMetrics()
    var failure: DurableFileError?
    var requests: [Request] = []
    /// No more events are taken.
    var isClosing = false
    private(set) var isClosed = false
    /// Entries that the next round writes.
    private var pending: [SegmentEntry] = []
    /// Entries for which there is no room yet.
    private var waiting: [SegmentEntry] = []
    /// Bytes of entries that were let in and are not on the disk.
    private var byteCount = 0
    private var isScheduled = false
    private var needsSync = false
    private var isSyncArmed = false
    private var openedMilliseconds: Int64?

    /// Whether the caller is to schedule a round of work.
    mutating func startsWork() -> Bool {
      defer { isScheduled = true }
      return !isScheduled
    }

    private func hasRoom(for entry: SegmentEntry, _ limit: Int) -> Bool {
      byteCount == 0 || byteCount + entry.bytes.count <= limit
    }

    /// Takes an entry in; without room only one whose caller waits.
    mutating func admit(_ entry: SegmentEntry, limit: Int, folder: String) -> Admission {
      if isClosing { return .refused(.closed(folder: folder)) }
      if let failure {
        metrics.refused += 1
        return .refused(.degraded(folder: folder, failure))
      }
      if waiting.isEmpty && hasRoom(for: entry, limit) {
        byteCount += entry.bytes.count
        pending.append(entry)
      } else if entry.waiter != nil {
        waiting.append(entry)
        metrics.waits += 1
      } else {
        return .full
      }
      return .accepted(startsWork: startsWork())
    }

    /// All that has gathered.
    mutating func takeOrder(
      policy: SegmentedLogOptions.SyncPolicy, milliseconds: Int64
    ) -> (SegmentPair.Order, [Request]) {
      let syncs =
        policy == .everyWrite || needsSync || !requests.isEmpty || !waiting.isEmpty
        || failure != nil
      let closes = requests.contains { $0.kind == .close }
      let order = SegmentPair.Order(
        entries: pending, milliseconds: milliseconds, syncs: syncs,
        rolls: closes || requests.contains { $0.kind == .roll }, closes: closes,
        probes: failure != nil)
      defer {
        pending = []
        requests = []
        isScheduled = false
        needsSync = false
      }
      return (order, requests)
    }

    /// The time for the disk has come.
    /// - Returns: whether there is something to do.
    mutating func syncIsDue() -> Bool {
      isSyncArmed = false
      needsSync = true
      return !isClosed && failure == nil
    }

    /// Whether there is work though nobody asked.
    func isDue(at milliseconds: Int64, maximumAge: Int64) -> Bool {
      if isClosed { return false }
      if failure != nil { return true }
      guard let openedMilliseconds else { return false }
      return milliseconds - openedMilliseconds >= maximumAge
    }

    /// Takes note of what came of an order.
    mutating func settle(
      _ order: SegmentPair.Order, _ outcome: SegmentPair.Outcome, requests: [Request],
      folder: String, options: SegmentedLogOptions
    ) -> Settlement {
      var settlement = Settlement()
      note(outcome)
      for entry in outcome.durable {
        byteCount -= entry.bytes.count
        if let waiter = entry.waiter { settlement.answers.append((waiter, nil)) }
      }
      let error = outcome.failure.map { SegmentedLogError.degraded(folder: folder, $0) }
      if let error, let reason = outcome.failure {
        failure = reason
        giveBack(outcome.returned, error, &settlement)
      } else if order.probes {
        failure = nil
        metrics.recoveries += 1
      }
      settlement.answers += requests.map { ($0.waiter, error) }
      if order.closes { isClosed = error == nil }
      if order.closes && error != nil { isClosing = false }
      if isClosed { refuse(.closed(folder: folder), &settlement) }
      if failure == nil { letIn(options, &settlement) }
      if outcome.hasUnsynced && !isSyncArmed {
        isSyncArmed = true
        settlement.armsSync = true
      }
      return settlement
    }

    private mutating func note(_ outcome: SegmentPair.Outcome) {
      for entry in outcome.durable {
        switch entry.kind {
        case .decisions: metrics.decisions += entry.lineCount
        case .feedback: metrics.feedback += entry.lineCount
        }
      }
      metrics.syncs += outcome.syncs
      metrics.completedSegments += outcome.completedSegments
      if outcome.failure != nil { metrics.failedWrites += 1 }
      openedMilliseconds = outcome.openedMilliseconds
    }

    /// Entries that were accepted are kept; those whose callers wait fail.
    private mutating func giveBack(
      _ entries: [SegmentEntry], _ error: SegmentedLogError, _ settlement: inout Settlement
    ) {
      var kept: [SegmentEntry] = []
      for entry in entries + pending {
        if let waiter = entry.waiter {
          byteCount -= entry.bytes.count
          settlement.answers.append((waiter, error))
          metrics.refused += 1
        } else {
          kept.append(entry)
        }
      }
      pending = kept
      metrics.refused += waiting.count
      refuse(error, &settlement)
    }

    /// Turns away who waits for room.
    private mutating func refuse(_ error: SegmentedLogError, _ settlement: inout Settlement) {
      for entry in waiting {
        if let waiter = entry.waiter { settlement.answers.append((waiter, error)) }
      }
      waiting = []
    }

    /// Lets in who waits for room, in order.
    private mutating func letIn(_ options: SegmentedLogOptions, _ settlement: inout Settlement) {
      var count = 0
      while count < waiting.count, hasRoom(for: waiting[count], options.bufferBytes) {
        var entry = waiting[count]
        count += 1
        byteCount += entry.bytes.count
        if options.syncPolicy != .everyWrite, let waiter = entry.waiter {
          settlement.answers.append((waiter, nil))
          entry.waiter = nil
        }
        pending.append(entry)
      }
      waiting.removeFirst(count)
      if !pending.isEmpty || !waiting.isEmpty { settlement.startsWork = startsWork() }
    }
  }
}
