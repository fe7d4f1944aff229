/// The doubly robust value of one session.
///
/// Source: Jiang and Li, "Doubly Robust Off-policy Value Evaluation for Reinforcement Learning", ICML
/// 2016, eq. 10, with the recursion written out:
///
///     V_0 = V̂(s_0) + Σ_t γ^t·w_{0:t}·δ_t,   δ_t = r_t + γ·b_t·V̂(s_{t+1}) − Q̂(s_t, a_t)
package enum DoublyRobustTerms {
  /// V_0 of V̂(s_t) [T], log w_{0:t} [T] and δ_t [T].
  package static func initialValue(
    values: some Collection<Double>, logWeights: [Double], errors: [Double], discount: Double
  ) -> Double {
    var sum = values.first ?? 0
    var power = 1.0
    for (logWeight, error) in zip(logWeights, errors) {
      sum += power * WeightTerms.weight(logWeight) * error
      power *= discount
    }
    return sum
  }
}
