package import DenseKernels
package import FusionMDP
import NeuralNetworks
package import SeededRandom

/// How a multi-task model is trained.
package struct MultiTaskTrainingOptions: Sendable, Equatable, Codable {
  /// What is learned.
  package var architecture: TaskArchitecture
  /// What is minimized.
  package var objective: TaskObjective
  /// How often each training row is visited.
  package var epochs: Int
  /// Rows a step.
  package var batchSize: Int
  /// Of Adam; it falls to 0 along a straight line.
  package var learningRate: Float
  /// The share of hidden outputs that a step drops.
  package var dropout: Float
  /// The length of a category's vector.
  package var embeddingDimension: Int
  /// The model is the moving average of the weights along the way: x̄ ← d·x̄ + (1 − d)·x.
  package var averageDecay: Float

  /// Options; defaults are those of the KuaiRand model, chosen on 3 and 4 May after training up
  /// to 2 May.
  package init(
    architecture: TaskArchitecture = .progressiveExtraction(.init()),
    objective: TaskObjective = .standard, epochs: Int = 4, batchSize: Int = 512,
    learningRate: Float = 2e-3, dropout: Float = 0.05, embeddingDimension: Int = 4,
    averageDecay: Float = 0.995
  ) {
    self.architecture = architecture
    self.objective = objective
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.dropout = dropout
    self.embeddingDimension = embeddingDimension
    self.averageDecay = averageDecay
  }
}

/// Why a multi-task model cannot be trained.
package enum MultiTaskTrainingError: Error, Equatable, CustomStringConvertible {
  /// There is no row to learn from.
  case noTrainingRows
  /// All labels of a task are the same on the rows it is learned from.
  case singleClass(task: String, label: Float, rows: Int)
  /// A label is not 0 or 1 (or not a finite number ≥ 0, in log seconds).
  case badLabel(task: String, row: Int, found: Float)
  /// The loss is no longer a number.
  case diverged(step: Int, loss: Double)

  /// What was expected and what was found.
  package var description: String {
    switch self {
    case .noTrainingRows:
      "there are no training rows"
    case .singleClass(let task, let label, let rows):
      "task \(task): all \(rows) training labels are \(label); it needs both 0 and 1"
    case .badLabel(let task, let row, let found):
      "task \(task), row \(row): the label is \(found)"
    case .diverged(let step, let loss):
      "training diverged at step \(step): the loss is \(loss)"
    }
  }
}

/// How far training has come.
package struct MultiTaskTrainingProgress: Sendable, Equatable {
  /// Steps done, of `steps`.
  package var step: Int
  /// Steps in all.
  package var steps: Int
  /// The mean loss since the last report.
  package var loss: Double
}

/// Trains networks on encoded rows: minibatch Adam, averaged weights; the same seed gives the
/// same bits.
package struct MultiTaskTraining {
  private let options: MultiTaskTrainingOptions
  private let schema: TaskSchema
  private let rows: EncodedRows
  private let labels: Matrix
  private let tableRows: Int
  private let stream: RandomStream

  /// A run over training rows only.
  ///
  /// - Throws: `MultiTaskTrainingError` when there are no rows, a label is impossible, or a task
  ///   has a single class.
  package init(
    options: MultiTaskTrainingOptions, schema: TaskSchema, rows: EncodedRows, labels: Matrix,
    tableRows: Int, stream: RandomStream
  ) throws(MultiTaskTrainingError) {
    precondition(rows.count == labels.rows, "\(labels.rows) labels for \(rows.count) rows")
    precondition(options.batchSize > 0 && options.epochs > 0, "no batches: \(options)")
    guard rows.count > 0 else { throw .noTrainingRows }
    self.options = options
    self.schema = schema
    self.rows = rows
    self.labels = labels
    self.tableRows = tableRows
    self.stream = stream
    try checkLabels()
  }

  private func checkLabels() throws(MultiTaskTrainingError) {
    let weights = options.objective.entryWeights(labels, schema: schema)
    for (k, task) in schema.tasks.enumerated() {
      var (count, ones) = (0, 0)
      for row in 0..<labels.rows where weights[row, k] != 0 {
        let label = labels[row, k]
        let isGood =
          task.domain == .seconds
          ? label.isFinite && label >= 0 : label == 0 || label == 1
        guard isGood else { throw .badLabel(task: task.name, row: row, found: label) }
        count += 1
        if label == 1 { ones += 1 }
      }
      guard task.domain == .probability, options.objective.weights[k] != 0 else { continue }
      if ones == 0 || ones == count {
        throw .singleClass(task: task.name, label: ones == 0 ? 0 : 1, rows: count)
      }
    }
  }

  /// The number of steps of the whole run.
  package var steps: Int { options.epochs * stepsPerEpoch }

  private var stepsPerEpoch: Int { max(rows.count / options.batchSize, 1) }

  /// Trains a fresh network.
  ///
  /// - Parameter progress: called about 50 times.
  /// - Throws: `MultiTaskTrainingError.diverged`, and what `progress` throws, which stops.
  package func run(
    progress: (MultiTaskTrainingProgress) throws -> Void = { _ in }
  ) throws -> MultiTaskNetwork {
    var initialization = stream.child("initialization")
    var network = MultiTaskNetwork(
      architecture: options.architecture, numbers: rows.numbers.columns,
      categories: rows.indices.count, tableRows: tableRows, dimension: options.embeddingDimension,
      tasks: schema.count, initializedBy: &initialization)
    startAtBaseRates(&network)
    var state = OptimizerState(network, options)
    var order = stream.child("order")
    var (step, lossSum, lossCount) = (0, 0.0, 0)
    let reportEvery = max(steps / 50, 1)
    for _ in 0..<options.epochs {
      let permutation = order.shuffled(rows.count)
      for b in 0..<stepsPerEpoch {
        let end = min((b + 1) * options.batchSize, rows.count)
        let loss = trainStep(
          &network, &state, step: step, batch: Array(permutation[b * options.batchSize..<end]))
        step += 1
        guard loss.isFinite else { throw MultiTaskTrainingError.diverged(step: step, loss: loss) }
        lossSum += loss
        lossCount += 1
        if step % reportEvery == 0 || step == steps {
          try progress(
            MultiTaskTrainingProgress(
              step: step, steps: steps, loss: lossSum / Double(lossCount)))
          (lossSum, lossCount) = (0, 0)
        }
      }
    }
    network.body.parameters = state.averageBody
    network.embeddings.parameters = state.averageEmbeddings
    return network
  }

  /// The biases of the logits start at the base rates, so that no step is spent on them.
  private func startAtBaseRates(_ network: inout MultiTaskNetwork) {
    let weights = options.objective.entryWeights(labels, schema: schema)
    for (k, place) in network.body.logitBiases.enumerated() {
      var (sum, count) = (0.0, 0.0)
      for row in 0..<labels.rows where weights[row, k] != 0 {
        sum += Double(labels[row, k])
        count += 1
      }
      guard count > 0 else { continue }
      let mean = Float(sum / count)
      let isSeconds = schema.tasks[k].domain == .seconds
      network.body.parameters[place] = isSeconds ? mean : VectorMath.log([mean / (1 - mean)])[0]
    }
  }

  /// Moments, averages and gradients of one run.
  private struct OptimizerState {
    var adam: Adam
    var sparse: SparseAdam
    var bodyGradient: [Float]
    var embeddingGradient: EmbeddingGradient
    var averageBody: [Float]
    var averageEmbeddings: [Float]

    init(_ network: MultiTaskNetwork, _ options: MultiTaskTrainingOptions) {
      let table = network.embeddings
      averageBody = network.body.parameters
      averageEmbeddings = table.parameters
      adam = Adam(parameterCount: averageBody.count, learningRate: options.learningRate)
      sparse = SparseAdam(
        rows: table.rows, dimension: table.dimension, learningRate: options.learningRate)
      bodyGradient = [Float](repeating: 0, count: averageBody.count)
      embeddingGradient = EmbeddingGradient(for: table)
    }
  }

  private func trainStep(
    _ network: inout MultiTaskNetwork, _ state: inout OptimizerState, step: Int, batch: [Int]
  ) -> Double {
    for i in state.bodyGradient.indices { state.bodyGradient[i] = 0 }
    state.embeddingGradient.removeAll()
    let dropout =
      options.dropout > 0 ? (rate: options.dropout, stream: stream.child("dropout", step)) : nil
    let loss: Double
    do {
      let (logits, pullback) = network.forward(rows.gather(batch), dropout: dropout)
      let (value, gradient) = options.objective.loss(
        logits: logits, labels: labels.gatherRows(batch), schema: schema)
      pullback(gradient, &state.bodyGradient, &state.embeddingGradient)
      loss = value
    }
    let remaining = 1 - Float(step) / Float(steps)
    state.adam.learningRate = options.learningRate * remaining
    state.sparse.learningRate = options.learningRate * remaining
    state.adam.step(&network.body.parameters, gradient: state.bodyGradient)
    state.sparse.step(&network.embeddings.parameters, gradient: state.embeddingGradient)
    // Early on a shorter memory, so that the first weights do not linger.
    let t = Float(step + 1)
    let decay = min(options.averageDecay, (1 + t) / (10 + t))
    VectorMath.blend(&state.averageBody, toward: network.body.parameters, rate: 1 - decay)
    VectorMath.blend(
      &state.averageEmbeddings, toward: network.embeddings.parameters, rate: 1 - decay)
    return loss
  }
}
