package import DenseKernels
package import FusionMDP
import NeuralNetworks
package import SeededRandom

/// One linear model a task on the same inputs as the networks: what they have to beat.
///
///     logit_k = b_k + x·w_k + Σ_f c_{k, value of f}
///
/// with a weight for every number and every value of every category. Cross-entropy (half the
/// squared error of log seconds) and an L2 penalty on w and c, minimized by minibatch Adam whose
/// rate falls to 0. The tasks share nothing: each column is a logistic regression of its own.
package struct LogisticBaseline: Sendable, Equatable {
  /// How it is fitted.
  package struct Options: Sendable, Equatable {
    /// How often each training row is visited.
    package var epochs = 5
    /// Rows a step.
    package var batchSize = 512
    /// Of Adam; it falls to 0 along a straight line.
    package var learningRate: Float = 2e-3
    /// λ in ℓ + λ/2·|w|².
    package var penalty: Float = 1e-4

    /// The defaults: the optimizer of the networks and a weak penalty.
    package init() {}
  }

  /// [D, K] and [K].
  private var weights: Matrix
  private var biases: [Float]
  /// [table rows, K]
  private var categoryWeights: EmbeddingTable

  /// Fits all tasks to training rows.
  package init(
    fittedTo rows: EncodedRows, labels: Matrix, tableRows: Int, schema: TaskSchema,
    options: Options = Options(), stream: RandomStream
  ) {
    precondition(rows.count > 0 && labels.rows == rows.count, "no rows to fit to")
    let (d, k) = (rows.numbers.columns, schema.count)
    weights = Matrix(rows: d, columns: k)
    biases = [Float](repeating: 0, count: k)
    categoryWeights = EmbeddingTable(
      rows: tableRows, dimension: k, parameters: [Float](repeating: 0, count: tableRows * k))
    startAtBaseRates(labels, schema)
    var adam = Adam(parameterCount: d * k + k, learningRate: options.learningRate)
    var sparse = SparseAdam(rows: tableRows, dimension: k, learningRate: options.learningRate)
    var touched = EmbeddingGradient(for: categoryWeights)
    var order = stream.child("order")
    let perEpoch = max(rows.count / options.batchSize, 1)
    for step in 0..<options.epochs * perEpoch {
      if step % perEpoch == 0 { permutation = order.shuffled(rows.count) }
      let start = step % perEpoch * options.batchSize
      let batch = Array(permutation[start..<min(start + options.batchSize, rows.count)])
      let remaining = 1 - Float(step) / Float(options.epochs * perEpoch)
      adam.learningRate = options.learningRate * remaining
      sparse.learningRate = adam.learningRate
      trainStep(
        rows.gather(batch), labels.gatherRows(batch), schema, options.penalty, &adam, &sparse,
        &touched)
    }
    permutation = []
  }

  private var permutation: [Int] = []

  private mutating func startAtBaseRates(_ labels: Matrix, _ schema: TaskSchema) {
    let sums = labels.columnSums()
    for (k, task) in schema.tasks.enumerated() {
      let mean = sums[k] / Float(labels.rows)
      if task.domain == .seconds {
        biases[k] = mean
      } else if mean > 0, mean < 1 {
        biases[k] = VectorMath.log([mean / (1 - mean)])[0]
      }
    }
  }

  private mutating func trainStep(
    _ rows: EncodedRows, _ labels: Matrix, _ schema: TaskSchema, _ penalty: Float,
    _ adam: inout Adam, _ sparse: inout SparseAdam, _ touched: inout EmbeddingGradient
  ) {
    var error = self(rows)
    let (b, k) = (rows.count, schema.count)
    let probabilities = VectorMath.sigmoid(error.values)
    for i in error.values.indices {
      let prediction =
        schema.tasks[i % k].domain == .seconds ? error.values[i] : probabilities[i]
      error.values[i] = (prediction - labels.values[i]) / Float(b)
    }
    var gradient = rows.numbers.product(error, transposingLeft: true).values
    VectorMath.axpy(penalty, weights.values, to: &gradient)
    gradient += error.columnSums()
    var parameters = weights.values + biases
    adam.step(&parameters, gradient: gradient)
    weights.values = Array(parameters[..<weights.values.count])
    biases = Array(parameters[weights.values.count...])
    touched.removeAll()
    for indices in rows.indices {
      var penalized = error
      for (row, index) in indices.enumerated() {
        for j in 0..<k {
          penalized.values[row * k + j] +=
            penalty / Float(b) * categoryWeights.parameters[index * k + j]
        }
      }
      touched.add(penalized, at: indices)
    }
    sparse.step(&categoryWeights.parameters, gradient: touched)
  }

  /// The logits, and the mean of log seconds.  Shapes: B rows → [B, K].
  package func callAsFunction(_ rows: EncodedRows) -> Matrix {
    var logits = rows.numbers.product(weights)
    let k = biases.count
    for row in 0..<rows.count {
      for j in 0..<k { logits.values[row * k + j] += biases[j] }
    }
    for indices in rows.indices { logits.accumulate(categoryWeights.gather(indices)) }
    return logits
  }
}
