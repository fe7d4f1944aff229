import DenseKernels

/// Adam (Kingma and Ba 2015, algorithm 1) over one flat parameter vector:
///
///     m ← β₁·m + (1 − β₁)·g            m̂ = m / (1 − β₁ᵗ)
///     v ← β₂·v + (1 − β₂)·g²           v̂ = v / (1 − β₂ᵗ)
///     x ← x − learningRate · m̂ / (√v̂ + ε)
///
/// β₁ = 0.9, β₂ = 0.999, ε = 1e-8 (added after the bias correction, as PyTorch does).
package struct Adam: Sendable, Equatable {
  /// The decay of the first moment.
  package static let firstDecay = 0.9
  /// The decay of the second moment.
  package static let secondDecay = 0.999
  /// What keeps the division finite.
  package static let epsilon = 1e-8

  /// The step size.
  package var learningRate: Float
  /// m, one value a parameter.
  package private(set) var firstMoment: [Float]
  /// v, one value a parameter.
  package private(set) var secondMoment: [Float]
  /// t, the number of steps done.
  package private(set) var stepCount: Int

  /// An optimizer before its first step.
  package init(parameterCount: Int, learningRate: Float) {
    self.init(
      learningRate: learningRate, firstMoment: [Float](repeating: 0, count: parameterCount),
      secondMoment: [Float](repeating: 0, count: parameterCount), stepCount: 0)
  }

  /// An optimizer as a checkpoint stored it.
  package init(learningRate: Float, firstMoment: [Float], secondMoment: [Float], stepCount: Int) {
    precondition(
      firstMoment.count == secondMoment.count,
      "Adam with \(firstMoment.count) first and \(secondMoment.count) second moments")
    precondition(stepCount >= 0, "Adam after \(stepCount) steps")
    self.learningRate = learningRate
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
    self.stepCount = stepCount
  }

  /// One step down the gradient.
  package mutating func step(_ parameters: inout [Float], gradient: [Float]) {
    precondition(
      parameters.count == firstMoment.count && gradient.count == firstMoment.count,
      """
      Adam for \(firstMoment.count) parameters was given \(parameters.count) parameters and \
      \(gradient.count) gradients
      """)
    stepCount += 1
    VectorMath.adamUpdate(
      parameters: &parameters, firstMoment: &firstMoment, secondMoment: &secondMoment,
      gradient: gradient,
      coefficients: AdamCoefficients(
        learningRate: Double(learningRate), firstDecay: Self.firstDecay,
        secondDecay: Self.secondDecay, epsilon: Self.epsilon),
      step: stepCount)
  }

  /// 1 − β₁ᵗ and 1 − β₂ᵗ, by which the moments are divided after t steps.
  static func biasCorrections(step: Int) -> (first: Double, second: Double) {
    (1 - power(firstDecay, step), 1 - power(secondDecay, step))
  }

  /// base to a whole power by repeated squaring: the same bits on every platform.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, left) = (1.0, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }
}
