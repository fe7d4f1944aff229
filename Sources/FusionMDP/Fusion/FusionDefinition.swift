/// All that turns an action into a ranking: tasks, formula, and the bounds of the weights, which fit
/// each other.
public struct FusionDefinition: Sendable, Hashable {
  /// The tasks, K of them.
  public let schema: TaskSchema
  /// How scores and weights become one score.
  public let formula: FusionFormula
  /// What the action box [−1, 1] stands for.
  public let bounds: FusionWeightBounds

  /// A definition whose parts are checked against each other.
  ///
  /// - Throws: `FusionError.biasCount`, `.invalidBias`, `.boundCount`.
  public init(
    schema: TaskSchema, formula: FusionFormula, bounds: FusionWeightBounds
  ) throws(FusionError) {
    try formula.validate(schema: schema)
    guard bounds.count == schema.count else {
      throw .boundCount(
        lower: bounds.lower.count, upper: bounds.upper.count, tasks: schema.count)
    }
    self.init(checked: schema, formula, bounds)
  }

  private init(checked schema: TaskSchema, _ formula: FusionFormula, _ bounds: FusionWeightBounds) {
    self.schema = schema
    self.formula = formula
    self.bounds = bounds
  }

  /// The twelve standard tasks, eq. 1 with the standard biases, and the standard bounds.
  public static let standard = FusionDefinition(
    checked: .standard, .standard, .standard(for: .standard))

  /// The weights [K] that one normalized action [K] stands for.
  ///
  /// - Throws: `FusionError.weightCount`, `.actionOutsideBox`.
  public func weights(forAction action: [Float]) throws(FusionError) -> [Float] {
    try bounds.validate(action: action, schema: schema)
    return bounds.denormalized(action)
  }
}
