/// What can be wrong with the input of a fusion: each case says where, what was expected and found.
public enum FusionError: Error, Sendable, Equatable {
  /// A list of tasks that is no schema.
  case invalidSchema(String)
  /// The number of scores is no multiple of the number of tasks.
  case scoreCount(found: Int, tasks: Int)
  /// A prediction outside its task's domain.
  case scoreOutsideDomain(item: Int, task: String, expected: String, found: Float)
  /// The number of weights is not the number of tasks.
  case weightCount(found: Int, tasks: Int)
  /// A weight that is NaN or infinite.
  case weightNotFinite(task: String, found: Float)
  /// A weight outside its bounds.
  case weightOutsideBounds(task: String, lower: Float, upper: Float, found: Float)
  /// A normalized action outside [−1, 1].
  case actionOutsideBox(task: String, found: Float)
  /// The number of biases is not the number of tasks.
  case biasCount(found: Int, tasks: Int)
  /// A bias that is negative, NaN or infinite.
  case invalidBias(task: String, found: Float)
  /// A score plus its bias has no logarithm.
  case noLogarithm(item: Int, task: String, score: Float, bias: Float)
  /// Bounds that hold no interval.
  case invalidBounds(task: String, lower: Float, upper: Float)
  /// The number of lower or upper bounds is not the number of tasks.
  case boundCount(lower: Int, upper: Int, tasks: Int)
  /// A fused score that is NaN or infinite.
  case fusedScoreNotFinite(item: Int, found: Float)
}

extension FusionError: CustomStringConvertible {
  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .invalidSchema(let reason):
      "invalid task schema: \(reason)"
    case .scoreCount(let found, let tasks):
      "\(found) scores do not divide into candidates of \(tasks) tasks"
    case .scoreOutsideDomain(let item, let task, let expected, let found):
      "item \(item), task \"\(task)\": expected \(expected), found \(found)"
    case .weightCount(let found, let tasks):
      "\(found) weights for \(tasks) tasks"
    case .weightNotFinite(let task, let found):
      "weight of task \"\(task)\": expected a finite number, found \(found)"
    case .weightOutsideBounds(let task, let lower, let upper, let found):
      "weight of task \"\(task)\": expected a number in [\(lower), \(upper)], found \(found)"
    case .actionOutsideBox(let task, let found):
      "action of task \"\(task)\": expected a number in [-1, 1], found \(found)"
    case .biasCount(let found, let tasks):
      "\(found) biases for \(tasks) tasks"
    case .invalidBias(let task, let found):
      "bias of task \"\(task)\": expected a finite number, at least 0, found \(found)"
    case .noLogarithm(let item, let task, let score, let bias):
      "item \(item), task \"\(task)\": expected score + bias > 0, found \(score) + \(bias)"
    case .invalidBounds(let task, let lower, let upper):
      "bounds of task \"\(task)\": expected finite lower < upper, found [\(lower), \(upper)]"
    case .boundCount(let lower, let upper, let tasks):
      "\(lower) lower and \(upper) upper bounds for \(tasks) tasks"
    case .fusedScoreNotFinite(let item, let found):
      "item \(item): expected a finite fused score, found \(found)"
    }
  }
}
