/// The loss of one round and its gradient, one pure function a term.
///
/// Shapes: [B] each. The target is a constant here: no gradient goes through it.
package enum ConservativeLoss {
  /// y = r + γ·b·Q_k(s', π_e(s')), b = 0 after a terminal step  (paper, eq. 10)
  package static func targets(
    rewards: [Float], bootstraps: [Float], nextValues: [Float], discount: Double
  ) -> [Float] {
    rewards.indices.map { rewards[$0] + Float(discount) * bootstraps[$0] * nextValues[$0] }
  }

  /// T = ½·mean (Q(s, a) − y)²  (paper, eq. 10), and ∂T/∂Q(s, a) = (Q(s, a) − y)/B.
  package static func temporalDifference(
    values: [Float], targets: [Float]
  ) -> (loss: Double, gradient: [Float]) {
    let count = Float(values.count)
    var loss = 0.0
    var gradient = [Float](repeating: 0, count: values.count)
    for i in values.indices {
      let error = values[i] - targets[i]
      loss += Double(error) * Double(error)
      gradient[i] = error / count
    }
    return (0.5 * loss / Double(values.count), gradient)
  }

  /// R = mean Q(s, π_e(s)) − mean Q(s, a)  (paper, eq. 10). Its gradients are 1/B and −1/B.
  package static func regularizer(policyValues: [Float], values: [Float]) -> Double {
    var sum = 0.0
    for (policy, logged) in zip(policyValues, values) { sum += Double(policy) - Double(logged) }
    return sum / Double(values.count)
  }
}
