/// How the K predictions o of a candidate and the K weights α become one score.
///
///     logSum:        f(o) = Σ_i α_i · log(o_i + β_i)        (paper, eq. 1)
///     weightedSum:   f(o) = Σ_i α_i · o_i
///     powerProduct:  f(o) = Π_i (o_i + b_i)^α_i
///
/// Every formula is a function of the dot product α · φ(o) with φ = log(o + β) or φ = o, which is
/// computed once per request (`features`) and reused for every weight vector tried on it.
/// `powerProduct` is exp of `logSum` with the same biases: same ranking, another scale.
public enum FusionFormula: Sendable, Hashable {
  case logSum(biases: [Float])
  case weightedSum
  case powerProduct(biases: [Float])

  /// The logarithmic sum for `TaskSchema.standard` with the project's biases.
  ///
  /// The paper sets β "from prior knowledge" to tame the different magnitudes. Here β_i is the base
  /// rate of the behavior in the development log (KuaiRand-Pure, rounded), so that a prediction
  /// at the base rate has slope α_i/2 in log o whatever its rarity, and 1 second for watch time.
  public static let standard = FusionFormula.logSum(biases: [
    0.45, 0.32, 0.018, 0.0012, 0.0025, 0.0008, 0.0008, 0.019, 0.045, 0.14, 0.41, 1,
  ])

  /// The smoothing biases β [K], or nil if the formula has none.
  public var biases: [Float]? {
    switch self {
    case .logSum(let biases), .powerProduct(let biases): biases
    case .weightedSum: nil
    }
  }

  /// Checks the formula against a schema: as many biases as tasks, each finite and at least 0.
  ///
  /// - Throws: `FusionError.biasCount`, `.invalidBias`.
  public func validate(schema: TaskSchema) throws(FusionError) {
    guard let biases else { return }
    guard biases.count == schema.count else {
      throw .biasCount(found: biases.count, tasks: schema.count)
    }
    for (index, bias) in biases.enumerated() where !(bias >= 0 && bias.isFinite) {
      throw .invalidBias(task: schema.tasks[index].name, found: bias)
    }
  }

  /// Checks everything that a fusion reads: formula, scores [N·K], weights [K], and that each score
  /// plus its bias has a logarithm where the formula takes one.
  ///
  /// - Throws: the first `FusionError`, naming item, task, what was expected and found.
  public func validate(
    scores: [Float], weights: [Float], schema: TaskSchema
  ) throws(FusionError) {
    try validate(schema: schema)
    let width = schema.count
    guard weights.count == width else { throw .weightCount(found: weights.count, tasks: width) }
    for (index, weight) in weights.enumerated() where !weight.isFinite {
      throw .weightNotFinite(task: schema.tasks[index].name, found: weight)
    }
    try TaskScores.validate(scores, schema: schema)
    guard let biases, biases.contains(0) else { return }
    for index in scores.indices where !(scores[index] + biases[index % width] > 0) {
      throw .noLogarithm(
        item: index / width, task: schema.tasks[index % width].name, score: scores[index],
        bias: biases[index % width])
    }
  }

  /// The fused score of one candidate.
  ///
  /// Shapes: `scores` [K], `weights` [K].
  public func fusedScore(of scores: [Float], weights: [Float]) -> Float {
    precondition(
      scores.count == weights.count, "\(weights.count) weights for \(scores.count) tasks")
    return fusedScores(candidates: scores, weights: weights)[0]
  }

  /// The fused scores of N candidates.
  ///
  /// Shapes: `candidates` [N·K], `weights` [K] → [N]. No allocation per candidate.
  public func fusedScores(candidates: [Float], weights: [Float]) -> [Float] {
    fusedScores(features: features(of: candidates, taskCount: weights.count), weights: weights)
  }

  /// What the weights multiply: φ(o) = log(o + β), or o itself for `weightedSum`.
  ///
  /// Shapes: `candidates` [N·K] → [N·K]. Compute it once per request.
  public func features(of candidates: [Float], taskCount width: Int) -> [Float] {
    precondition(
      width > 0 && candidates.count.isMultiple(of: width),
      "\(candidates.count) scores do not divide into candidates of \(width) tasks")
    guard let biases else { return candidates }
    precondition(biases.count == width, "\(biases.count) biases for \(width) tasks")
    var result = candidates
    for row in stride(from: 0, to: candidates.count, by: width) {
      for task in 0..<width {
        result[row + task] = naturalLogarithm(candidates[row + task] + biases[task])
      }
    }
    return result
  }

  /// The fused scores from features that `features(of:taskCount:)` gave.
  ///
  /// Shapes: `features` [N·K], `weights` [K] → [N].
  public func fusedScores(features: [Float], weights: [Float]) -> [Float] {
    let width = weights.count
    precondition(
      width > 0 && features.count.isMultiple(of: width),
      "\(features.count) features do not divide into candidates of \(width) tasks")
    let itemCount = features.count / width
    var result = [Float](repeating: 0, count: itemCount)
    for item in 0..<itemCount {
      var sum: Float = 0
      let row = item * width
      for task in 0..<width {
        sum += weights[task] * features[row + task]
      }
      result[item] = sum  // α · φ(o)
    }
    if case .powerProduct = self {
      for item in 0..<itemCount { result[item] = exponential(result[item]) }
    }
    return result
  }
}
