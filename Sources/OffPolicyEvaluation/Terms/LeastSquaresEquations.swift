/// The sums that `LinearFittedQ` solves, and their solution by elimination.
struct LeastSquaresEquations {
  let size: Int
  /// Σ φ(φ − γ·b·φ')ᵀ, row-major [p, p].
  private var matrix: [Double]
  /// Σ φ·r, [p].
  private var rewards: [Double]
  /// Σ φ(s, π_e(s)) − φ(s, a), [p].
  private var shift: [Double]
  /// Σ φ, [p].
  private var features: [Double]
  /// Σ δ² = Σ (r − dᵀθ)² needs Σ r², Σ r·d and Σ d·dᵀ with d = φ − γ·b·φ'.
  private var squaredRewards = 0.0
  private var rewardDifferences: [Double]
  private var squaredDifferences: [Double]
  private var count = 0.0

  init(size: Int) {
    self.size = size
    matrix = [Double](repeating: 0, count: size * size)
    squaredDifferences = matrix
    rewards = [Double](repeating: 0, count: size)
    shift = rewards
    features = rewards
    rewardDifferences = rewards
  }

  /// Takes in transitions; each table is [B, p] row-major.
  mutating func add(
    features: [Double], discountedNext: [Double], policyFeatures: [Double], rewards: [Float]
  ) {
    let expected = rewards.count * size
    precondition(
      features.count == expected && discountedNext.count == expected
        && policyFeatures.count == expected,
      "\(features.count), \(discountedNext.count), \(policyFeatures.count) features, expected "
        + "\(expected)")
    var difference = [Double](repeating: 0, count: size)  // d = φ − γ·b·φ', [p]
    for (row, reward) in rewards.enumerated() {
      let (first, reward) = (row * size, Double(reward))
      for i in 0..<size {
        let phi = features[first + i]
        difference[i] = phi - discountedNext[first + i]
        self.rewards[i] += phi * reward
        self.features[i] += phi
        shift[i] += policyFeatures[first + i] - phi
        rewardDifferences[i] += difference[i] * reward
      }
      for i in 0..<size {
        let (phi, own) = (features[first + i], difference[i])
        // Of a feature that is 0 in both states nothing is added; tables have many.
        if phi == 0 && own == 0 { continue }
        let line = i * size
        for j in 0..<size {
          matrix[line + j] += phi * difference[j]
          squaredDifferences[line + j] += own * difference[j]
        }
      }
      squaredRewards += reward * reward
    }
    count += Double(rewards.count)
  }

  /// θ, [p].
  /// - Throws: `EvaluationError.singular`.
  func solution(
    conservativeWeight: Double, ridge: Double
  ) throws(EvaluationError) -> [Double] {
    var system = matrix.map { $0 / count }
    var right = (0..<size).map { (rewards[$0] - conservativeWeight * shift[$0]) / count }
    var trace = 0.0
    for i in 0..<size { trace += abs(system[i * size + i]) }
    for i in 0..<size { system[i * size + i] += ridge * trace / Double(size) }
    // Gauss with partial pivoting: the matrix is not symmetric.
    for column in 0..<size {
      let pivot =
        (column..<size).max { abs(system[$0 * size + column]) < abs(system[$1 * size + column]) }
        ?? column
      guard abs(system[pivot * size + column]) > 1e-14 * trace else {
        throw .singular(features: size, column: column)
      }
      if pivot != column {
        for k in 0..<size { system.swapAt(pivot * size + k, column * size + k) }
        right.swapAt(pivot, column)
      }
      for row in (column + 1)..<max(size, column + 1) {
        let factor = system[row * size + column] / system[column * size + column]
        guard factor != 0 else { continue }
        for k in column..<size { system[row * size + k] -= factor * system[column * size + k] }
        right[row] -= factor * right[column]
      }
    }
    for row in stride(from: size - 1, through: 0, by: -1) {
      for k in (row + 1)..<max(size, row + 1) { right[row] -= system[row * size + k] * right[k] }
      right[row] /= system[row * size + row]
    }
    return right
  }

  /// How well θ fits, in scaled rewards.
  func summary(of parameters: [Double]) -> FitSummary {
    var error = squaredRewards
    var qMean = 0.0
    var regularizer = 0.0
    for i in 0..<size {
      error -= 2 * parameters[i] * rewardDifferences[i]
      qMean += parameters[i] * features[i]
      regularizer += parameters[i] * shift[i]
      for j in 0..<size {
        error += parameters[i] * parameters[j] * squaredDifferences[i * size + j]
      }
    }
    return FitSummary(
      temporalDifferenceError: (max(0, error) / count).squareRoot(),
      regularizer: regularizer / count, qMean: qMean / count)
  }
}
