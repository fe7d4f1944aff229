package import DenseKernels

/// Target policy smoothing (Fujimoto, van Hoof and Meger, "Addressing function approximation
/// error in actor-critic methods", ICML 2018, eq. 14):
///
///     a′ = clip(π′(s′) + clip(σ·ε, ±c), ±1),   ε ~ N(0, 1)
package enum SmoothedActions {
  /// Adds the noise.
  ///
  /// Shapes: actions π′(s′), noise ε [B, A] → [B, A] in [−1, 1].
  package static func smoothed(
    _ actions: Matrix, noise: [Float], deviation: Float, bound: Float
  ) -> Matrix {
    precondition(
      noise.count == actions.values.count,
      "\(noise.count) draws for \(actions.values.count) action entries")
    var result = actions
    for i in noise.indices {
      let moved = result.values[i] + min(max(deviation * noise[i], -bound), bound)
      result.values[i] = min(max(moved, -1), 1)
    }
    return result
  }
}
