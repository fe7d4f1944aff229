/// The indices of the `count` largest fused scores, best first; equal scores by lower index.
///
/// Keeps a heap of `count` indices whose root is the worst kept, so most candidates cost one
/// comparison. Returns all indices in order if `count` exceeds their number. Scores must not be
/// NaN: `rankedCandidates` checks what comes from outside.
///
/// - Complexity: O(N + k·log k·log N) on shuffled scores, O(N·log k) at worst.
public func topCandidates(of fusedScores: [Float], count: Int) -> [Int] {
  precondition(count >= 0, "\(count) candidates asked for")
  let kept = min(count, fusedScores.count)
  guard kept > 0 else { return [] }

  func precedes(_ a: Int, _ b: Int) -> Bool {
    fusedScores[a] > fusedScores[b] || (fusedScores[a] == fusedScores[b] && a < b)
  }

  var heap = Array(0..<kept)

  func sink(_ start: Int, size: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < size else { return }
      if child + 1 < size, precedes(heap[child], heap[child + 1]) { child += 1 }
      guard precedes(heap[parent], heap[child]) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }

  for parent in stride(from: kept / 2 - 1, through: 0, by: -1) { sink(parent, size: kept) }
  for item in kept..<fusedScores.count where fusedScores[item] > fusedScores[heap[0]] {
    heap[0] = item
    sink(0, size: kept)
  }
  for end in stride(from: kept - 1, to: 0, by: -1) {
    heap.swapAt(0, end)
    sink(0, size: end)
  }
  return heap
}

extension FusionFormula {
  /// Checks scores and weights, fuses, and returns the best `count` candidates in order.
  ///
  /// Shapes: `weights` [K] → candidate indices, at most `count`.
  ///
  /// - Throws: `FusionError` for invalid weights or formula, and for a fused score that overflowed.
  public func rankedCandidates(
    _ scores: TaskScores, weights: [Float], count: Int
  ) throws(FusionError) -> [Int] {
    try validate(scores: scores.values, weights: weights, schema: scores.schema)
    let fused = fusedScores(candidates: scores.values, weights: weights)
    for (item, score) in fused.enumerated() where !score.isFinite {
      throw .fusedScoreNotFinite(item: item, found: score)
    }
    return topCandidates(of: fused, count: count)
  }
}
