/// The constants of a fitted behavior density.
package struct BehaviorDensityConfiguration: Sendable, Equatable {
  /// M: numbers of mixture components to try; what is held out inside the training users chooses.
  package var componentCounts = [1, 2, 4]
  /// Widths of the hidden layers.
  package var hidden = [64, 64]
  /// Adam steps of a fit.
  package var steps = 3000
  /// Transitions a step.
  package var batchSize = 256
  /// Adam's step size at the first step; it falls to 0 along half a cosine.
  package var learningRate: Float = 3e-3
  /// Groups of users; the density of a transition comes from a fit that saw nobody of its group.
  package var folds = 3
  /// Share of a fit's training users that is held out to choose the step and the component count.
  package var heldOutShare = 0.15
  /// σ of a component before the cut lies in this range, in units of the box [−1, 1].
  package var deviationRange: ClosedRange<Double> = 0.01...4

  /// This project's constants: no publication names them for fusion weights.
  package init() {}

  /// What is wrong, in words, or nil.
  package var problem: String? {
    for (name, count, range) in [
      ("steps", steps, 1...10_000_000), ("batchSize", batchSize, 1...1_000_000),
      ("folds", folds, 2...100),
    ] where !range.contains(count) {
      return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(count)"
    }
    if componentCounts.isEmpty || !componentCounts.allSatisfy((1...64).contains) {
      return "componentCounts: expected at least one number in 1...64, found \(componentCounts)"
    }
    if !hidden.allSatisfy((1...16_384).contains) {
      return "hidden: expected widths in 1...16384, found \(hidden)"
    }
    if !(learningRate > 0 && learningRate.isFinite) {
      return "learningRate: expected a number above 0, found \(learningRate)"
    }
    if !(heldOutShare > 0 && heldOutShare < 1) {
      return "heldOutShare: expected a number in (0, 1), found \(heldOutShare)"
    }
    return deviationRange.lowerBound > 0 && deviationRange.upperBound.isFinite
      ? nil : "deviationRange: expected finite numbers above 0, found \(deviationRange)"
  }
}

/// Why no density could be fitted.
package enum BehaviorDensityError: Error, Equatable, CustomStringConvertible {
  /// A constant out of its range.
  case configuration(String)
  /// Fewer users than it takes to train, hold out and test on different ones.
  case tooFewUsers(found: Int, needed: Int)
  /// Every action is the same: there is no density.
  case noVariation(transitions: Int)
  /// An action outside the box, or not a number.
  case invalidAction(transition: Int, dimension: Int, found: Float)
  /// The normalizer was fitted on states of another size.
  case stateSize(expected: Int, found: Int)
  /// The likelihood of a fit is not a number.
  case diverged(components: Int, step: Int, loss: Double)

  /// One line with what was expected and what was found.
  package var description: String {
    switch self {
    case .configuration(let problem):
      "behavior density: \(problem)"
    case .tooFewUsers(let found, let needed):
      "behavior density: expected at least \(needed) users, so that no density comes from a fit "
        + "that saw its user; found \(found)"
    case .noVariation(let transitions):
      "behavior density: all \(transitions) logged actions are the same: a log without variation "
        + "in its actions has no density, and says nothing about other weights"
    case .invalidAction(let transition, let dimension, let found):
      "behavior density: transition \(transition), weight \(dimension): expected a number in "
        + "[-1, 1], found \(found)"
    case .stateSize(let expected, let found):
      "behavior density: expected a normalizer of \(expected) features, found \(found)"
    case .diverged(let components, let step, let loss):
      "behavior density of \(components) components, step \(step): the fit diverged: loss \(loss)"
    }
  }
}
