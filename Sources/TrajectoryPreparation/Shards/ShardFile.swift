import DurableFiles

/// One shard file: its tensors checked in shape and type, the large ones mapped.
struct ShardFile: Sendable {
  let path: String
  /// The rows of the file, N.
  let rowCount: Int
  let stateSize: Int
  let actionSize: Int
  let states: MappedFloats
  let actions: MappedFloats
  let rewards: MappedFloats?
  let feedback: MappedFloats?
  let logPropensities: MappedFloats?
  let finalStates: MappedFloats?
  /// Where session m begins [M + 1].
  let offsets: [Int]
  let ends: [UInt8]
  let startTimes: [Int64]
  let userHashes: [UInt64]

  var sessionCount: Int { ends.count }

  /// Opens a file.
  /// - Throws: `PreparationError.shards` naming the file, the tensor, expected and found.
  init(path: String) throws {
    self.path = path
    let file = try Safetensors.read(path)
    let reader = ShardReader(path: path, file: file)
    states = try reader.matrix("states")
    rowCount = states.shape[0]
    stateSize = states.shape[1]
    actions = try reader.matrix("actions", rows: rowCount)
    actionSize = actions.shape[1]
    rewards = file.contains("rewards") ? try reader.vector("rewards", count: rowCount) : nil
    feedback =
      rewards == nil && file.contains("feedback")
      ? try reader.matrix("feedback", rows: rowCount) : nil
    if rewards == nil && feedback == nil {
      throw PreparationError.shards(path: path, "“feedback” or “rewards” expected, found neither")
    }
    logPropensities =
      file.contains("log_propensities")
      ? try reader.vector("log_propensities", count: rowCount) : nil
    let offsets = try reader.integers("session_offsets")
    let ends = try reader.integers("session_end")
    try reader.check(offsets: offsets, ends: ends, rowCount: rowCount)
    self.offsets = offsets.map { Int($0) }
    self.ends = ends.map { UInt8($0) }
    finalStates =
      file.contains("final_states")
      ? try reader.matrix("final_states", rows: ends.count, columns: stateSize) : nil
    startTimes =
      file.contains("start_time_ms")
      ? try reader.integers("start_time_ms", count: ends.count)
      : [Int64](repeating: 0, count: ends.count)
    userHashes =
      file.contains("user_hash")
      ? try reader.hashes("user_hash", count: ends.count)
      : [UInt64](repeating: 0, count: ends.count)
  }

  /// The lengths of the lists [N], read when they are asked for; nil where the file has none.
  /// - Throws: `PreparationError.shards`.
  func itemCounts() throws -> [Int]? {
    let file = try Safetensors.read(path)
    guard file.contains("item_counts") else { return nil }
    return try ShardReader(path: path, file: file).integers("item_counts", count: rowCount)
      .map { Int($0) }
  }
}

/// Reads tensors and says what is wrong with them.
private struct ShardReader {
  let path: String
  let file: SafetensorsFile

  private func fail(_ name: String, _ expected: String, _ found: String) -> PreparationError {
    .shards(path: path, "tensor “\(name)”: \(expected) expected, found \(found)")
  }

  private func require(_ name: String) throws {
    if !file.contains(name) {
      throw fail(name, "one such tensor", "only \(file.names.joined(separator: ", "))")
    }
  }

  private func floats(_ name: String) throws -> MappedFloats {
    try require(name)
    do {
      return try file.mappedFloats(name)
    } catch {
      let element = try? file.tensor(name).element
      throw fail(name, "float32 numbers", element?.rawValue ?? "\(error)")
    }
  }

  func matrix(_ name: String, rows: Int? = nil, columns: Int? = nil) throws -> MappedFloats {
    let values = try floats(name)
    let expected = "[\(rows.map(String.init) ?? "N"), \(columns.map(String.init) ?? "n")]"
    guard values.shape.count == 2, values.shape[1] > 0, rows == nil || values.shape[0] == rows,
      columns == nil || values.shape[1] == columns
    else { throw fail(name, "the shape \(expected)", "\(values.shape)") }
    return values
  }

  func vector(_ name: String, count: Int) throws -> MappedFloats {
    let values = try floats(name)
    guard values.shape == [count] else {
      throw fail(name, "the shape [\(count)]", "\(values.shape)")
    }
    return values
  }

  /// Integers of any of the usual types: NumPy's default is int64.
  func integers(_ name: String, count: Int? = nil) throws -> [Int64] {
    try require(name)
    let tensor = try file.tensor(name)
    let values: [Int64]
    switch tensor.element {
    case .int64: values = try tensor.int64s(name)
    case .int32: values = try tensor.int32s(name).map(Int64.init)
    case .uint8: values = try tensor.uint8s(name).map(Int64.init)
    case .uint64: values = try tensor.uint64s(name).map { Int64(clamping: $0) }
    default: throw fail(name, "integers", tensor.element.rawValue)
    }
    guard tensor.shape.count == 1, count == nil || tensor.shape[0] == count else {
      throw fail(name, "the shape [\(count.map(String.init) ?? "n")]", "\(tensor.shape)")
    }
    return values
  }

  func hashes(_ name: String, count: Int) throws -> [UInt64] {
    let tensor = try file.tensor(name)
    if tensor.element == .uint64 && tensor.shape == [count] { return try tensor.uint64s(name) }
    return try integers(name, count: count).map { UInt64(bitPattern: $0) }
  }

  func check(offsets: [Int64], ends: [Int64], rowCount: Int) throws {
    guard offsets.count == ends.count + 1 else {
      throw fail(
        "session_offsets", "\(ends.count + 1) numbers, one more than sessions", "\(offsets.count)")
    }
    if offsets[0] != 0 { throw fail("session_offsets", "0 at the beginning", "\(offsets[0])") }
    for index in 1..<offsets.count where offsets[index] < offsets[index - 1] {
      throw fail(
        "session_offsets", "at least \(offsets[index - 1]) at \(index)", "\(offsets[index])")
    }
    if offsets[offsets.count - 1] != rowCount {
      throw fail("session_offsets", "\(rowCount) at the end", "\(offsets[offsets.count - 1])")
    }
    for (index, end) in ends.enumerated() where end != 0 && end != 1 {
      throw fail("session_end", "0 (terminal) or 1 (truncated) at \(index)", "\(end)")
    }
  }
}
