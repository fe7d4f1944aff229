package import DenseKernels
package import FusionMDP
import NeuralNetworks

/// On which rows a task is learned.
package enum SampleSpace: Sendable, Equatable, Codable {
  /// On every row.
  case all
  /// Only where another task's label is 1, for example on rows with a click.
  case wherePositive(task: String)
}

/// What training minimizes: one loss a task, weighted, each in its sample space.
///
///     L = 1/B Σ_rows Σ_k w_k · 1[row in space_k] · ℓ_k
///
/// ℓ is binary cross-entropy, and Huber's loss of log(1 + seconds) for tasks in seconds.
package struct TaskObjective: Sendable, Equatable, Codable {
  /// [K] w.
  package var weights: [Float]
  /// [K]
  package var spaces: [SampleSpace]
  /// Huber's threshold, in log seconds.
  package var huberThreshold: Float

  /// An objective with the given weights and spaces.
  package init(weights: [Float], spaces: [SampleSpace], huberThreshold: Float = 2) {
    self.weights = weights
    self.spaces = spaces
    self.huberThreshold = huberThreshold
  }

  /// All rows for all tasks; rarer behaviors weigh more, since their entropy is smaller.
  ///
  /// Chosen on 3 and 4 May after training up to 2 May: like 4, profile enter 4, comment stay
  /// 2.5, the four rarest 3, watch time 0.5, the others 1.
  package static let standard = TaskObjective(
    weights: [1, 1, 4, 3, 3, 3, 3, 4, 2.5, 1, 1, 0.5],
    spaces: [SampleSpace](repeating: .all, count: 12))

  /// [B, K] w_k where the row is in the task's space, else 0.
  func entryWeights(_ labels: Matrix, schema: TaskSchema) -> Matrix {
    let k = schema.count
    precondition(
      weights.count == k && spaces.count == k && labels.columns == k,
      "\(weights.count) weights, \(spaces.count) spaces, \(labels.columns) labels, \(k) tasks")
    let conditions = spaces.map { space -> Int? in
      guard case .wherePositive(let name) = space else { return nil }
      guard let task = schema.index(of: name) else {
        preconditionFailure("the sample space of a task names \(name), which is no task")
      }
      return task
    }
    var result = Matrix(rows: labels.rows, columns: k)
    for row in 0..<labels.rows {
      for task in 0..<k {
        if let condition = conditions[task], labels[row, condition] != 1 { continue }
        result.values[row * k + task] = weights[task]
      }
    }
    return result
  }

  /// L and ∂L/∂logits.  Shapes: all [B, K].
  package func loss(
    logits: Matrix, labels: Matrix, schema: TaskSchema
  ) -> (value: Double, gradient: Matrix) {
    let weights = entryWeights(labels, schema: schema)
    var (binary, seconds) = (weights.values, weights.values)
    for i in binary.indices {
      let isSeconds = schema.tasks[i % schema.count].domain == .seconds
      if isSeconds { binary[i] = 0 } else { seconds[i] = 0 }
    }
    let first = Losses.binaryCrossEntropy(
      logits: logits, labels: labels, weights: .perEntry(binary), reduction: .meanOverRows)
    let second = Losses.huber(
      logits, targets: labels, threshold: huberThreshold, weights: .perEntry(seconds),
      reduction: .meanOverRows)
    var gradient = first.gradient
    gradient.accumulate(second.gradient)
    return (first.value + second.value, gradient)
  }
}
