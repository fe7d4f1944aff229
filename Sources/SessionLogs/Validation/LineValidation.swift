import Dispatch
import DurableFiles
import Synchronization

/// One line that does not fit the schema: where, what was expected, what was found.
public struct LogFinding: Sendable, Equatable, Encodable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The line, from 1.
  public let line: Int
  /// The field, with the index inside it; nil when the line as a whole is at fault.
  public let field: String?
  /// What should stand there.
  public let expected: String
  /// What stands there.
  public let found: String

  enum CodingKeys: String, CodingKey { case file, line, field, expected, found }

  /// `file:line: field: … expected, found …`.
  public var description: String {
    "\(file):\(line): \(field.map { "\($0): " } ?? "")\(expected) expected, found \(found)"
  }
}

/// Reads a log line by line and holds each against the schema.
///
/// Constant memory; several threads, each on its own blocks of a file.
public enum LineValidation {
  /// What a scan saw.
  public struct Scan: Sendable, Equatable {
    /// The first findings, decisions before feedback, in the order of lines; one a line.
    public let findings: [LogFinding]
    /// How many lines are at fault.
    public let errorCount: Int
    /// Lines of decisions.
    public let decisionCount: Int
    /// Lines of feedback.
    public let feedbackCount: Int
    /// Bytes of all files.
    public let byteCount: Int
  }

  /// Scans all files of a log.
  /// - Parameters:
  ///   - findingLimit: how many findings to describe; all are counted.
  ///   - latestTimeMilliseconds: no event may be later than this; nil: any time goes.
  /// - Throws: `DurableFileError` when a file cannot be read.
  public static func scan(
    _ log: SessionLogFolder, threads: Int = 2, findingLimit: Int = 20,
    latestTimeMilliseconds: Int64? = nil
  ) throws -> Scan {
    let decisions = try FileScan(
      log.decisionsPaths, .decisions(log.schema, latestTime: latestTimeMilliseconds),
      threads: threads, findingLimit: findingLimit)
    let feedback = try FileScan(
      log.feedbackPaths, .feedback(log.schema, latestTime: latestTimeMilliseconds),
      threads: threads, findingLimit: findingLimit)
    var findings = decisions.findings
    var errorCount = decisions.errorCount + feedback.errorCount
    if decisions.lineCount == 0 {
      findings.append(
        LogFinding(
          file: log.decisionsPaths[0], line: 1, field: nil, expected: "at least one decision",
          found: "an empty file"))
      errorCount += 1
    }
    return Scan(
      findings: Array((findings + feedback.findings).prefix(findingLimit)),
      errorCount: errorCount, decisionCount: decisions.lineCount,
      feedbackCount: feedback.lineCount,
      byteCount: decisions.byteCount + feedback.byteCount)
  }
}

/// The scan of files: blocks of each are checked by several threads and put together in order.
private struct FileScan {
  /// What one block held, its lines counted from the block's beginning.
  struct Block {
    var lineCount = 0
    var errorCount = 0
    var findings: [(line: Int, failure: LineFailure)] = []
  }

  private(set) var findings: [LogFinding] = []
  private(set) var errorCount = 0
  private(set) var lineCount = 0
  private(set) var byteCount = 0

  private static let blockSize = 1 << 22
  /// A line longer than this is not read: it is no event.
  private static let longestLine = 1 << 26

  init(_ paths: [String], _ check: LineCheck, threads: Int, findingLimit: Int) throws {
    for path in paths { try add(path, check, threads: threads, findingLimit: findingLimit) }
  }

  private mutating func add(
    _ path: String, _ check: LineCheck, threads: Int, findingLimit: Int
  ) throws {
    let file = try DurableFiles.map(path)
    byteCount += file.count
    let blockCount = (file.count + FileScan.blockSize - 1) / FileScan.blockSize
    let blocks = Mutex([Block](repeating: Block(), count: blockCount))
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, blockCount))) { _ in
      var check = check
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        if index >= blockCount { break }
        let block = FileScan.scan(file, index, &check, findingLimit)
        blocks.withLock { $0[index] = block }
      }
    }
    let linesBefore = lineCount
    for block in blocks.withLock({ $0 }) {
      for (line, failure) in block.findings where findings.count < findingLimit {
        findings.append(
          LogFinding(
            file: path, line: lineCount - linesBefore + line, field: failure.field,
            expected: failure.expected, found: failure.found))
      }
      lineCount += block.lineCount
      errorCount += block.errorCount
    }
  }

  /// Checks the lines that begin in block `index`.
  private static func scan(
    _ file: MappedBytes, _ index: Int, _ check: inout LineCheck, _ findingLimit: Int
  ) -> Block {
    let start = index * blockSize
    let stop = min(start + blockSize, file.count)
    // One byte more at the front tells whether a line begins with the block.
    let front = max(start - 1, 0)
    var bytes = [UInt8](repeating: 0, count: stop - front)
    file.copy(front..<stop, into: &bytes, at: 0)
    extendToLineEnd(&bytes, file, from: stop)
    let newline = UInt8(ascii: "\n")
    var position = 0
    if index > 0 {
      guard let first = bytes[..<(stop - front)].firstIndex(of: newline) else { return Block() }
      position = first + 1
    }
    var block = Block()
    var cursor = JSONCursor(bytes)
    while position < stop - front {
      let end = bytes[position...].firstIndex(of: newline) ?? bytes.count
      block.lineCount += 1
      cursor.enter(position..<end)
      do {
        try check.check(&cursor)
      } catch {
        var failure = error
        if end == bytes.count && front + end == file.count {
          failure.found += " (the last line has no line end: it is cut off)"
        }
        block.errorCount += 1
        if block.findings.count < findingLimit {
          block.findings.append((block.lineCount, failure))
        }
      }
      position = end + 1
    }
    return block
  }

  /// Adds what is missing of a line that goes on beyond the block.
  private static func extendToLineEnd(
    _ bytes: inout [UInt8], _ file: MappedBytes, from stop: Int
  ) {
    var stop = stop
    var length = 0
    while stop < file.count && bytes[bytes.count - 1] != UInt8(ascii: "\n")
      && length < longestLine
    {
      let more = min(stop + (1 << 16), file.count)
      var piece = [UInt8](repeating: 0, count: more - stop)
      file.copy(stop..<more, into: &piece, at: 0)
      if let end = piece.firstIndex(of: UInt8(ascii: "\n")) {
        bytes += piece[...end]
        return
      }
      bytes += piece
      length += piece.count
      stop = more
    }
  }
}
