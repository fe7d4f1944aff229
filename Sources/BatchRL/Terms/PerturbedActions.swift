package import DenseKernels

/// The perturbation of generated actions: the inner part of eq. 4.
///
///     ξ = ρ · p,   p = tanh output of P_ω(s, â)
///     a = clip(â + ξ, ±1)
///
/// Actions are normalized to [−1, 1]; the published BCQ clips as well. The slope of the clip is
/// 1 on [−1, 1], its ends included, and 0 outside.
package enum PerturbedActions {
  /// The perturbed actions.
  ///
  /// Shapes: actions â, output p [B, A] → [B, A] in [−1, 1].
  package static func perturbed(_ actions: Matrix, by output: Matrix, bound: Float) -> Matrix {
    var result = output
    perturb(actions, replacing: &result, bound: bound)
    return result
  }

  /// As `perturbed(_:by:bound:)`; the result takes the place of the network's output p.
  package static func perturb(_ actions: Matrix, replacing output: inout Matrix, bound: Float) {
    precondition(
      actions.rows == output.rows && actions.columns == output.columns,
      """
      actions [\(actions.rows), \(actions.columns)] perturbed by \
      [\(output.rows), \(output.columns)]
      """)
    for i in 0..<output.values.count {
      output.values[i] = min(max(actions.values[i] + bound * output.values[i], -1), 1)
    }
  }

  /// ∂L/∂p out of ∂L/∂a: ρ where the clip let the action through, else 0.
  ///
  /// The generated actions â get no gradient.
  ///
  /// Shapes: gradient ∂L/∂a, actions â, output p [B, A] → [B, A].
  package static func outputGradient(
    _ gradient: Matrix, actions: Matrix, output: Matrix, bound: Float
  ) -> Matrix {
    var result = gradient
    for i in 0..<result.values.count {
      let moved = actions.values[i] + bound * output.values[i]
      result.values[i] *= abs(moved) <= 1 ? bound : 0
    }
    return result
  }
}
