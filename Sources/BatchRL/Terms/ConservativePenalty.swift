package import DenseKernels

/// CQL(H)'s penalty on a critic (Kumar et al., "Conservative Q-learning for offline reinforcement
/// learning", NeurIPS 2020, eq. 4 and appendix F):
///
///     R = (1/B) Σ_b [ log ∫ exp Q(s_b, a) da − Q(s_b, a_b) ]
///
/// with the integral by importance sampling from k candidates a state, each with its log density:
///
///     log ∫ exp Q da ≈ log (1/k) Σ_i exp(Q(s, a_i) − log p(a_i))
package enum ConservativePenalty {
  /// A penalty with its gradients.
  package struct Result: Sendable {
    /// R, in units of Q.
    package var value: Double
    /// ∂R/∂Q at the candidates [B·k, 1].
    package var candidateGradient: Matrix
    /// ∂R/∂Q at each logged action, the same for all.
    package var dataGradient: Float
  }

  /// The penalty; log densities get no gradient.
  ///
  /// Shapes: candidateValues [B·k, 1], logDensities [B·k], the k candidates of a state side by
  /// side; dataValues [B, 1].
  package static func lossAndGradient(
    candidateValues: Matrix, logDensities: [Float], dataValues: Matrix
  ) -> Result {
    let count = dataValues.rows
    precondition(
      count > 0 && candidateValues.rows == logDensities.count
        && candidateValues.rows.isMultiple(of: count) && candidateValues.rows > 0,
      """
      \(candidateValues.rows) candidate values, \(logDensities.count) log densities, \
      \(count) logged values
      """)
    let each = candidateValues.rows / count
    var terms = candidateValues.values
    VectorMath.axpy(-1, logDensities, to: &terms)
    var largest = [Float](repeating: 0, count: count)
    for state in 0..<count {
      let group = state * each..<(state + 1) * each
      largest[state] = VectorMath.maximum(Array(terms[group]))
      for i in group { terms[i] -= largest[state] }
    }
    VectorMath.exp(inPlace: &terms)
    var sum = 0.0
    for state in 0..<count {
      let group = state * each..<(state + 1) * each
      let total = terms[group].reduce(0) { $0 + Double($1) }
      sum +=
        Double(largest[state]) + Double(VectorMath.log([Float(total / Double(each))])[0])
        - Double(dataValues.values[state])
      let scale = Float(1 / (total * Double(count)))
      for i in group { terms[i] *= scale }
    }
    return Result(
      value: sum / Double(count),
      candidateGradient: Matrix(rows: terms.count, columns: 1, values: terms),
      dataGradient: -1 / Float(count))
  }
}
