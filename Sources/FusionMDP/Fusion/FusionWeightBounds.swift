/// The interval of each fusion weight and its map to the action box [−1, 1] (paper: "truncated to a
/// fixed interval and normalised to [−1, 1]").
///
///     action = 2·(α − lower) / (upper − lower) − 1
///
/// Shapes: `lower`, `upper` [K].
public struct FusionWeightBounds: Sendable, Hashable {
  /// The smallest weight of each task.
  public let lower: [Float]
  /// The largest weight of each task.
  public let upper: [Float]

  /// Bounds for the tasks of `schema`.
  ///
  /// - Throws: `FusionError.boundCount`, `.invalidBounds`.
  public init(lower: [Float], upper: [Float], schema: TaskSchema) throws(FusionError) {
    guard lower.count == schema.count, upper.count == schema.count else {
      throw .boundCount(lower: lower.count, upper: upper.count, tasks: schema.count)
    }
    for (index, task) in schema.tasks.enumerated() {
      guard lower[index].isFinite, upper[index].isFinite, lower[index] < upper[index],
        (upper[index] - lower[index]).isFinite
      else {
        throw .invalidBounds(task: task.name, lower: lower[index], upper: upper[index])
      }
    }
    self.lower = lower
    self.upper = upper
  }

  private init(unchecked lower: [Float], _ upper: [Float]) {
    self.lower = lower
    self.upper = upper
  }

  /// [0, 2] for positive tasks, [−2, 0] for negative ones, so that 0 in the box is the weight ±1.
  public static func standard(for schema: TaskSchema) -> FusionWeightBounds {
    FusionWeightBounds(
      unchecked: schema.tasks.map { $0.polarity == .positive ? 0 : -2 },
      schema.tasks.map { $0.polarity == .positive ? 2 : 0 })
  }

  /// The number of weights, K.
  public var count: Int { lower.count }

  /// Weights as actions in [−1, 1]; exactly ±1 at the bounds; weights outside are truncated.
  ///
  /// Shapes: [B·K] → [B·K] for any B.
  public func normalized(_ weights: [Float]) -> [Float] {
    mapped(weights) { value, lower, upper in
      if value <= lower { return -1 }
      if value >= upper { return 1 }
      return min(max(2 * (value - lower) / (upper - lower) - 1, -1), 1)
    }
  }

  /// Actions as weights; exactly the bounds at ±1; actions outside [−1, 1] are truncated.
  ///
  /// Shapes: [B·K] → [B·K] for any B.
  public func denormalized(_ actions: [Float]) -> [Float] {
    mapped(actions) { value, lower, upper in
      if value <= -1 { return lower }
      if value >= 1 { return upper }
      return min(max(lower + (value + 1) / 2 * (upper - lower), lower), upper)
    }
  }

  /// Checks one weight vector [K]: its length, and every weight finite and within bounds.
  ///
  /// - Throws: `FusionError.weightCount`, `.weightNotFinite`, `.weightOutsideBounds`.
  public func validate(weights: [Float], schema: TaskSchema) throws(FusionError) {
    guard weights.count == schema.count else {
      throw .weightCount(found: weights.count, tasks: schema.count)
    }
    for (index, task) in schema.tasks.enumerated() {
      let weight = weights[index]
      guard weight.isFinite else { throw .weightNotFinite(task: task.name, found: weight) }
      guard weight >= lower[index], weight <= upper[index] else {
        throw .weightOutsideBounds(
          task: task.name, lower: lower[index], upper: upper[index], found: weight)
      }
    }
  }

  /// Checks one normalized action [K]: its length, and every number in [−1, 1].
  ///
  /// - Throws: `FusionError.weightCount`, `.actionOutsideBox`.
  public func validate(action: [Float], schema: TaskSchema) throws(FusionError) {
    guard action.count == schema.count else {
      throw .weightCount(found: action.count, tasks: schema.count)
    }
    for (index, task) in schema.tasks.enumerated()
    where !(action[index] >= -1 && action[index] <= 1) {
      throw .actionOutsideBox(task: task.name, found: action[index])
    }
  }

  private func mapped(_ values: [Float], _ transform: (Float, Float, Float) -> Float) -> [Float] {
    let width = count
    precondition(
      values.count.isMultiple(of: width),
      "\(values.count) values do not divide into rows of \(width)")
    var result = values
    for index in values.indices {
      result[index] = transform(values[index], lower[index % width], upper[index % width])
    }
    return result
  }
}
