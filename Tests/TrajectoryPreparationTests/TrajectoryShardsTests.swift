import DurableFiles
import FusionMDP
import SeededRandom
import SessionLogs
import Testing
import TrajectoryPreparation

@Suite("Trajectory shards")
struct TrajectoryShardsTests {
  /// Random sessions and the same in memory.
  private func trajectories(_ count: Int, seed: UInt64) -> [Trajectory] {
    var stream = RandomStream(seed: seed, name: "shards")
    return (0..<count).map { m in
      let steps = 1 + stream.index(below: 5)
      let truncated = stream.uniform() < 0.4
      return Trajectory(
        states: stream.gaussians(steps * 3),
        actions: (0..<steps * 2).map { _ in Float(stream.uniform(in: -1...1)) },
        rewards: stream.gaussians(steps), logPropensities: stream.gaussians(steps),
        end: truncated ? .truncated : .terminal,
        finalState: truncated ? stream.gaussians(3) : nil,
        startTimeMilliseconds: Int64(m * 10), userHash: stream.next())
    }
  }

  private func write(
    _ trajectories: [Trajectory], to path: String, withFinalStates: Bool = true,
    manifest: Bool = true
  ) throws {
    var offsets: [Int64] = [0]
    for trajectory in trajectories {
      offsets.append(offsets[offsets.count - 1] + Int64(trajectory.stepCount))
    }
    let rows = trajectories.reduce(0) { $0 + $1.stepCount }
    var tensors: [(String, Tensor)] = [
      ("states", Tensor(trajectories.flatMap(\.states), shape: [rows, 3])),
      ("actions", Tensor(trajectories.flatMap(\.actions), shape: [rows, 2])),
      ("rewards", Tensor(trajectories.flatMap(\.rewards))),
      ("log_propensities", Tensor(trajectories.flatMap { $0.logPropensities ?? [] })),
      ("session_offsets", Tensor(offsets)),
      ("session_end", Tensor(trajectories.map(\.end.rawValue))),
      ("start_time_ms", Tensor(trajectories.map(\.startTimeMilliseconds))),
      ("user_hash", Tensor(trajectories.map(\.userHash))),
    ]
    if withFinalStates {
      let finals = trajectories.flatMap { $0.finalState ?? [0, 0, 0] }
      tensors.append(("final_states", Tensor(finals, shape: [trajectories.count, 3])))
    }
    try Safetensors.write(tensors, metadata: [:], to: path)
  }

  private func expectEqual(_ found: some TransitionSource, _ expected: some TransitionSource) {
    #expect(found.transitionCount == expected.transitionCount)
    #expect(found.sessionCount == expected.sessionCount)
    let indices = Array((0..<expected.transitionCount).reversed()) + [0, 0]
    #expect(found.batch(at: indices) == expected.batch(at: indices))
    #expect(
      found.logPropensities(at: indices).map(\.bitPattern)
        == expected.logPropensities(at: indices).map(\.bitPattern))
    let sessions = Array(0..<expected.sessionCount)
    #expect(found.initialStates(of: sessions) == expected.initialStates(of: sessions))
    for m in sessions {
      #expect(found.session(m) == expected.session(m))
      #expect(found.sessionEnd(of: m) == expected.sessionEnd(of: m))
      #expect(found.userHash(of: m) == expected.userHash(of: m))
      #expect(found.startTimeMilliseconds(of: m) == expected.startTimeMilliseconds(of: m))
    }
  }

  @Test("a folder of several files reads as the same data in memory", arguments: [true, false])
  func sameAsMemory(withFinalStates: Bool) throws {
    let folder = try TemporaryFolder()
    var data = trajectories(60, seed: 5)
    if !withFinalStates { for index in data.indices { data[index].finalState = nil } }
    for (name, part) in [("a", 0..<17), ("b", 17..<18), ("c", 18..<60)] {
      try write(
        Array(data[part]), to: "\(folder.path)/\(name).safetensors",
        withFinalStates: withFinalStates)
    }
    try TrajectoryManifest().write(toFolder: folder.path)
    let shards = try TrajectoryShards(folder: folder.path)
    let memory = try TrajectoryArrays(data, stateSize: 3, actionSize: 2)
    expectEqual(shards, memory)
    #expect(shards.droppedSessionCount == memory.droppedSessionCount)
    #expect(withFinalStates || shards.droppedSessionCount > 0)
  }

  @Test("preparing with small files gives the same transitions as with one")
  func shardSizes() throws {
    let folder = try TemporaryFolder()
    var stream = RandomStream(seed: 8, name: "sizes")
    var requests: [Request] = []
    for user in 0..<30 {
      var time = stream.uniform(in: 0...500).rounded()
      for _ in 0..<9 {
        requests.append(Request("u\(user)", time))
        time += stream.uniform(in: 1...60)
      }
    }
    let log = try tinyLog(folder.path + "/log", windowEndMinutes: nil, requests)
    func run(_ size: Int) throws -> TrajectoryShards {
      let report = try TrajectoryPreparation.run(
        log: log, output: "\(folder.path)/out\(size)",
        configuration: PreparationConfiguration(
          trainFraction: 1, maximumShardTransitions: size, threads: size % 2 + 1))
      return try TrajectoryShards(folder: report.trainFolder)
    }
    let whole = try run(100_000)
    #expect(whole.manifest.shards?.count == 1)
    for size in [1, 7, 64] {
      let parts = try run(size)
      let files = try #require(parts.manifest.shards)
      #expect(files.count > 1)
      #expect(files.allSatisfy { $0.transitions <= size || $0.sessions == 1 })
      #expect(parts.manifest.transitions == whole.transitionCount)
      expectEqual(parts, whole)
    }
  }

  @Test("rewards follow the weights given when the folder is opened")
  func rewards() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000, [Request("u", 0, plays: [30, 90])])
    let out = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1)
    ).trainFolder
    // 2 minutes, integrity 0.3 + 0.9, two clicks, two "skips" as logged.
    let weighed = SatisfactionReward(weights: [
      .playMinutes: 1, .playIntegrity: 10, .click: 100, .skip: -1000,
    ])
    let reward = try TrajectoryShards(folder: out, reward: weighed).batch(at: [0]).rewards[0]
    #expect(abs(reward - (2 + 12 + 200 - 2000)) < 1e-3)
    let standard = try TrajectoryShards(folder: out)
    let signals = try #require(standard.feedback(at: 0))
    #expect(abs(standard.batch(at: [0]).rewards[0] - SatisfactionReward.standard(signals)) < 1e-6)
  }

  @Test("the log's states, actions and densities arrive unchanged")
  func content() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 10_000,
      [Request("u", 0), Request("u", 1), Request("u", 2)])
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1), provenance: ["log": "abc"])
    let shards = try TrajectoryShards(folder: report.trainFolder)
    let batch = shards.batch(at: [0, 1, 2])
    #expect(batch.actions == [-1, 0, 1])
    #expect(batch.bootstraps == [1, 1, 0])
    let propensities = shards.logPropensities(at: [0, 1, 2])
    #expect(propensities[0] == 0 && propensities[1].isNaN && propensities[2] == -2)
    #expect(shards.userHash(of: 0) == stableHash("u"))
    #expect(shards.manifest.sources == ["log": "abc"])
    #expect(shards.manifest.stateNames == ["request", "user"])
    #expect(shards.manifest.actionNames == ["click"])
    let file = try Safetensors.read(report.trainFolder + "/shard-00000.safetensors")
    #expect(
      file.names == [
        "actions", "feedback", "final_states", "item_counts", "log_propensities", "session_end",
        "session_offsets", "start_time_ms", "states", "user_hash",
      ])
    #expect(try file.tensor("item_counts").int64s() == [2, 2, 2])
  }

  @Test("any damage to a file gives a source or a typed error")
  func damaged() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/a.safetensors"
    try write(trajectories(5, seed: 2), to: file)
    try TrajectoryManifest().write(toFolder: folder.path)
    let good = try DurableFiles.read(file)
    var stream = RandomStream(seed: 9, name: "damage")
    var refused = 0
    for _ in 0..<200 {
      var bytes = good
      switch stream.index(below: 3) {
      case 0: bytes[stream.index(below: min(900, bytes.count))] = UInt8(stream.index(below: 256))
      case 1: bytes.removeLast(1 + stream.index(below: bytes.count - 1))
      default: bytes[stream.index(below: bytes.count)] = UInt8(stream.index(below: 256))
      }
      try DurableFiles.write(bytes, to: file)
      do {
        let shards = try TrajectoryShards(folder: folder.path)
        #expect(shards.batch(at: Array(0..<shards.transitionCount)).count > 0)
      } catch is PreparationError {
        refused += 1
      } catch is DurableFileError {
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  /// Expects that a small folder, changed so, is refused for this reason.
  private func refused(
    _ reason: String, manifest: TrajectoryManifest = TrajectoryManifest(),
    _ change: (inout [(String, Tensor)]) -> Void
  ) throws {
    let folder = try TemporaryFolder()
    var tensors: [(String, Tensor)] = [
      ("states", Tensor([Float](repeating: 0.5, count: 6), shape: [3, 2])),
      ("actions", Tensor([Float](repeating: 0.5, count: 3), shape: [3, 1])),
      ("rewards", Tensor([1, 2, 3] as [Float])),
      ("session_offsets", Tensor([0, 2, 3] as [Int64])),
      ("session_end", Tensor([0, 1] as [Int64])),
    ]
    change(&tensors)
    try Safetensors.write(tensors, metadata: [:], to: folder.path + "/a.safetensors")
    try manifest.write(toFolder: folder.path)
    let error = #expect(throws: PreparationError.self, "\(reason)") {
      try TrajectoryShards(folder: folder.path)
    }
    #expect(error?.description.contains(reason) == true, "\(reason): \(String(describing: error))")
  }

  private func with(_ name: String, _ tensor: Tensor) -> (inout [(String, Tensor)]) -> Void {
    { tensors in
      tensors.removeAll { $0.0 == name }
      tensors.append((name, tensor))
    }
  }

  @Test("a folder that cannot be used says which file, tensor, expected and found")
  func badFolders() throws {
    try refused(
      "a.safetensors: tensor “states”: float32 numbers expected, found F64",
      with("states", Tensor([1.0], shape: [1, 1])))
    try refused(
      "“actions”: the shape [3, n]", with("actions", Tensor([1, 2] as [Float], shape: [2, 1])))
    try refused(
      "“actions”, row 1, column 0: a number in [−1, 1] expected, found 1.5",
      with("actions", Tensor([0, 1.5, 0] as [Float], shape: [3, 1])))
    try refused(
      "“states”, row 2, column 1: a finite number expected, found nan",
      with("states", Tensor([0, 0, 0, 0, 0, .nan] as [Float], shape: [3, 2])))
    try refused(
      "“rewards”, row 1: a finite number", with("rewards", Tensor([0, .infinity, 0] as [Float])))
    try refused(
      "3 at the end expected, found 4", with("session_offsets", Tensor([0, 2, 4] as [Int64])))
    try refused(
      "at least 3 at 2 expected, found 1", with("session_offsets", Tensor([0, 3, 1] as [Int64])))
    try refused(
      "3 numbers, one more than sessions", with("session_offsets", Tensor([0, 3] as [Int64])))
    try refused(
      "0 (terminal) or 1 (truncated) at 0", with("session_end", Tensor([2, 0] as [Int64])))
    try refused("“session_end”: one such tensor expected") { $0.removeLast() }
    try refused("“feedback” or “rewards” expected") { $0.remove(at: 2) }
    let unknownDensity = Tensor([0, .nan, -.infinity] as [Float])
    try refused(
      "“log_propensities”, row 2: a finite number, or NaN for an unknown one expected, found -inf",
      with("log_propensities", unknownDensity))
    try refused("time order", with("start_time_ms", Tensor([5, 4] as [Int64])))
  }

  @Test("a folder that contradicts its manifest says what each of them has")
  func contradictions() throws {
    let feedback = Tensor([1, 2, 3] as [Float], shape: [3, 1])
    try refused("“signals” expected in the manifest") { $0[2] = ("feedback", feedback) }
    var manifest = TrajectoryManifest()
    manifest.signals = ["click"]
    try refused("the reward weighs “play_minutes”", manifest: manifest) {
      $0[2] = ("feedback", feedback)
    }
    manifest = TrajectoryManifest()
    manifest.stateNames = ["s"]
    try refused("“states”: 1 columns expected by the names", manifest: manifest) { _ in }
    manifest = TrajectoryManifest()
    manifest.actionNames = ["a", "b"]
    try refused("“actions”: 2 columns expected by the names", manifest: manifest) { _ in }
    for (rows, sessions, reason) in [(4, 2, "4 rows"), (3, 1, "1 sessions")] {
      manifest = TrajectoryManifest()
      manifest.shards = [.init(file: "a.safetensors", transitions: rows, sessions: sessions)]
      try refused("\(reason) expected by the manifest", manifest: manifest) { _ in }
    }
    manifest = TrajectoryManifest()
    manifest.version = 9
    try refused("layout version 1 expected, found 9", manifest: manifest) { _ in }
  }

  @Test("a manifest that cannot be read says where it is wrong")
  func badManifests() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/manifest.json"
    for (text, reason) in [
      ("{\"format\": \"amalgam trajectories\"}", "key 'version' is missing"),
      (
        "{\"format\": \"x\", \"version\": 1, \"shards\": [{\"file\": 7}]}",
        "shards[0].file: expected a text, found number"
      ),
      ("{\"format\": \"x\",\n,}", "manifest.json:2: not valid JSON"),
    ] {
      try DurableFiles.write(text, to: path)
      let error = #expect(throws: PreparationError.self) {
        try TrajectoryShards(folder: folder.path)
      }
      let message = error?.description ?? ""
      #expect(message.hasPrefix(path) && message.contains(reason), "\(message)")
      #expect(!message.contains("Context(") && !message.contains("CodingKeys"), "\(message)")
    }
    try DurableFiles.remove(folder.path + "/manifest.json")
    #expect(throws: PreparationError.self) { try TrajectoryShards(folder: folder.path) }
  }
}
