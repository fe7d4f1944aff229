import DenseKernels
package import FusionMDP

/// The transitions of a data set as fits see them, gathered once for all policies that are evaluated on
/// it: a round of a fit then only picks rows.
///
/// It holds every state, so it is for data that fits in memory. Nothing but speed depends on it.
package struct NormalizedLog: Sendable {
  /// Normalized states: of the transitions [N, S], then those that follow a cut session.
  let states: Matrix
  /// The row of the state after each transition, [N]; a terminal transition names its own.
  let nextRows: [Int]
  /// Of the log, [N, A].
  let actions: Matrix
  /// Of the log, in reward units, [N].
  let rewards: [Float]
  /// 1 where the return goes on, 0 after a terminal step; [N].
  let bootstraps: [Float]

  /// At most this many transitions are read at once.
  private static let transitionsAtOnce = 4096

  /// All transitions of `data`.
  package init(_ data: any TransitionSource, normalizer: StateNormalizer) {
    let (count, size) = (data.transitionCount, data.stateSize)
    var states: [Float] = []
    var following: [Float] = []
    var nextRows: [Int] = []
    var actions: [Float] = []
    var rewards: [Float] = []
    var bootstraps: [Float] = []
    states.reserveCapacity(count * size)
    for start in stride(from: 0, to: count, by: Self.transitionsAtOnce) {
      let end = min(start + Self.transitionsAtOnce, count)
      // One more, whose state may be the last one's next.
      let batch = data.batch(at: Array(start..<min(end + 1, count)))
      let raw = batch.states
      for row in 0..<end - start {
        let next = batch.nextStates[row * size..<(row + 1) * size]
        if batch.bootstraps[row] == 0 {
          nextRows.append(start + row)
        } else if row + 1 < batch.count, next == raw[(row + 1) * size..<(row + 2) * size] {
          nextRows.append(start + row + 1)
        } else {
          nextRows.append(count + following.count / size)
          following += normalizer.normalized(Array(next))
        }
      }
      states += normalizer.normalized(Array(raw[..<((end - start) * size)]))
      actions += batch.actions[..<((end - start) * data.actionSize)]
      rewards += batch.rewards[..<(end - start)]
      bootstraps += batch.bootstraps[..<(end - start)]
    }
    states += following
    self.states = Matrix(rows: states.count / max(1, size), columns: size, values: states)
    self.nextRows = nextRows
    self.actions = Matrix(rows: count, columns: data.actionSize, values: actions)
    self.rewards = rewards
    self.bootstraps = bootstraps
  }
}
