/// How often each behavior followed an impression, per entity (user, video, tag …).
///
/// A row holds n, the count of impressions, and for each of K tasks the sum of its labels.
struct RateTable: Sendable, Equatable {
  let taskCount: Int
  private var sums: [Float]

  init(slots: Int, taskCount: Int) {
    self.taskCount = taskCount
    sums = [Float](repeating: 0, count: slots * (taskCount + 1))
  }

  /// n of an entity.
  func count(_ slot: Int) -> Float { sums[slot * (taskCount + 1)] }

  /// The sum of the labels of a task.
  func sum(_ slot: Int, _ task: Int) -> Float { sums[slot * (taskCount + 1) + 1 + task] }

  /// (s + p·κ) / (n + κ): the rate of a task, drawn toward `prior` p with the weight of κ
  /// impressions.
  func smoothedMean(_ slot: Int, _ task: Int, prior: Float, strength: Float) -> Float {
    (sum(slot, task) + prior * strength) / (count(slot) + strength)
  }

  /// (s + p·κ) / (n − s + (1 − p)·κ): the odds of the smoothed rate.
  func smoothedOdds(_ slot: Int, _ task: Int, prior: Float, strength: Float) -> Float {
    let hits = sum(slot, task)
    return (hits + prior * strength) / (count(slot) - hits + (1 - prior) * strength)
  }

  /// Counts an impression with its labels [K].
  mutating func add(_ labels: ArraySlice<Float>, to slot: Int) {
    let start = slot * (taskCount + 1)
    sums[start] += 1
    for (k, label) in labels.enumerated() { sums[start + 1 + k] += label }
  }

  /// Adds a row of zeros and gives its slot.
  mutating func appendSlot() -> Int {
    let slot = sums.count / (taskCount + 1)
    for _ in 0...taskCount { sums.append(0) }
    return slot
  }
}

/// Rates of pairs of entities, of which few occur. Slot 0 is the pair never seen.
struct SparseRateTable: Sendable, Equatable {
  private(set) var table: RateTable
  private var slots: [Int: Int] = [:]

  init(taskCount: Int) { table = RateTable(slots: 1, taskCount: taskCount) }

  /// The slot of a key, 0 if it was never counted.
  func slot(_ key: Int) -> Int { slots[key] ?? 0 }

  /// Counts an impression with its labels [K].
  mutating func add(_ labels: ArraySlice<Float>, to key: Int) {
    if let slot = slots[key] {
      table.add(labels, to: slot)
    } else {
      let slot = table.appendSlot()
      slots[key] = slot
      table.add(labels, to: slot)
    }
  }
}
