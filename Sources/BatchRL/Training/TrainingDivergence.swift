/// Training that went wrong numerically, with what is needed to look into it.
package struct TrainingDivergence: Error, Sendable, Equatable, CustomStringConvertible {
  /// The step, counted from 1.
  package var step: Int
  /// The loss or value that was out of bounds.
  package var quantity: String
  /// What it was.
  package var value: Double
  /// What its absolute value may be at most; nil when it only had to be finite.
  package var bound: Double?
  /// The transitions of the step's batch, as indices of the source.
  package var transitions: [Int]

  /// A divergence; the training run adds the transitions.
  package init(
    step: Int, quantity: String, value: Double, bound: Double? = nil, transitions: [Int] = []
  ) {
    self.step = step
    self.quantity = quantity
    self.value = value
    self.bound = bound
    self.transitions = transitions
  }

  /// The error in one sentence for people.
  package var description: String {
    let expected = bound.map { "at most \($0) in absolute value" } ?? "a finite number"
    let shown = transitions.prefix(8).map(String.init).joined(separator: ", ")
    let more = transitions.count > 8 ? ", … (\(transitions.count) in all)" : ""
    return "training diverged at step \(step): \(quantity) is \(value), expected \(expected); "
      + "batch of transitions \(shown)\(more)"
  }

  /// Throws unless the value is finite.
  static func check(
    _ value: Double, _ quantity: String, step: Int
  ) throws(TrainingDivergence) {
    guard value.isFinite else {
      throw TrainingDivergence(step: step, quantity: quantity, value: value)
    }
  }
}
