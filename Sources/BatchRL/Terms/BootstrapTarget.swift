/// The regression target of the critics (paper, eq. 7).
///
///     y = r + γ · c · max_{a'} [ λ·min_j Q_φ'j(s', a') + (1 − λ)·max_j Q_φ'j(s', a') ]
///
/// over n candidates a' a state; λ = 1 is the paper's; c is 0 after a terminal step, which has no
/// bootstrap, and 1 after any other, the last one of a truncated session included.
package enum BootstrapTarget {
  /// The value of each next state: the best candidate's blend of the two critics.
  ///
  /// Shapes: firstValues, secondValues [B·n], the n candidates of a state side by side → [B].
  package static func stateValues(
    firstValues: [Float], secondValues: [Float], candidates: Int, minimumWeight: Float
  ) -> [Float] {
    precondition(
      candidates > 0 && firstValues.count == secondValues.count
        && firstValues.count.isMultiple(of: candidates),
      "\(firstValues.count) and \(secondValues.count) values for \(candidates) candidates a state")
    var result = [Float](repeating: 0, count: firstValues.count / candidates)
    for state in result.indices {
      var best = -Float.infinity
      var sawNaN = false
      for i in state * candidates..<(state + 1) * candidates {
        let (first, second) = (firstValues[i], secondValues[i])
        let lower = min(first, second)
        let upper = max(first, second)
        let blend =
          minimumWeight == 1 ? lower : minimumWeight * lower + (1 - minimumWeight) * upper
        if blend > best { best = blend }
        if first.isNaN || second.isNaN { sawNaN = true }
      }
      result[state] = sawNaN ? .nan : best
    }
    return result
  }

  /// y of each transition.
  ///
  /// Shapes: rewards r, bootstraps c, stateValues [B] → [B]. Where c is 0, the next state does
  /// not count, whatever its value.
  package static func targets(
    rewards: [Float], bootstraps: [Float], stateValues: [Float], discount: Float
  ) -> [Float] {
    precondition(
      rewards.count == bootstraps.count && rewards.count == stateValues.count,
      "\(rewards.count) rewards, \(bootstraps.count) bootstraps, \(stateValues.count) values")
    return rewards.indices.map { i in
      bootstraps[i] == 0 ? rewards[i] : rewards[i] + discount * bootstraps[i] * stateValues[i]
    }
  }
}
