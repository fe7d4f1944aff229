import DurableFiles

/// Gathers sessions and writes them as shard files of one folder.
///
/// Shapes of a file: N transitions, M sessions, S state features, A weights, V signals.
struct ShardWriter {
  /// One request as it comes from the log.
  struct Step {
    var state: ArraySlice<Float>
    var action: ArraySlice<Float>
    var logPropensity: Float
    var itemCount: Int64
    var signals: [Float]
  }

  private let folder: String
  private let stateSize: Int
  private let actionSize: Int
  private let signalCount: Int
  private let maximumTransitions: Int

  private var states: [Float] = []
  private var actions: [Float] = []
  private var feedback: [Float] = []
  private var logPropensities: [Float] = []
  private var itemCounts: [Int64] = []
  private var offsets: [Int64] = [0]
  private var ends: [UInt8] = []
  private var finalStates: [Float] = []
  private var startTimes: [Int64] = []
  private var userHashes: [UInt64] = []

  private(set) var shards: [TrajectoryManifest.Shard] = []

  init(
    folder: String, stateSize: Int, actionSize: Int, signalCount: Int, maximumTransitions: Int
  ) {
    self.folder = folder
    self.stateSize = stateSize
    self.actionSize = actionSize
    self.signalCount = signalCount
    self.maximumTransitions = maximumTransitions
  }

  /// Adds a transition to the session that is being gathered.
  mutating func add(_ step: Step) {
    states += step.state
    actions += step.action
    feedback += step.signals
    logPropensities.append(step.logPropensity)
    itemCounts.append(step.itemCount)
  }

  /// Ends the session.
  /// - Parameter finalState: where a truncated session goes on; nil for a terminal one.
  mutating func endSession(
    startTimeMilliseconds: Int64, userHash: UInt64, finalState: ArraySlice<Float>?
  ) throws {
    ends.append(finalState == nil ? 0 : 1)
    if let finalState {
      finalStates += finalState
    } else {
      finalStates += [Float](repeating: 0, count: stateSize)
    }
    startTimes.append(startTimeMilliseconds)
    userHashes.append(userHash)
    let end = logPropensities.count
    if end > maximumTransitions && offsets.count > 1 { try writeShard(sessions: ends.count - 1) }
    offsets.append(Int64(logPropensities.count))
    if logPropensities.count >= maximumTransitions { try writeShard(sessions: ends.count) }
  }

  /// Writes what is left.
  mutating func finish() throws {
    if !ends.isEmpty { try writeShard(sessions: ends.count) }
  }

  /// Writes the first `sessions` sessions gathered and forgets them.
  private mutating func writeShard(sessions: Int) throws {
    let rows = Int(offsets[sessions])
    let number = String(shards.count)
    let padding = String(repeating: "0", count: max(0, 5 - number.count))
    let name = "shard-\(padding)\(number).safetensors"
    func prefix<Element>(_ values: [Element], _ count: Int) -> [Element] {
      count == values.count ? values : Array(values[..<count])
    }
    try Safetensors.write(
      [
        ("states", Tensor(prefix(states, rows * stateSize), shape: [rows, stateSize])),
        ("actions", Tensor(prefix(actions, rows * actionSize), shape: [rows, actionSize])),
        ("feedback", Tensor(prefix(feedback, rows * signalCount), shape: [rows, signalCount])),
        ("log_propensities", Tensor(prefix(logPropensities, rows))),
        ("item_counts", Tensor(prefix(itemCounts, rows))),
        ("session_offsets", Tensor(prefix(offsets, sessions + 1))),
        ("session_end", Tensor(prefix(ends, sessions))),
        (
          "final_states",
          Tensor(prefix(finalStates, sessions * stateSize), shape: [sessions, stateSize])
        ),
        ("start_time_ms", Tensor(prefix(startTimes, sessions))),
        ("user_hash", Tensor(prefix(userHashes, sessions))),
      ], metadata: ["format": TrajectoryManifest.formatName], to: folder + "/" + name)
    shards.append(TrajectoryManifest.Shard(file: name, transitions: rows, sessions: sessions))
    states.removeFirst(rows * stateSize)
    actions.removeFirst(rows * actionSize)
    feedback.removeFirst(rows * signalCount)
    logPropensities.removeFirst(rows)
    itemCounts.removeFirst(rows)
    ends.removeFirst(sessions)
    finalStates.removeFirst(sessions * stateSize)
    startTimes.removeFirst(sessions)
    userHashes.removeFirst(sessions)
    offsets = [0] + offsets[(sessions + 1)...].map { $0 - Int64(rows) }
  }
}
