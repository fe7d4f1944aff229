public import DurableFiles

/// How a log of segments is written.
public struct SegmentedLogOptions: Sendable, Equatable {
  /// When lines are on the disk, and what a returned `append` promises.
  public enum SyncPolicy: Sendable, Equatable {
    /// `append` returns when its line is on the disk. Callers that wait at the same time share one
    /// flush (group commit).
    case everyWrite
    /// `append` returns when its line is in the buffer. The line goes to the operating system at
    /// once, and to the disk after so many milliseconds at most. Until it is with the operating
    /// system, the end of the process loses it; until it is on the disk, a loss of power does.
    /// `flush()` waits for the disk.
    case interval(milliseconds: Int)
  }

  /// When lines are on the disk.
  public var syncPolicy: SyncPolicy
  /// A pair of segments is complete before decisions and feedback together exceed this; an append
  /// alone may.
  public var maximumSegmentBytes: Int
  /// A pair of segments is complete this long after its first line, in milliseconds.
  public var maximumSegmentMilliseconds: Int64
  /// Lines that are not on the disk yet are kept in memory up to this; then callers wait.
  public var bufferBytes: Int
  /// After a write that failed, the disk is tried this often; segments are as often looked at for
  /// their age.
  public var retryMilliseconds: Int

  /// - Parameters: all at least 1.
  public init(
    syncPolicy: SyncPolicy = .everyWrite, maximumSegmentBytes: Int = 256 << 20,
    maximumSegmentMilliseconds: Int64 = 3_600_000, bufferBytes: Int = 8 << 20,
    retryMilliseconds: Int = 200
  ) {
    precondition(
      maximumSegmentBytes > 0 && maximumSegmentMilliseconds > 0 && bufferBytes > 0
        && retryMilliseconds > 0, "an option of a segmented log below 1")
    if case .interval(let milliseconds) = syncPolicy {
      precondition(milliseconds > 0, "a sync interval of \(milliseconds) ms")
    }
    self.syncPolicy = syncPolicy
    self.maximumSegmentBytes = maximumSegmentBytes
    self.maximumSegmentMilliseconds = maximumSegmentMilliseconds
    self.bufferBytes = bufferBytes
    self.retryMilliseconds = retryMilliseconds
  }
}

/// Why a log of segments cannot be written.
public enum SegmentedLogError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The event does not fit the schema. It is not in the log.
  case event(SessionLogError)
  /// The disk refuses to write. An `append` that ends so is not in the log.
  case degraded(folder: String, DurableFileError)
  /// The writer was closed.
  case closed(folder: String)
  /// Another writer, of this process or another, has the folder.
  case inUse(folder: String)
  /// The folder holds a log of another schema.
  case otherSchema(folder: String)
  /// The folder holds a log of two plain files.
  case plainLog(folder: String)

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .event(let error): error.description
    case .degraded(let folder, let error): "the log in \(folder) cannot be written: \(error)"
    case .closed(let folder): "the log in \(folder) was closed"
    case .inUse(let folder):
      "\(folder): another process, or another writer of this one, writes this log"
    case .otherSchema(let folder):
      "\(folder) holds a log of another schema: a changed schema needs a new folder"
    case .plainLog(let folder):
      "\(folder) holds decisions.jsonl and feedback.jsonl: segments need a folder of their own"
    }
  }
}

/// Whether a log of segments is being written.
public enum SegmentedLogState: Sendable, Equatable {
  /// The last write came through.
  case healthy
  /// The last write failed: events are refused until writing works again, which is tried without
  /// being asked.
  case degraded(DurableFileError)
}

/// What a writer of segments has done since it was opened.
public struct SegmentedLogMetrics: Sendable, Equatable {
  /// Decisions on the disk.
  public internal(set) var decisions = 0
  /// Feedback events on the disk.
  public internal(set) var feedback = 0
  /// Pairs of segments that were completed.
  public internal(set) var completedSegments = 0
  /// How often the disk was waited for.
  public internal(set) var syncs = 0
  /// Appends that waited because the buffer was full.
  public internal(set) var waits = 0
  /// Appends that were refused or failed because the disk could not be written.
  public internal(set) var refused = 0
  /// Attempts to write that failed.
  public internal(set) var failedWrites = 0
  /// How often the writer became healthy again.
  public internal(set) var recoveries = 0
}

/// What a writer found of one that ended without closing its segments.
public struct SegmentedLogRecovery: Sendable, Equatable {
  /// Pairs of segments that were completed.
  public internal(set) var segments = 0
  /// Lines without an end that were cut off.
  public internal(set) var cutLines = 0
  /// Their bytes.
  public internal(set) var cutBytes = 0
}
