/// A user's last interactions, with the sums that the state is made of.
///
/// Sums over windows are integers over packed interactions, so they hold without drift after any
/// number of appends: they equal what a recount gives. Decayed counts are `Double`:
///
///     D(t) = Σ_i 2^(−(t − t_i) / h)        kept at t = the latest event time
///
/// They are products and sums of positive numbers, nothing is subtracted, so that the relative
/// error of a count stays below its number of terms times 2⁻⁵². All appends of an equal series give
/// equal bits.
///
/// With the default windows a full history takes 4 kB, or 8 kB where play times are told.
public struct InteractionHistory: Sendable, Equatable {
  /// How many interactions are kept at most (paper: 500).
  public static let capacity = 500

  /// The behaviors of the domain's feedback, in the order of their flags.
  public static let standardBehaviors: [FeedbackSignal] = [
    .click, .longView, .like, .follow, .comment, .forward, .hate, .profileEnter, .commentStay,
    .finished, .skip,
  ]

  private var ring: [UInt64] = []
  private var times: [UInt64] = []
  private var next = 0
  private var sums: [UInt64]
  private var decayed: [Double]
  private var topicCounts: [UInt16]
  private var latest: [Int64]
  /// How many interactions were ever appended.
  public private(set) var totalCount = 0
  /// The latest event time, in milliseconds since 1970; nil without interactions.
  public private(set) var latestMilliseconds: Int64?

  /// A history without interactions.
  public init(_ layout: HistoryLayout) {
    sums = [UInt64](repeating: 0, count: layout.windows.count * layout.stride)
    decayed = [Double](
      repeating: 0, count: layout.halfLives.count * (layout.behaviorCount + 1))
    topicCounts = [UInt16](repeating: 0, count: layout.topicCount)
    latest = [Int64](repeating: .min, count: layout.recency.count)
  }

  /// How many interactions are kept, at most the longest window.
  public var count: Int { ring.count }

  /// Appends the latest interaction of the domain; the oldest leaves when the history is full.
  ///
  /// - Complexity: O(W·B/6 + D·B), whatever the windows hold.
  public mutating func append(
    _ feedback: UserFeedback, at time: Int64, layout: HistoryLayout
  ) {
    append(
      PackedInteraction(
        flags: layout.flags(of: feedback), playSeconds: feedback.playSeconds,
        playIntegrity: feedback.playIntegrity, topic: nil, timeMilliseconds: time),
      at: time, layout: layout)
  }

  mutating func append(_ packed: PackedInteraction, at time: Int64, layout: HistoryLayout) {
    if layout.capacity > 0 { push(packed, layout) }
    totalCount += 1
    if !layout.halfLives.isEmpty { decay(packed.behavior, at: time, layout) }
    for (place, behavior) in layout.recency.enumerated()
    where packed.behavior >> UInt64(behavior) & 1 == 1 {
      latest[place] = max(latest[place], time)
    }
    latestMilliseconds = max(latestMilliseconds ?? time, time)
  }

  private mutating func push(_ packed: PackedInteraction, _ layout: HistoryLayout) {
    for (index, window) in layout.windows.enumerated() {
      let start = index * layout.stride
      if ring.count >= window {
        let position = position(age: window - 1, layout)
        change(
          start, by: ring[position], layout.keepsTimes ? times[position] : 0, adding: false, layout)
      }
      change(start, by: packed.behavior, packed.times, adding: true, layout)
    }
    if layout.topicWindow > 0 {
      if ring.count >= layout.topicWindow,
        let topic = PackedInteraction.topic(of: ring[position(age: layout.topicWindow - 1, layout)])
      {
        topicCounts[topic] -= 1
      }
      if let topic = PackedInteraction.topic(of: packed.behavior) { topicCounts[topic] += 1 }
    }
    if ring.count < layout.capacity {
      ring.append(packed.behavior)
      if layout.keepsTimes { times.append(packed.times) }
    } else {
      ring[next] = packed.behavior
      if layout.keepsTimes { times[next] = packed.times }
    }
    next = next + 1 == layout.capacity ? 0 : next + 1
  }

  /// Adds an interaction to the sums of one window, or takes it away.
  private mutating func change(
    _ start: Int, by word: UInt64, _ time: UInt64, adding: Bool, _ layout: HistoryLayout
  ) {
    let sign: UInt64 = adding ? 1 : .max  // −1
    for part in 0..<layout.countWords {
      sums[start + part] &+= sign &* PackedInteraction.lanes(word, from: part * 6)
    }
    let rest = start + layout.countWords
    sums[rest] &+= sign &* (word >> 16 & 0xFFFF)
    sums[rest + 1] &+= sign &* (word >> 32 & 0xFFFF)
    if layout.keepsTimes { sums[rest + 2] &+= sign &* (time & 0xFFFF_FFFF) }
  }

  private mutating func decay(_ flags: UInt64, at time: Int64, _ layout: HistoryLayout) {
    let elapsed = latestMilliseconds.map { Double(time - $0) } ?? 0
    let width = layout.behaviorCount + 1
    for (index, halfLife) in layout.halfLives.enumerated() {
      // An event that is older than the latest comes in with less weight; a later one decays all.
      let factor = exponential2(-abs(elapsed) / halfLife)
      let weight = elapsed < 0 ? factor : 1
      let start = index * width
      if elapsed > 0 {
        for place in start..<start + width { decayed[place] *= factor }
      }
      decayed[start] += weight
      for behavior in 0..<layout.behaviorCount where flags >> UInt64(behavior) & 1 == 1 {
        decayed[start + 1 + behavior] += weight
      }
    }
  }

  /// Where the interaction of this age lies: 0 is the latest.
  private func position(age: Int, _ layout: HistoryLayout) -> Int {
    let place = next - 1 - age
    return place < 0 ? place + layout.capacity : place
  }

  /// The kept words from the oldest to the latest; the second is 0 where times are not kept.
  func words(_ layout: HistoryLayout) -> [(behavior: UInt64, times: UInt64)] {
    (0..<count).reversed().map { age in
      let place = position(age: age, layout)
      return (ring[place], layout.keepsTimes ? times[place] : 0)
    }
  }

  /// The memory that the history takes, in bytes, without what the allocator adds. Arrays that grow
  /// are counted as large as they get on their way: to the next power of 2.
  var memoryBytes: Int {
    var grown = 1
    while grown < ring.count { grown *= 2 }
    let words = grown * (times.isEmpty ? 1 : 2)
    return 8 * (words + sums.count + decayed.count + latest.count) + 2 * topicCounts.count
  }

  /// The same history with the sums of its windows counted afresh from the kept interactions.
  public func recounted(_ layout: HistoryLayout) -> InteractionHistory {
    var copy = self
    for index in sums.indices { copy.sums[index] = 0 }
    for index in topicCounts.indices { copy.topicCounts[index] = 0 }
    for age in 0..<count {
      let place = position(age: age, layout)
      for (index, window) in layout.windows.enumerated() where age < window {
        copy.change(
          index * layout.stride, by: ring[place], layout.keepsTimes ? times[place] : 0,
          adding: true, layout)
      }
      if age < layout.topicWindow, let topic = PackedInteraction.topic(of: ring[place]) {
        copy.topicCounts[topic] += 1
      }
    }
    return copy
  }
}

extension InteractionHistory {
  /// Appends what the state holds of the history at a time in milliseconds since 1970.
  func appendFeatures(at now: Int64, _ layout: HistoryLayout, to state: inout [Float]) {
    for index in layout.windows.indices { appendWindow(index, at: now, layout, to: &state) }
    appendDecayed(at: now, layout, to: &state)
    if layout.topicWindow > 0 {
      let kept = min(count, layout.topicWindow)
      let scale = kept > 0 ? 1 / Float(kept) : 0
      for topic in topicCounts { state.append(Float(topic) * scale) }
    }
    for time in latest { state.append(cappedLogHours(time == .min ? nil : hours(from: time, now))) }
    for total in layout.features.totals {
      switch total {
      case .logCount: state.append(logarithm1p(Float(totalCount)))
      case .logHoursSinceLast:
        state.append(cappedLogHours(latestMilliseconds.map { hours(from: $0, now) }))
      }
    }
  }

  private func hours(from time: Int64, _ now: Int64) -> Float {
    Float(Double(now - time) / 3_600_000)
  }

  private func appendWindow(
    _ index: Int, at now: Int64, _ layout: HistoryLayout, to state: inout [Float]
  ) {
    let start = index * layout.stride
    let kept = min(count, layout.windows[index])
    let scale = kept > 0 ? 1 / Float(kept) : 0
    for statistic in layout.features.statistics {
      for behavior in 0..<layout.behaviorCount {
        let word = sums[start + behavior / 6]
        let count = Float(word >> UInt64(behavior % 6 * 10) & 0x3FF)
        state.append(statistic == .rate ? count * scale : count)
      }
    }
    let rest = start + layout.countWords
    for time in layout.features.times {
      switch time {
      case .playIntegrity:
        state.append(Float(sums[rest]) / PackedInteraction.integrityScale * scale)
      case .logWatchSeconds:
        state.append(Float(sums[rest + 1]) / PackedInteraction.logScale * scale)
      case .playSeconds: state.append(Float(sums[rest + 2]) / 1000 * scale)
      case .logSpanHours:
        guard kept > 0 else {
          state.append(0)
          continue
        }
        let oldest = times[position(age: kept - 1, layout)] >> 32
        state.append(cappedLogHours(hours(from: Int64(oldest) * 1000, now)))
      }
    }
  }

  private func appendDecayed(at now: Int64, _ layout: HistoryLayout, to state: inout [Float]) {
    let width = layout.behaviorCount + 1
    for (index, halfLife) in layout.halfLives.enumerated() {
      let start = index * width
      let total = decayed[start]
      for behavior in 1..<width {
        // Both decay alike, so their ratio holds until the next interaction.
        state.append(total > 0 ? Float(decayed[start + behavior] / total) : 0)
      }
      let elapsed = latestMilliseconds.map { max(Double(now - $0), 0) } ?? 0
      state.append(logarithm1p(Float(total * exponential2(-elapsed / halfLife))))
    }
  }
}

extension InteractionHistory {
  /// Writes everything but the sums and the topics' counts, which are those of the kept words.
  func write(to writer: inout ByteWriter) {
    writer.write(UInt64(totalCount))
    writer.write(latestMilliseconds)
    writer.write(ring.count, as: UInt32.self)
    writer.write(next, as: UInt32.self)
    writer.write(ring)
    writer.write(times)
    for number in decayed { writer.write(number) }
    for time in latest { writer.write(time) }
  }

  /// Reads what ``write(to:)`` wrote of a history with this layout, and counts its sums.
  init(_ reader: inout ByteReader, _ layout: HistoryLayout) throws(StoredBytesError) {
    self.init(layout)
    totalCount = try reader.readTotal("history.total")
    latestMilliseconds = try reader.readOptionalTime("history.latest")
    let kept = min(totalCount, layout.capacity)
    let count = try reader.readCount("history.count", in: kept...kept)
    let first = count < layout.capacity ? count : 0
    let last = count < layout.capacity ? count : max(layout.capacity - 1, 0)
    next = try reader.readCount("history.next", in: first...last)
    ring = try reader.readWords(count, "history.interactions")
    for word in ring { try Self.check(word, layout) }
    if layout.keepsTimes { times = try reader.readWords(count, "history.times") }
    for place in decayed.indices {
      let found = try reader.readDouble("history.decays")
      guard found.isFinite, found >= 0 else {
        throw StoredBytesError(
          part: "history.decays", expected: "a finite count", found: "\(found)")
      }
      decayed[place] = found
    }
    for place in latest.indices { latest[place] = try reader.readRecency("history.recency") }
    countKept(layout)
  }

  /// Counts the sums of all windows in one pass over the kept interactions, the latest first: a
  /// window's sums are those of all that came before its end.
  private mutating func countKept(_ layout: HistoryLayout) {
    // A window beside the others, which takes in everything.
    let all = sums.count
    sums += [UInt64](repeating: 0, count: layout.stride)
    for age in 0..<count {
      let place = position(age: age, layout)
      change(all, by: ring[place], layout.keepsTimes ? times[place] : 0, adding: true, layout)
      for (index, window) in layout.windows.enumerated()
      where age + 1 == window || age + 1 == count && count < window {
        for part in 0..<layout.stride { sums[index * layout.stride + part] = sums[all + part] }
      }
      if age < layout.topicWindow, let topic = PackedInteraction.topic(of: ring[place]) {
        topicCounts[topic] += 1
      }
    }
    sums.removeLast(layout.stride)
  }

  /// Checks that a word holds behaviors and a topic of this layout.
  private static func check(
    _ word: UInt64, _ layout: HistoryLayout
  ) throws(StoredBytesError) {
    guard (word & 0xFFFF) >> UInt64(layout.behaviorCount) == 0 else {
      throw StoredBytesError(
        part: "history.interactions", expected: "\(layout.behaviorCount) behaviors",
        found: "flags \(String(word & 0xFFFF, radix: 2))")
    }
    guard word >> 48 <= UInt64(layout.topicCount) else {
      throw StoredBytesError(
        part: "history.interactions", expected: "a topic up to \(layout.topicCount)",
        found: "\(word >> 48)")
    }
  }
}
