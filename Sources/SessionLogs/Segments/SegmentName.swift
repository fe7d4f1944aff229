import DurableFiles

/// The name of a segment: a part of a log's decisions or feedback.
///
/// Segments come in pairs of one number. A complete one is `decisions-0000000007.jsonl`; one that
/// is being written has a dot before and `.open` behind, so that no reader takes it for complete.
struct SegmentName: Hashable {
  /// What the lines are.
  enum Kind: String, CaseIterable, Sendable { case decisions, feedback }

  let kind: Kind
  /// From 1, without holes: the order of the names is the order of writing.
  let number: Int

  var closed: String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, SegmentName.digitCount - digits.count))
    return "\(kind.rawValue)-\(zeros)\(digits).jsonl"
  }

  var open: String { ".\(closed).open" }

  private static let digitCount = 10
}

extension SegmentName {
  /// Reads the name of a complete segment; nil for any other name.
  init?(closed name: String) {
    let readings = Kind.allCases.compactMap { kind -> SegmentName? in
      let digits = name.dropFirst(kind.rawValue.count + 1).dropLast(".jsonl".count)
      guard let number = Int(digits), number > 0 else { return nil }
      return SegmentName(kind: kind, number: number)
    }
    guard let reading = readings.first(where: { $0.closed == name }) else { return nil }
    self = reading
  }

  /// Reads the name of an open segment; nil for any other name.
  init?(open name: String) {
    guard name.hasPrefix("."), name.hasSuffix(".open") else { return nil }
    self.init(closed: String(name.dropFirst().dropLast(".open".count)))
  }
}

/// The segments that stand in a folder.
struct SegmentListing {
  private(set) var closed: Set<SegmentName> = []
  private(set) var open: Set<SegmentName> = []

  /// - Throws: `DurableFileError` when the folder cannot be listed.
  init(folder: String) throws {
    for name in try DurableFiles.names(inFolder: folder) {
      if let segment = SegmentName(closed: name) { closed.insert(segment) }
      if let segment = SegmentName(open: name) { open.insert(segment) }
    }
  }

  /// Whether a folder holds a log of segments, or an open one that has none yet.
  /// - Throws: as ``init(folder:)``.
  static func isSegmented(_ folder: String) throws -> Bool {
    if DurableFiles.exists(SegmentListing.ownerPath(in: folder)) { return true }
    return try DurableFiles.exists(folder) && SegmentListing(folder: folder).lastNumber > 0
  }

  /// The file of the lock that the writer of a log of segments holds.
  static func ownerPath(in folder: String) -> String { folder + "/.owner" }

  /// The largest number in use; 0 if there is none.
  var lastNumber: Int { closed.union(open).map(\.number).max() ?? 0 }

  /// The numbers of pairs that are complete, in order. A pair is once its decisions are: they are
  /// closed last.
  /// - Throws: `SessionLogError.notALog` when a half of a pair is missing.
  func completePairs(in folder: String) throws -> [Int] {
    for segment in closed {
      let other = SegmentName(
        kind: segment.kind == .decisions ? .feedback : .decisions, number: segment.number)
      if closed.contains(other) || segment.kind == .feedback && open.contains(other) { continue }
      throw SessionLogError.notALog(
        folder: folder, reason: "there is \(segment.closed), but no \(other.closed)")
    }
    return closed.filter { $0.kind == .decisions }.map(\.number).sorted()
  }
}
