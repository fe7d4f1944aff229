private import CVectorMath

/// The constants of one Adam step.
package struct AdamCoefficients: Sendable, Equatable {
  /// α, the step size.
  package var learningRate: Double
  /// β₁, the decay of the mean of the gradients.
  package var firstDecay: Double
  /// β₂, the decay of the mean of their squares.
  package var secondDecay: Double
  /// ε, added to the root.
  package var epsilon: Double

  /// The constants, with the defaults of the paper.
  package init(
    learningRate: Double, firstDecay: Double = 0.9, secondDecay: Double = 0.999,
    epsilon: Double = 1e-8
  ) {
    self.learningRate = learningRate
    self.firstDecay = firstDecay
    self.secondDecay = secondDecay
    self.epsilon = epsilon
  }
}

extension VectorMath {
  /// One step of Adam, in place.
  ///
  ///     m ← β₁m + (1−β₁)g      v ← β₂v + (1−β₂)g²
  ///     θ ← θ − α · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)
  ///
  /// Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
  ///
  /// - Parameter step: t, 1 at the first step.
  package static func adamUpdate(
    parameters: inout [Float], firstMoment: inout [Float], secondMoment: inout [Float],
    gradient: [Float], coefficients: AdamCoefficients, step: Int
  ) {
    let count = parameters.count
    precondition(
      firstMoment.count == count && secondMoment.count == count && gradient.count == count,
      """
      \(count) parameters, \(firstMoment.count) and \(secondMoment.count) moments and \
      \(gradient.count) gradients do not match
      """)
    precondition(step > 0, "Adam's first step is 1, not \(step)")
    let firstCorrection = 1 - power(coefficients.firstDecay, step)
    let secondCorrection = 1 - power(coefficients.secondDecay, step)
    unsafe parameters.withUnsafeMutableBufferPointer { p in
      unsafe firstMoment.withUnsafeMutableBufferPointer { m in
        unsafe secondMoment.withUnsafeMutableBufferPointer { v in
          unsafe gradient.withUnsafeBufferPointer { g in
            guard let p = p.baseAddress, let m = m.baseAddress,
              let v = v.baseAddress, let g = g.baseAddress
            else { return }
            unsafe cvm_adam(
              p, m, v, g, count, Float(coefficients.learningRate / firstCorrection),
              Float(coefficients.firstDecay), Float(1 - coefficients.firstDecay),
              Float(coefficients.secondDecay), Float(1 - coefficients.secondDecay),
              Float(coefficients.epsilon), Float(secondCorrection))
          }
        }
      }
    }
  }
}

/// baseⁿ by repeated squaring: the same bits on every machine.
func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
