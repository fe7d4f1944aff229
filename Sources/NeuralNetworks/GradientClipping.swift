/// Bounds the length of a gradient, so that one bad batch cannot throw a network far off.
package enum GradientClipping {
  /// The Euclidean norm over all the given vectors together, added up in Double.
  package static func globalNorm(_ gradients: [[Float]]) -> Double {
    var squares = 0.0
    for gradient in gradients {
      for value in gradient { squares += Double(value) * Double(value) }
    }
    return squares.squareRoot()
  }

  /// Scales all gradients by the same factor so that their global norm is at most the bound:
  /// g ← g · min(1, maximumNorm / ‖g‖).
  ///
  /// A norm that is not finite leaves the gradients as they are: the caller must see it.
  ///
  /// - Returns: the norm before scaling.
  @discardableResult
  package static func clip(_ gradients: inout [[Float]], maximumNorm: Double) -> Double {
    precondition(maximumNorm > 0, "gradients cannot be clipped to the norm \(maximumNorm)")
    let norm = globalNorm(gradients)
    guard norm.isFinite, norm > maximumNorm else { return norm }
    let factor = Float(maximumNorm / norm)
    for g in gradients.indices {
      for i in gradients[g].indices { gradients[g][i] *= factor }
    }
    return norm
  }

  /// As `clip(_:maximumNorm:)` over several gradients, for one.
  @discardableResult
  package static func clip(_ gradient: inout [Float], maximumNorm: Double) -> Double {
    var all = [gradient]
    gradient = []
    let norm = clip(&all, maximumNorm: maximumNorm)
    gradient = all[0]
    return norm
  }
}
