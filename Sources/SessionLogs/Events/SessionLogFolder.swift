import DurableFiles

/// A session log: a folder with `schema.json`, and either `decisions.jsonl` and `feedback.jsonl`, or
/// pairs of segments as ``SegmentedLogWriter`` writes them, of which the complete ones are read.
public struct SessionLogFolder: Sendable, Equatable {
  /// The folder.
  public let path: String
  /// What the events hold.
  public let schema: LogSchema

  /// The files of decision events, in order: one, or one a segment that was complete when the log
  /// was opened.
  public let decisionsPaths: [String]
  /// The files of feedback events, as many.
  public let feedbackPaths: [String]

  /// Opens a log.
  /// - Throws: `SessionLogError` when a file is missing or the schema cannot be read;
  ///   `DurableFileError` when the folder cannot be listed.
  public init(path: String) throws {
    self.path = path
    let schemaPath = SessionLogFolder.schemaPath(in: path)
    guard DurableFiles.exists(schemaPath) else {
      throw SessionLogError.notALog(
        folder: path, reason: "there is no schema.json (it is written when a log is complete)")
    }
    schema = try LogSchema(readingFile: schemaPath)
    let pairs = try SessionLogFolder.segments(in: path)
    let plain = [
      SessionLogFolder.decisionsPath(in: path), SessionLogFolder.feedbackPath(in: path),
    ]
    guard let pairs else {
      for file in plain where !DurableFiles.exists(file) {
        throw SessionLogError.notALog(folder: path, reason: "there is no \(file)")
      }
      (decisionsPaths, feedbackPaths) = ([plain[0]], [plain[1]])
      return
    }
    for file in plain where DurableFiles.exists(file) {
      throw SessionLogError.notALog(folder: path, reason: "it holds segments beside \(file)")
    }
    if pairs.isEmpty {
      throw SessionLogError.notALog(folder: path, reason: "no segment is complete yet")
    }
    func paths(_ kind: SegmentName.Kind) -> [String] {
      pairs.map { path + "/" + SegmentName(kind: kind, number: $0).closed }
    }
    (decisionsPaths, feedbackPaths) = (paths(.decisions), paths(.feedback))
  }

  /// The numbers of the complete pairs of segments; nil where there are no segments at all.
  private static func segments(in path: String) throws -> [Int]? {
    func read() throws -> [Int]? {
      let listing = try SegmentListing(folder: path)
      return listing.lastNumber == 0 ? nil : try listing.completePairs(in: path)
    }
    // A pair may be completed while the folder is listed: what then seems missing is there.
    do { return try read() } catch is SessionLogError { return try read() }
  }

  /// Where a line of the events stands, counted from 1 over all files.
  /// - Throws: `DurableFileError`.
  func place(ofLine line: Int, in paths: [String]) throws -> (file: String, line: Int) {
    var line = line
    for path in paths.dropLast() {
      let count = try SessionLogFolder.lineCount(path)
      if line <= count { return (path, line) }
      line -= count
    }
    return (paths[paths.count - 1], line)
  }

  private static func lineCount(_ path: String) throws -> Int {
    let file = try DurableFiles.map(path)
    var piece: [UInt8] = []
    var count = 0
    for start in stride(from: 0, to: file.count, by: 1 << 20) {
      let stop = min(start + (1 << 20), file.count)
      if piece.count != stop - start { piece = [UInt8](repeating: 0, count: stop - start) }
      file.copy(start..<stop, into: &piece, at: 0)
      for byte in piece where byte == UInt8(ascii: "\n") { count += 1 }
    }
    return count
  }

  static func decisionsPath(in folder: String) -> String { folder + "/decisions.jsonl" }
  static func feedbackPath(in folder: String) -> String { folder + "/feedback.jsonl" }
  static func schemaPath(in folder: String) -> String { folder + "/schema.json" }
  static func statePath(in folder: String) -> String { folder + "/state.yaml" }
}
