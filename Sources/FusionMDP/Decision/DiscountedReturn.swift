/// The discounted return of a session from its first step.
///
///     G_0 = Σ_t γ^t · r_t
///
/// Shapes: `rewards` [T]. Accumulates in `Double`.
public func discountedReturn(of rewards: [Float], discount: Double) -> Double {
  var value = 0.0
  for reward in rewards.reversed() { value = Double(reward) + discount * value }
  return value
}

/// The discounted return from every step: G_t = r_t + γ · G_{t+1}.
///
/// Shapes: `rewards` [T] → [T].
public func discountedReturns(of rewards: [Float], discount: Double) -> [Double] {
  var values = [Double](repeating: 0, count: rewards.count)
  var following = 0.0
  for step in rewards.indices.reversed() {
    following = Double(rewards[step]) + discount * following
    values[step] = following
  }
  return values
}
