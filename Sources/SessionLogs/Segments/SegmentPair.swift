import DurableFiles

/// Lines of one append, which reach the log together or not at all.
struct SegmentEntry: Sendable {
  let kind: SegmentName.Kind
  let lineCount: Int
  let bytes: [UInt8]
  /// Who waits for the lines: to be on the disk, or for room in the buffer.
  var waiter: CheckedContinuation<SegmentedLogError?, Never>?
}

/// The pair of segments that is being written, and the files behind it.
///
/// What is not on the disk yet is kept in memory too: after a write or a flush that failed both
/// files are cut back to where they were on the disk, and the entries handed back.
struct SegmentPair {
  /// What to do at once.
  struct Order: Sendable {
    var entries: [SegmentEntry]
    /// The time by the log's clock.
    var milliseconds: Int64
    /// Whether the disk is waited for at the end.
    var syncs: Bool
    /// Whether the pair is completed at the end.
    var rolls: Bool
    /// Whether no other pair will follow.
    var closes: Bool
    /// Whether to find out if the disk can be written, even if there is nothing to write.
    var probes: Bool
  }

  /// What came of an order.
  struct Outcome: Sendable {
    /// Entries that are on the disk now, of this order or earlier ones.
    var durable: [SegmentEntry] = []
    /// Entries that are not in the files, in order.
    var returned: [SegmentEntry] = []
    var failure: DurableFileError?
    var syncs = 0
    var completedSegments = 0
    /// Whether entries are in the files that are not on the disk yet.
    var hasUnsynced = false
    /// When the pair's first line was written; nil without one.
    var openedMilliseconds: Int64?
  }

  /// A file of the pair.
  private struct Half {
    let file: AppendedFile
    /// Up to here it is on the disk.
    var durableByteCount = 0
  }

  private let folder: String
  private let options: SegmentedLogOptions
  private var lock: OwnerLock?
  private var number: Int
  private var halves: [SegmentName.Kind: Half] = [:]
  private var unsynced: [SegmentEntry] = []
  private var openedMilliseconds: Int64?
  private var isFolderSynced = true
  private var needsCut = false
  private var isClosingPair = false

  /// - Parameter number: of the first pair to write.
  init(folder: String, options: SegmentedLogOptions, lock: OwnerLock, number: Int) {
    self.folder = folder
    self.options = options
    self.lock = lock
    self.number = number
  }

  private var byteCount: Int { halves.values.reduce(0) { $0 + $1.file.byteCount } }

  /// Writes entries in order, and completes pairs that are full or old.
  mutating func perform(_ order: Order) -> Outcome {
    var outcome = Outcome()
    var rest = order.entries[...]
    do {
      try restore(&outcome)
      if isOld(at: order.milliseconds) { try completePair(&outcome) }
      while !rest.isEmpty {
        let count = fitting(rest)
        if count == 0 {
          try completePair(&outcome)
          continue
        }
        let piece = rest.prefix(count)
        rest = rest.dropFirst(count)
        unsynced += piece
        try write(piece, at: order.milliseconds)
      }
      if order.probes && unsynced.isEmpty { try probe() }
      let unsyncedBytes = unsynced.reduce(0) { $0 + $1.bytes.count }
      if order.syncs || unsyncedBytes * 2 >= options.bufferBytes { try synchronize(&outcome) }
      if order.rolls { try completePair(&outcome) }
      if order.closes { try close() }
    } catch {
      outcome.failure =
        error as? DurableFileError ?? .malformed(path: folder, reason: "\(error)")
      outcome.returned = unsynced + rest
      unsynced = []
      needsCut = true
      // If this fails too, the next order begins with it.
      try? cut()
    }
    outcome.hasUnsynced = !unsynced.isEmpty
    outcome.openedMilliseconds = byteCount > 0 ? openedMilliseconds : nil
    return outcome
  }

  /// Whether the pair's time is over. A clock that was set back begins the time anew.
  private mutating func isOld(at milliseconds: Int64) -> Bool {
    guard byteCount > 0, let opened = openedMilliseconds else { return false }
    openedMilliseconds = min(opened, milliseconds)
    return milliseconds - opened >= options.maximumSegmentMilliseconds
  }

  /// How many of the entries the pair has room for; an empty pair takes at least one.
  private func fitting(_ entries: ArraySlice<SegmentEntry>) -> Int {
    var total = byteCount
    var count = 0
    for entry in entries {
      total += entry.bytes.count
      if total > options.maximumSegmentBytes && total > entry.bytes.count { break }
      count += 1
    }
    return count
  }

  private func path(_ name: String) -> String { folder + "/" + name }

  /// Ends what an order that failed has begun.
  private mutating func restore(_ outcome: inout Outcome) throws {
    if isClosingPair { try finishPair(&outcome) }
    if needsCut { try cut() }
  }

  /// Cuts the files back to what is on the disk.
  private mutating func cut() throws {
    for kind in SegmentName.Kind.allCases {
      guard let half = halves[kind] else { continue }
      if half.file.byteCount != half.durableByteCount {
        try half.file.cut(to: half.durableByteCount)
      }
    }
    needsCut = false
  }

  private mutating func open() throws {
    for kind in SegmentName.Kind.allCases where halves[kind] == nil {
      let name = SegmentName(kind: kind, number: number).open
      halves[kind] = Half(file: try AppendedFile(creating: path(name)))
      isFolderSynced = false
    }
  }

  private mutating func write(_ entries: ArraySlice<SegmentEntry>, at milliseconds: Int64) throws {
    try open()
    if byteCount == 0 { openedMilliseconds = milliseconds }
    for kind in SegmentName.Kind.allCases {
      var bytes: [UInt8] = []
      for entry in entries where entry.kind == kind { bytes += entry.bytes }
      if !bytes.isEmpty { try halves[kind]?.file.append(bytes) }
    }
  }

  /// Waits until all that was written is on the disk, names included.
  private mutating func synchronize(_ outcome: inout Outcome) throws {
    for half in halves.values where half.file.byteCount > half.durableByteCount {
      try half.file.synchronize()
      outcome.syncs += 1
    }
    if !isFolderSynced {
      try DurableFiles.synchronizeFolder(folder)
      isFolderSynced = true
    }
    halves = halves.mapValues { Half(file: $0.file, durableByteCount: $0.file.byteCount) }
    outcome.durable += unsynced
    unsynced = []
  }

  /// Finds out whether both files can be written, and leaves them as they were. What a process
  /// that ends meanwhile leaves has no line end.
  private mutating func probe() throws {
    try open()
    for half in halves.values {
      try half.file.append([UInt8](repeating: UInt8(ascii: " "), count: 1 << 16))
      try half.file.synchronize()
    }
    try cut()
  }

  /// Flushes the pair and gives both files their final names; the next write opens the next pair.
  private mutating func completePair(_ outcome: inout Outcome) throws {
    try synchronize(&outcome)
    if byteCount == 0 { return }
    isClosingPair = true
    try finishPair(&outcome)
  }

  /// Decisions come last: a pair counts once they have their name.
  private mutating func finishPair(_ outcome: inout Outcome) throws {
    for kind in [SegmentName.Kind.feedback, .decisions] {
      let segment = SegmentName(kind: kind, number: number)
      if DurableFiles.exists(path(segment.open)) {
        try DurableFiles.rename(path(segment.open), to: path(segment.closed))
      }
    }
    try DurableFiles.synchronizeFolder(folder)
    halves = [:]
    number += 1
    isClosingPair = false
    outcome.completedSegments += 1
  }

  /// Removes a pair without lines and lets another writer have the folder.
  private mutating func close() throws {
    for kind in SegmentName.Kind.allCases where halves[kind] != nil {
      try DurableFiles.remove(path(SegmentName(kind: kind, number: number).open))
    }
    halves = [:]
    lock = nil
  }
}
