package import FusionMDP
package import SeededRandom

/// A queue of transitions of fixed size: each one put in beyond its capacity replaces the oldest
/// (paper, 3.2).
///
/// Transitions are numbered from the oldest, 0, on. What is drawn depends on that order and not
/// on where a transition lies in memory, so that a queue refilled from a checkpoint gives the
/// same batches.
package struct ReplayBuffer: Sendable {
  /// The largest number of transitions held.
  package let capacity: Int
  /// The size of a state, S.
  package let stateSize: Int
  /// The size of an action, A.
  package let actionSize: Int
  /// The number of transitions held.
  package private(set) var count = 0

  /// Where the oldest transition lies.
  private var first = 0
  private var states: [Float]
  private var actions: [Float]
  private var rewards: [Float]
  private var nextStates: [Float]
  private var bootstraps: [Float]
  private var sourceIndices: [Int]

  /// An empty queue; its memory is taken at once.
  package init(capacity: Int, stateSize: Int, actionSize: Int) {
    precondition(capacity > 0, "a replay buffer for \(capacity) transitions")
    self.capacity = capacity
    self.stateSize = stateSize
    self.actionSize = actionSize
    states = [Float](repeating: 0, count: capacity * stateSize)
    actions = [Float](repeating: 0, count: capacity * actionSize)
    rewards = [Float](repeating: 0, count: capacity)
    nextStates = [Float](repeating: 0, count: capacity * stateSize)
    bootstraps = [Float](repeating: 0, count: capacity)
    sourceIndices = [Int](repeating: -1, count: capacity)
  }

  /// Puts transitions in, one after another.
  ///
  /// - Parameter indices: where each comes from in the source, for messages and checkpoints [B].
  package mutating func append(_ batch: TransitionBatch, from indices: [Int]) {
    precondition(
      batch.stateSize == stateSize && batch.actionSize == actionSize
        && indices.count == batch.count,
      """
      \(batch.count) transitions of sizes \(batch.stateSize), \(batch.actionSize) with \
      \(indices.count) indices for a replay buffer of sizes \(stateSize), \(actionSize)
      """)
    for row in 0..<batch.count {
      let slot = slot(of: count)
      copy(batch.states, row, to: &states, slot, width: stateSize)
      copy(batch.actions, row, to: &actions, slot, width: actionSize)
      copy(batch.nextStates, row, to: &nextStates, slot, width: stateSize)
      rewards[slot] = batch.rewards[row]
      bootstraps[slot] = batch.bootstraps[row]
      sourceIndices[slot] = indices[row]
      if count < capacity { count += 1 } else { first = (first + 1) % capacity }
    }
  }

  /// Numbers of transitions drawn uniformly, with replacement.
  package func sample(_ size: Int, using stream: inout RandomStream) -> [Int] {
    precondition(count > 0, "a draw from an empty replay buffer")
    return stream.indices(below: count, count: size)
  }

  /// The transitions of these numbers, 0 being the oldest.
  package func batch(at numbers: [Int]) -> TransitionBatch {
    var result = TransitionBatch(
      stateSize: stateSize, actionSize: actionSize,
      states: [Float](repeating: 0, count: numbers.count * stateSize),
      actions: [Float](repeating: 0, count: numbers.count * actionSize),
      rewards: [Float](repeating: 0, count: numbers.count),
      nextStates: [Float](repeating: 0, count: numbers.count * stateSize),
      bootstraps: [Float](repeating: 0, count: numbers.count))
    for (row, number) in numbers.enumerated() {
      precondition(number >= 0 && number < count, "transition \(number) of \(count)")
      let slot = slot(of: number)
      copy(states, slot, to: &result.states, row, width: stateSize)
      copy(actions, slot, to: &result.actions, row, width: actionSize)
      copy(nextStates, slot, to: &result.nextStates, row, width: stateSize)
      result.rewards[row] = rewards[slot]
      result.bootstraps[row] = bootstraps[slot]
    }
    return result
  }

  /// Where these transitions come from in the source.
  package func sourceIndices(of numbers: [Int]) -> [Int] {
    numbers.map { sourceIndices[slot(of: $0)] }
  }

  private func slot(of number: Int) -> Int {
    let slot = first + number
    return slot < capacity ? slot : slot - capacity
  }

  private func copy(
    _ source: [Float], _ sourceRow: Int, to target: inout [Float], _ targetRow: Int, width: Int
  ) {
    let (from, to) = (sourceRow * width, targetRow * width)
    for column in 0..<width { target[to + column] = source[from + column] }
  }
}
