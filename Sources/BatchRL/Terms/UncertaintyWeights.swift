/// How much a sample counts by the variance of its value (Wu et al., "Uncertainty weighted
/// actor-critic for offline reinforcement learning", ICML 2021):
///
///     w = min(β / Var[Q], w_max)
package enum UncertaintyWeights {
  /// The weights; a variance of 0 gives the largest.
  ///
  /// Shapes: variances [B] → [B].
  package static func weights(
    variances: [Float], scale: Float, largest: Float
  ) -> [Float] {
    variances.map { $0 > 0 || $0.isNaN ? min(scale / $0, largest) : largest }
  }
}
