import DurableFiles

/// Completes the segments of a process that ended: whole lines stay, half a last line goes.
struct SegmentRecovery {
  private let folder: String
  private(set) var found = SegmentedLogRecovery()

  /// Leaves no open segment in a folder whose owner's lock is held.
  /// - Throws: `DurableFileError`; what is not done yet the next attempt will do.
  init(folder: String) throws {
    self.folder = folder
    let listing = try SegmentListing(folder: folder)
    for number in Set(listing.open.map(\.number)).sorted() { try complete(number, listing) }
    if !listing.open.isEmpty { try DurableFiles.synchronizeFolder(folder) }
  }

  /// Completes a pair. A process may have ended between the two halves of opening or closing one:
  /// decisions are opened first and closed last.
  private mutating func complete(_ number: Int, _ listing: SegmentListing) throws {
    var byteCount = 0
    var hasClosedHalf = false
    for kind in SegmentName.Kind.allCases {
      let segment = SegmentName(kind: kind, number: number)
      if listing.closed.contains(segment) {
        hasClosedHalf = true
      } else if listing.open.contains(segment) {
        byteCount += try cutHalfLine(path(segment.open))
      } else {
        try DurableFiles.write([UInt8](), to: path(segment.open))
      }
    }
    let isEmpty = byteCount == 0 && !hasClosedHalf
    for kind in [SegmentName.Kind.feedback, .decisions] {
      let segment = SegmentName(kind: kind, number: number)
      if listing.closed.contains(segment) { continue }
      if isEmpty {
        try DurableFiles.remove(path(segment.open))
      } else {
        try DurableFiles.rename(path(segment.open), to: path(segment.closed))
      }
    }
    if !isEmpty { found.segments += 1 }
  }

  private func path(_ name: String) -> String { folder + "/" + name }

  /// Cuts off what stands behind the last line end, and flushes the rest.
  /// - Returns: how many bytes are left.
  private mutating func cutHalfLine(_ path: String) throws -> Int {
    let end = try SegmentRecovery.wholeLines(path)
    let file = try AppendedFile(opening: path)
    if end < file.byteCount {
      found.cutLines += 1
      found.cutBytes += file.byteCount - end
      try file.cut(to: end)
    }
    try file.synchronize()
    try file.close()
    return end
  }

  /// The length of a file up to its last line end.
  private static func wholeLines(_ path: String) throws -> Int {
    let file = try DurableFiles.map(path)
    var end = file.count
    while end > 0 {
      let start = max(0, end - (1 << 16))
      var piece = [UInt8](repeating: 0, count: end - start)
      file.copy(start..<end, into: &piece, at: 0)
      if let place = piece.lastIndex(of: UInt8(ascii: "\n")) { return start + place + 1 }
      end = start
    }
    return 0
  }
}
