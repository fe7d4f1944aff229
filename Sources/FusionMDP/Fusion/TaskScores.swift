/// The multi-task model's predictions for the candidates of one request, checked once at the door.
///
/// Shapes: `values` [N·K], candidate after candidate, tasks in the schema's order.
public struct TaskScores: Sendable, Equatable {
  /// The tasks that the columns stand for.
  public let schema: TaskSchema
  /// The predictions [N·K], row-major.
  public let values: [Float]

  /// Scores of N candidates.
  ///
  /// - Throws: `FusionError.scoreCount` if `values` is no whole number of candidates,
  ///   `.scoreOutsideDomain` for the first value outside its task's domain.
  public init(_ values: [Float], schema: TaskSchema) throws(FusionError) {
    try Self.validate(values, schema: schema)
    self.schema = schema
    self.values = values
  }

  /// The number of candidates, N.
  public var candidateCount: Int { values.count / schema.count }

  /// The K predictions of one candidate.
  public subscript(item: Int) -> [Float] {
    Array(values[item * schema.count..<(item + 1) * schema.count])
  }

  /// Checks raw scores [N·K] against the domain of each task.
  ///
  /// - Throws: see `init`.
  public static func validate(_ values: [Float], schema: TaskSchema) throws(FusionError) {
    let width = schema.count
    guard values.count.isMultiple(of: width) else {
      throw .scoreCount(found: values.count, tasks: width)
    }
    let domains = schema.tasks.map(\.domain)
    var task = 0
    for index in values.indices {
      if !domains[task].contains(values[index]) {
        throw .scoreOutsideDomain(
          item: index / width, task: schema.tasks[task].name, expected: domains[task].summary,
          found: values[index])
      }
      task += 1
      if task == width { task = 0 }
    }
  }
}
