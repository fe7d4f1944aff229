import DurableFiles

/// Writes a session log: decision and feedback events as JSON lines, the schema when all is there.
///
/// Events stream to temporary files; nothing stands under a final name before ``finish()``, and
/// `schema.json` is put there last, so a folder with one is complete. A writer that is dropped,
/// abandoned or has failed (a full disk, for example) leaves nothing behind. Numbers are written
/// as the shortest decimals that read back as the same bits. Not for several threads at a time.
public final class SessionLogWriter {
  /// What the events hold.
  public let schema: LogSchema
  /// The folder of the log.
  public let folder: String
  /// Decision events written so far.
  public private(set) var decisionCount = 0
  /// Feedback events written so far.
  public private(set) var feedbackCount = 0
  /// Bytes of both files so far.
  public var byteCount: Int { decisions.byteCount + feedback.byteCount }

  private let decisions: DurableLineWriter
  private let feedback: DurableLineWriter
  private let format: EventLineFormat
  private var line = LineBuffer()

  /// Opens a log in `folder`, which is made if it is not there.
  /// - Parameter replacing: whether a log that stands there may be replaced when this one is
  ///   finished; a log of segments may not.
  /// - Throws: `SessionLogError.alreadyThere`, or `DurableFileError`.
  public init(folder: String, schema: LogSchema, replacing: Bool = false) throws {
    self.folder = folder
    self.schema = schema
    let isThere = DurableFiles.exists(SessionLogFolder.schemaPath(in: folder))
    if try !replacing && isThere || SegmentListing.isSegmented(folder) {
      throw SessionLogError.alreadyThere(folder: folder)
    }
    try DurableFiles.makeFolders(folder)
    decisions = try DurableLineWriter(path: SessionLogFolder.decisionsPath(in: folder))
    feedback = try DurableLineWriter(path: SessionLogFolder.feedbackPath(in: folder))
    format = EventLineFormat(schema)
  }

  /// Adds a decision.
  /// - Throws: `SessionLogError.event` if it does not fit the schema; `DurableFileError` if it
  ///   cannot be stored, after which the writer is abandoned.
  public func write(_ event: DecisionEvent) throws {
    line.clear()
    try format.append(event, to: &line)
    try decisions.write(line.bytes)
    decisionCount += 1
  }

  /// Adds a response to an item.
  /// - Throws: `SessionLogError.event` if it does not fit the schema; `DurableFileError` if it
  ///   cannot be stored, after which the writer is abandoned.
  public func write(_ event: FeedbackEvent) throws {
    line.clear()
    try format.append(event, to: &line)
    try feedback.write(line.bytes)
    feedbackCount += 1
  }

  /// Adds a decision of another log that knows no states, with one.
  /// - Throws: `SessionLogError.event` if the state does not fit the schema, or the line has one;
  ///   `DurableFileError`.
  func write(line: String, ofRequest requestID: String, state: [Float]) throws {
    func fail(_ expected: String, _ found: String) -> SessionLogError {
      .event(
        kind: "decision", requestID: requestID, field: "state", expected: expected, found: found)
    }
    if state.count != schema.stateSize {
      throw fail("\(schema.stateSize) numbers", "\(state.count)")
    }
    for (index, value) in state.enumerated() where !value.isFinite {
      throw fail("a finite number for \(schema.stateNames[index])", "\(value)")
    }
    let (bytes, empty) = (Array(line.utf8), SessionLogWriter.emptyState)
    // A text that holds these characters has its quotes escaped.
    let place = bytes.indices.dropLast(empty.count - 1).first { start in
      empty.indices.allSatisfy { bytes[start + $0] == empty[$0] }
    }
    guard let place else { throw fail("[]", "a state") }
    self.line.clear()
    self.line.append(raw: Array(bytes[..<place]))
    self.line.append(raw: Array(",\"state\":".utf8))
    self.line.append(floats: state, state.indices)
    self.line.append(raw: Array(",".utf8))
    self.line.append(raw: Array(bytes[(place + empty.count)...]))
    self.line.append(byte: UInt8(ascii: "\n"))
    try decisions.write(self.line.bytes)
    decisionCount += 1
  }

  /// Adds a feedback line of another log with the same behaviors.
  func write(feedbackLine: String) throws {
    try feedback.write(Array(feedbackLine.utf8) + [UInt8(ascii: "\n")])
    feedbackCount += 1
  }

  private static let emptyState = Array(",\"state\":[],".utf8)

  /// Puts the log into place.
  /// - Parameters:
  ///   - windowEndMilliseconds: when collection ended, if the schema does not say it.
  ///   - stateText: what `state.yaml` beside the log says of its states; nil: that of a log which is
  ///     replaced goes with it.
  /// - Throws: `DurableFileError`; nothing half-written then stands under a final name.
  @discardableResult
  public func finish(
    windowEndMilliseconds: Int64? = nil, stateText: String? = nil
  ) throws -> SessionLogFolder {
    var final = schema
    if let windowEndMilliseconds { final.windowEndMilliseconds = windowEndMilliseconds }
    let schemaPath = SessionLogFolder.schemaPath(in: folder)
    let statePath = SessionLogFolder.statePath(in: folder)
    do {
      if DurableFiles.exists(schemaPath) {
        try DurableFiles.remove(schemaPath)
        if DurableFiles.exists(statePath) { try DurableFiles.remove(statePath) }
      }
      try decisions.finish()
      try feedback.finish()
      if let stateText { try DurableFiles.write(stateText, to: statePath) }
      try DurableFiles.write(final.fileText(), to: schemaPath)
    } catch {
      abandon()
      // A whole file of a log that is not: without schema.json nobody would read it.
      try? DurableFiles.remove(SessionLogFolder.decisionsPath(in: folder))
      try? DurableFiles.remove(SessionLogFolder.feedbackPath(in: folder))
      if stateText != nil { try? DurableFiles.remove(statePath) }
      throw error
    }
    return try SessionLogFolder(path: folder)
  }

  /// Gives up and removes what was written. Does nothing after ``finish()``.
  public func abandon() {
    decisions.abandon()
    feedback.abandon()
  }
}
