extension FusionFormula {
  /// The gradient of one candidate's fused score with respect to the weights.
  ///
  ///     ∂f/∂α_i = φ_i(o)            (logSum, weightedSum)
  ///     ∂f/∂α_i = f · log(o_i + b_i) (powerProduct)
  ///
  /// Shapes: `scores` [K], `weights` [K] → [K].
  public func gradientWithRespectToWeights(scores: [Float], weights: [Float]) -> [Float] {
    let features = features(of: scores, taskCount: weights.count)
    guard case .powerProduct = self else { return features }
    let value = fusedScores(features: features, weights: weights)[0]
    return features.map { value * $0 }
  }

  /// The gradient of one candidate's fused score with respect to its predictions.
  ///
  ///     ∂f/∂o_i = α_i / (o_i + β_i)      (logSum)
  ///     ∂f/∂o_i = α_i                    (weightedSum)
  ///     ∂f/∂o_i = f · α_i / (o_i + b_i)  (powerProduct)
  ///
  /// Shapes: `scores` [K], `weights` [K] → [K].
  public func gradientWithRespectToScores(scores: [Float], weights: [Float]) -> [Float] {
    precondition(
      scores.count == weights.count, "\(weights.count) weights for \(scores.count) tasks")
    switch self {
    case .weightedSum:
      return weights
    case .logSum(let biases):
      return scores.indices.map { weights[$0] / (scores[$0] + biases[$0]) }
    case .powerProduct(let biases):
      let value = fusedScore(of: scores, weights: weights)
      return scores.indices.map { value * weights[$0] / (scores[$0] + biases[$0]) }
    }
  }

  /// What each task adds to one candidate's score: α_i · φ_i(o).
  ///
  /// They sum to the fused score of `logSum` and `weightedSum`, and to its logarithm for
  /// `powerProduct`, whose factors only add up in log space.
  ///
  /// Shapes: `scores` [K], `weights` [K] → [K].
  public func contributions(scores: [Float], weights: [Float]) -> [Float] {
    precondition(
      scores.count == weights.count, "\(weights.count) weights for \(scores.count) tasks")
    let features = features(of: scores, taskCount: weights.count)
    return features.indices.map { weights[$0] * features[$0] }
  }
}
