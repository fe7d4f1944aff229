import DurableFiles
public import FusionMDP

/// A folder of trajectory shards as a source of transitions.
///
/// States and actions stay in the files, mapped into memory; per transition only its reward and
/// its session's number are kept. Rewards are computed when the folder is opened, from `feedback`
/// and a reward's weights, so that another reward needs no other preparation.
///
/// The folder can come from anywhere; five lines of Python write one:
///
///     from safetensors.numpy import save_file
///     import json
///     save_file({"states": s, "actions": a, "rewards": r,           # float32 [N,S] [N,A] [N]
///                "session_offsets": o, "session_end": e}, "d/0.safetensors")    # [M+1] [M]
///     json.dump({"format": "amalgam trajectories", "version": 1}, open("d/manifest.json", "w"))
public struct TrajectoryShards: TransitionSource {
  /// The folder.
  public let folder: String
  /// What the folder says of itself.
  public let manifest: TrajectoryManifest
  /// The number of transitions.
  public let transitionCount: Int
  /// The size of a state, S.
  public let stateSize: Int
  /// The size of an action, A.
  public let actionSize: Int
  /// Sessions without a transition, which are no part of the source.
  public let droppedSessionCount: Int

  private let shards: [ShardFile]
  /// Rewards [transitionCount].
  private let rewards: [Float]
  /// Where each session's transitions begin [M + 1].
  private let offsets: [Int]
  private let sessions: [SessionPlace]
  /// Each transition's session.
  private let sessionNumbers: [UInt32]

  /// Where a session stands.
  private struct SessionPlace {
    var shard: Int32
    /// Its number in the shard.
    var index: Int32
    /// The row of its first transition in the shard, less the number of that transition.
    var shift: Int
    /// Whether the state after its last transition is the next row, and not the final state.
    var endsAtRow: Bool
  }

  /// Opens a folder.
  ///
  /// - Parameters:
  ///   - reward: turns `feedback` into rewards; not asked where the files hold `rewards`.
  ///   - checkingValues: whether to look at every number once: states and rewards must be finite,
  ///     actions within [−1, 1].
  /// - Throws: `PreparationError.shards` naming the file and tensor; `DurableFileError`.
  /// - Complexity: O(numbers), one pass over the files.
  public init(
    folder: String, reward: SatisfactionReward = .standard, checkingValues: Bool = true
  ) throws {
    self.folder = folder
    manifest = try TrajectoryManifest(readingFolder: folder)
    shards = try TrajectoryShards.open(folder, manifest)
    stateSize = shards[0].stateSize
    actionSize = shards[0].actionSize
    var loading = Loading()
    for (number, shard) in shards.enumerated() {
      try loading.add(
        shard, number, terms: try TrajectoryShards.terms(shard, manifest, reward))
      if checkingValues { try TrajectoryShards.checkValues(shard) }
    }
    guard !loading.rewards.isEmpty else {
      throw PreparationError.shards(path: folder, "there is no transition in it")
    }
    rewards = loading.rewards
    offsets = loading.offsets
    sessions = loading.sessions
    sessionNumbers = loading.sessionNumbers
    droppedSessionCount = loading.droppedSessionCount
    transitionCount = loading.rewards.count
  }

  private static func open(
    _ folder: String, _ manifest: TrajectoryManifest
  ) throws -> [ShardFile] {
    let names =
      try manifest.shards?.map(\.file)
      ?? DurableFiles.names(inFolder: folder).filter { $0.hasSuffix(".safetensors") }.sorted()
    let shards = try names.map { try ShardFile(path: folder + "/" + $0) }
    guard let first = shards.first else {
      throw PreparationError.shards(path: folder, "there is no safetensors file in it")
    }
    for (what, names, columns) in [
      ("states", manifest.stateNames, first.stateSize),
      ("actions", manifest.actionNames, first.actionSize),
    ] {
      if let names, names.count != columns {
        throw PreparationError.shards(
          path: first.path,
          "tensor “\(what)”: \(names.count) columns expected by the names in the manifest, found "
            + "\(columns)")
      }
    }
    for (index, shard) in shards.enumerated() {
      for (what, expected, found) in [
        ("states", first.stateSize, shard.stateSize),
        ("actions", first.actionSize, shard.actionSize),
      ] where expected != found {
        throw PreparationError.shards(
          path: shard.path,
          "tensor “\(what)”: \(expected) columns expected as in \(first.path), found \(found)")
      }
      guard let listed = manifest.shards?[index] else { continue }
      for (what, expected, found) in [
        ("rows", listed.transitions, shard.rowCount),
        ("sessions", listed.sessions, shard.sessionCount),
      ] where expected != found {
        throw PreparationError.shards(
          path: shard.path, "\(expected) \(what) expected by the manifest, found \(found)")
      }
    }
    return shards
  }

  /// A feedback column's weight, and what is done with its numbers before.
  private typealias Term = (weight: Float, transform: SignalTransform?)

  /// The reward's term of each feedback column; nil where the file holds rewards.
  private static func terms(
    _ shard: ShardFile, _ manifest: TrajectoryManifest, _ reward: SatisfactionReward
  ) throws -> [Term]? {
    guard let feedback = shard.feedback else { return nil }
    guard let signals = manifest.signals else {
      throw PreparationError.shards(
        path: shard.path, "“signals” expected in the manifest, as there is “feedback”")
    }
    guard signals.count == feedback.shape[1] else {
      throw PreparationError.shards(
        path: shard.path,
        "tensor “feedback”: \(signals.count) columns expected by the manifest's signals, "
          + "found \(feedback.shape[1])")
    }
    for name in reward.weighedNames where !signals.contains(name) {
      throw PreparationError.shards(
        path: shard.path,
        "the reward weighs “\(name)”, but the signals are " + signals.joined(separator: ", "))
    }
    return signals.map { reward.term(named: $0) }
  }

  private static func checkValues(_ shard: ShardFile) throws {
    func check(
      _ values: MappedFloats, _ name: String, _ expected: String, _ holds: (Float) -> Bool
    ) throws {
      var buffer = [Float](repeating: 0, count: min(values.count, 1 << 16))
      var start = 0
      while start < values.count {
        let count = min(buffer.count, values.count - start)
        values.copy(start..<start + count, into: &buffer, at: 0)
        for index in 0..<count where !holds(buffer[index]) {
          let width = values.shape.count > 1 ? values.shape[1] : 1
          let place = start + index
          let column = values.shape.count > 1 ? ", column \(place % width)" : ""
          throw PreparationError.shards(
            path: shard.path,
            "tensor “\(name)”, row \(place / width)\(column): \(expected) expected, found "
              + "\(buffer[index])")
        }
        start += count
      }
    }
    try check(shard.states, "states", "a finite number") { abs($0) < .infinity }
    try check(shard.actions, "actions", "a number in [−1, 1]") { abs($0) <= 1 }
    if let final = shard.finalStates {
      try check(final, "final_states", "a finite number") { abs($0) < .infinity }
    }
    if let densities = shard.logPropensities {
      try check(densities, "log_propensities", "a finite number, or NaN for an unknown one") {
        $0.isNaN || $0.isFinite
      }
    }
  }

  // MARK: Loading

  /// What is gathered while the shards are read.
  private struct Loading {
    var rewards: [Float] = []
    var offsets = [0]
    var sessions: [SessionPlace] = []
    var sessionNumbers: [UInt32] = []
    var droppedSessionCount = 0
    private var lastStart = Int64.min

    mutating func add(_ shard: ShardFile, _ number: Int, terms: [Term]?) throws {
      let rowRewards = try shard.rewards.map { try finite($0.array(), shard, "rewards") }
      for m in 0..<shard.sessionCount {
        if shard.startTimes[m] < lastStart {
          throw PreparationError.shards(
            path: shard.path,
            "tensor “start_time_ms”: \(lastStart) or later expected at \(m), as sessions stand in "
              + "time order, found \(shard.startTimes[m])")
        }
        lastStart = shard.startTimes[m]
        let isTruncated = shard.ends[m] == SessionEnd.truncated.rawValue
        let endsAtRow = isTruncated && shard.finalStates == nil
        let count = shard.offsets[m + 1] - shard.offsets[m] - (endsAtRow ? 1 : 0)
        guard count > 0 else {
          droppedSessionCount += 1
          continue
        }
        let first = shard.offsets[m]
        sessions.append(
          SessionPlace(
            shard: Int32(number), index: Int32(m), shift: first - rewards.count,
            endsAtRow: endsAtRow))
        sessionNumbers += repeatElement(UInt32(sessions.count - 1), count: count)
        if let rowRewards {
          rewards += rowRewards[first..<first + count]
        } else if let terms, let feedback = shard.feedback {
          try appendRewards(first..<first + count, feedback, terms, shard)
        }
        offsets.append(rewards.count)
      }
    }

    /// r = Σ_i w_i · v_i (paper, eq. 2) for these rows.
    private mutating func appendRewards(
      _ rows: Range<Int>, _ feedback: MappedFloats, _ terms: [Term], _ shard: ShardFile
    ) throws {
      let width = terms.count
      var values = [Float](repeating: 0, count: rows.count * width)
      feedback.copy(
        rows.lowerBound * width..<rows.upperBound * width, into: &values, at: 0)
      for row in 0..<rows.count {
        var sum: Float = 0
        for (column, term) in terms.enumerated() {
          let value = values[row * width + column]
          sum += term.weight * (term.transform.map { $0(value) } ?? value)
        }
        guard sum.isFinite else {
          throw PreparationError.shards(
            path: shard.path,
            "tensor “feedback”, row \(rows.lowerBound + row): finite numbers expected, found "
              + "\(values[row * width..<(row + 1) * width])")
        }
        rewards.append(sum)
      }
    }

    private func finite(
      _ values: [Float], _ shard: ShardFile, _ name: String
    ) throws -> [Float] {
      if let row = values.firstIndex(where: { !$0.isFinite }) {
        throw PreparationError.shards(
          path: shard.path,
          "tensor “\(name)”, row \(row): a finite number expected, found \(values[row])")
      }
      return values
    }
  }
}

extension TrajectoryShards {
  /// The number of sessions, M.
  public var sessionCount: Int { sessions.count }

  /// The transitions of session `m`, never empty.
  public func session(_ m: Int) -> Range<Int> { offsets[m]..<offsets[m + 1] }

  /// The transitions at these indices, in their order, repeats allowed.
  /// - Complexity: O(indices · (S + A)).
  public func batch(at indices: [Int]) -> TransitionBatch {
    let (S, A, B) = (stateSize, actionSize, indices.count)
    var batchStates = [Float](repeating: 0, count: B * S)
    var batchActions = [Float](repeating: 0, count: B * A)
    var batchRewards = [Float](repeating: 0, count: B)
    var nextStates = [Float](repeating: 0, count: B * S)
    var bootstraps = [Float](repeating: 1, count: B)
    for (b, index) in indices.enumerated() {
      let m = Int(sessionNumbers[index])
      let place = sessions[m]
      let shard = shards[Int(place.shard)]
      let row = index + place.shift
      shard.states.copy(row * S..<(row + 1) * S, into: &batchStates, at: b * S)
      shard.actions.copy(row * A..<(row + 1) * A, into: &batchActions, at: b * A)
      batchRewards[b] = rewards[index]
      if index + 1 < offsets[m + 1] || place.endsAtRow {
        shard.states.copy((row + 1) * S..<(row + 2) * S, into: &nextStates, at: b * S)
      } else if shard.ends[Int(place.index)] == SessionEnd.truncated.rawValue,
        let final = shard.finalStates
      {
        let start = Int(place.index) * S
        final.copy(start..<start + S, into: &nextStates, at: b * S)
      } else {
        bootstraps[b] = 0
      }
    }
    return TransitionBatch(
      stateSize: S, actionSize: A, states: batchStates, actions: batchActions,
      rewards: batchRewards, nextStates: nextStates, bootstraps: bootstraps)
  }

  /// The first states of these sessions [n·S].
  public func initialStates(of selected: [Int]) -> [Float] {
    var states = [Float](repeating: 0, count: selected.count * stateSize)
    for (position, m) in selected.enumerated() {
      let place = sessions[m]
      let row = offsets[m] + place.shift
      shards[Int(place.shard)].states.copy(
        row * stateSize..<(row + 1) * stateSize, into: &states, at: position * stateSize)
    }
    return states
  }

  /// The logged log densities, in nats, at these transitions [n]; NaN if unknown.
  public func logPropensities(at indices: [Int]) -> [Float] {
    indices.map { index in
      let place = sessions[Int(sessionNumbers[index])]
      return shards[Int(place.shard)].logPropensities?[index + place.shift] ?? .nan
    }
  }

  /// When session `m` began, in milliseconds since 1970.
  public func startTimeMilliseconds(of m: Int) -> Int64 {
    shards[Int(sessions[m].shard)].startTimes[Int(sessions[m].index)]
  }

  /// The stable hash of the user of session `m`.
  public func userHash(of m: Int) -> UInt64 {
    shards[Int(sessions[m].shard)].userHashes[Int(sessions[m].index)]
  }

  /// How the record of session `m` ends.
  public func sessionEnd(of m: Int) -> SessionEnd {
    let place = sessions[m]
    return shards[Int(place.shard)].ends[Int(place.index)] == SessionEnd.truncated.rawValue
      ? .truncated : .terminal
  }

  /// The length of each transition's list [N], if every shard holds them.
  /// - Throws: `PreparationError.shards` naming the file and the tensor.
  public func itemCounts() throws -> [Int]? {
    var known: [[Int]] = []
    for shard in shards {
      guard let counts = try shard.itemCounts() else { return nil }
      known.append(counts)
    }
    return (0..<transitionCount).map { index in
      let place = sessions[Int(sessionNumbers[index])]
      return known[Int(place.shard)][index + place.shift]
    }
  }

  /// The feedback [V] at a transition, if the folder holds feedback.
  public func feedback(at index: Int) -> [Float]? {
    let place = sessions[Int(sessionNumbers[index])]
    guard let feedback = shards[Int(place.shard)].feedback else { return nil }
    let width = feedback.shape[1]
    let row = index + place.shift
    var values = [Float](repeating: 0, count: width)
    feedback.copy(row * width..<(row + 1) * width, into: &values, at: 0)
    return values
  }
}
