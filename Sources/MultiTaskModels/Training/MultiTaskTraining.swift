package import DenseKernels
package import FusionMDP
import NeuralNetworks
package import SeededRandom

/// Why a multi-task model cannot be trained.
package enum MultiTaskTrainingError: Error, Equatable, CustomStringConvertible {
  /// There is no row to learn from.
  case noTrainingRows
  /// All labels of a task are the same on the rows it is learned from.
  case singleClass(task: String, label: Float, rows: Int)
  /// A label is not 0 or 1 (or not a finite number ≥ 0, in log seconds).
  case badLabel(task: String, row: Int, found: Float)
  /// An option has a value that no training can have.
  case badOption(option: String, expected: String, found: String)
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
    case .badOption(let option, let expected, let found):
      "option \(option): expected \(expected), found \(found)"
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
    precondition(
      options.batchSize > 0 && options.epochs > 0 && options.members > 0,
      "nothing to train: \(options)")
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
    return state.average
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
    var bodyAdam, linearAdam: Adam
    var sparse: SparseAdam
    var gradients: MultiTaskNetwork.Gradients
    var average: MultiTaskNetwork

    init(_ network: MultiTaskNetwork, _ options: MultiTaskTrainingOptions) {
      let rate = options.learningRate
      let table = network.embeddings
      bodyAdam = Adam(parameterCount: network.body.layout.count, learningRate: rate)
      linearAdam = Adam(parameterCount: network.linear.layout.count, learningRate: rate)
      sparse = SparseAdam(rows: table.rows, dimension: table.dimension, learningRate: rate)
      gradients = MultiTaskNetwork.Gradients(of: network)
      average = network
    }

    mutating func step(_ network: inout MultiTaskNetwork, learningRate: Float) {
      bodyAdam.learningRate = learningRate
      linearAdam.learningRate = learningRate
      sparse.learningRate = learningRate
      bodyAdam.step(&network.body.parameters, gradient: gradients.body)
      linearAdam.step(&network.linear.parameters, gradient: gradients.linear)
      sparse.step(&network.embeddings.parameters, gradient: gradients.embeddings)
    }

    mutating func follow(_ network: MultiTaskNetwork, rate: Float) {
      VectorMath.blend(
        &average.body.parameters, toward: network.body.parameters, rate: rate)
      VectorMath.blend(
        &average.linear.parameters, toward: network.linear.parameters, rate: rate)
      VectorMath.blend(
        &average.embeddings.parameters, toward: network.embeddings.parameters, rate: rate)
    }
  }

  private func trainStep(
    _ network: inout MultiTaskNetwork, _ state: inout OptimizerState, step: Int, batch: [Int]
  ) -> Double {
    state.gradients.clear()
    let dropout =
      options.dropout > 0 ? (rate: options.dropout, stream: stream.child("dropout", step)) : nil
    let loss: Double
    do {
      let (logits, pullback) = network.forward(rows.gather(batch), dropout: dropout)
      let (value, gradient) = options.objective.loss(
        logits: logits, labels: labels.gatherRows(batch), schema: schema)
      pullback(gradient, &state.gradients)
      loss = value
    }
    let remaining = 1 - Float(step) / Float(steps)
    state.step(&network, learningRate: options.learningRate * remaining)
    // Early on a shorter memory, so that the first weights do not linger.
    let t = Float(step + 1)
    let decay = min(options.averageDecay, (1 + t) / (10 + t))
    state.follow(network, rate: 1 - decay)
    return loss
  }
}
