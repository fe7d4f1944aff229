package import DenseKernels
package import FusionMDP
package import SeededRandom

/// How well the predictions of one task fit held-out labels; what is not finite is nil.
package struct TaskEvaluation: Sendable, Equatable {
  /// The task's name.
  package var task: String
  /// Rows, and how many of them are positive (nil for tasks in seconds).
  package var rows: Int
  package var positives: Int?
  /// Area under the ROC curve with its 95 % interval, nil for tasks in seconds or one class.
  package var areaUnderCurve: Double?
  package var low: Double?
  package var high: Double?
  /// Mean of −log p(label), and that of the training rows' base rate.
  package var logLoss: Double?
  package var constantLogLoss: Double?
  /// Expected calibration error over 15 bins of equal mass (of log seconds for such tasks).
  package var calibrationError: Double?
  /// Mean prediction over mean label; nil when all labels are 0.
  package var meanRatio: Double?
  /// For tasks in seconds, of log(1 + seconds); beside it that of the training mean.
  package var rootMeanSquaredError: Double?
  package var constantRootMeanSquaredError: Double?
  package var rankCorrelation: Double?

  /// The evaluation with nil for what is not finite.
  func finite() -> TaskEvaluation {
    var result = self
    for measure in [
      \TaskEvaluation.areaUnderCurve, \.low, \.high, \.logLoss, \.constantLogLoss,
      \.calibrationError, \.meanRatio, \.rootMeanSquaredError, \.constantRootMeanSquaredError,
      \.rankCorrelation,
    ] where result[keyPath: measure]?.isFinite == false {
      result[keyPath: measure] = nil
    }
    return result
  }
}

/// Evaluates logits on held-out rows, with intervals from resampling users.
package struct TaskEvaluator: Sendable {
  private let schema: TaskSchema
  private let labels: Matrix
  private let trainingMeans: [Float]
  /// How often each row counts in each replicate, by users drawn with replacement.
  private let replicates: [[Double]]

  /// An evaluator for held-out rows.
  ///
  /// - Parameters:
  ///   - labels: [B, K]; log(1 + seconds) for tasks in seconds.
  ///   - users: [B] who they belong to.
  ///   - trainingMeans: [K] the mean labels of the training rows, the constant prediction.
  ///   - replicates: how many times users are drawn; the interval is from the 2.5 % to the
  ///     97.5 % quantile.
  package init(
    schema: TaskSchema, labels: Matrix, users: [Int], trainingMeans: [Float],
    replicates: Int = 200, stream: RandomStream
  ) {
    precondition(labels.rows > 0 && users.count == labels.rows, "no rows to evaluate")
    self.schema = schema
    self.labels = labels
    self.trainingMeans = trainingMeans
    var stream = stream
    let distinct = Array(Set(users)).sorted()
    let position = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
    let rowUsers = users.map { position[$0] ?? 0 }
    self.replicates = (0..<replicates).map { _ in
      var counts = [Double](repeating: 0, count: distinct.count)
      for drawn in stream.indices(below: distinct.count, count: distinct.count) {
        counts[drawn] += 1
      }
      return rowUsers.map { counts[$0] }
    }
  }

  /// The measures of every task.  Shapes: logits [B, K] as a model gives them.
  package func evaluate(logits: Matrix) -> [TaskEvaluation] {
    precondition(logits.rows == labels.rows && logits.columns == schema.count)
    return schema.tasks.indices.map { k in
      let prediction = logits.columns(k..<k + 1).values
      let label = labels.columns(k..<k + 1).values
      let isProbability = schema.tasks[k].domain == .probability
      // What is no number has no rank, and says nothing else either.
      guard !prediction.contains(where: \.isNaN) else {
        return TaskEvaluation(
          task: schema.tasks[k].name, rows: label.count,
          positives: isProbability ? label.count { $0 == 1 } : nil)
      }
      return isProbability
        ? probability(k, prediction, label).finite() : seconds(k, prediction, label).finite()
    }
  }

  private func probability(_ k: Int, _ logits: [Float], _ label: [Float]) -> TaskEvaluation {
    let probabilities = VectorMath.sigmoid(logits)
    let order = TaskMetrics.ascending(logits)
    let draws = replicates.compactMap {
      TaskMetrics.areaUnderCurve(scores: logits, labels: label, weights: $0, order: order)
    }.sorted()
    let rate = trainingMeans[k]
    // Without both classes in training the constant is certain, and its loss not finite.
    let constant = rate > 0 && rate < 1 ? VectorMath.log([rate / (1 - rate)])[0] : nil
    return TaskEvaluation(
      task: schema.tasks[k].name, rows: label.count, positives: label.count { $0 == 1 },
      areaUnderCurve: TaskMetrics.areaUnderCurve(scores: logits, labels: label, order: order),
      low: Self.quantile(draws, 0.025), high: Self.quantile(draws, 0.975),
      logLoss: TaskMetrics.logLoss(logits: logits, labels: label),
      constantLogLoss: constant.map { constant in
        TaskMetrics.logLoss(
          logits: [Float](repeating: constant, count: label.count), labels: label)
      },
      calibrationError: TaskMetrics.calibrationError(predictions: probabilities, labels: label),
      meanRatio: Self.ratio(probabilities, label))
  }

  private func seconds(_ k: Int, _ prediction: [Float], _ label: [Float]) -> TaskEvaluation {
    let constant = [Float](repeating: trainingMeans[k], count: label.count)
    return TaskEvaluation(
      task: schema.tasks[k].name, rows: label.count,
      calibrationError: TaskMetrics.calibrationError(predictions: prediction, labels: label),
      meanRatio: Self.ratio(prediction, label),
      rootMeanSquaredError: TaskMetrics.rootMeanSquaredError(
        predictions: prediction, labels: label),
      constantRootMeanSquaredError: TaskMetrics.rootMeanSquaredError(
        predictions: constant, labels: label),
      rankCorrelation: TaskMetrics.rankCorrelation(prediction, label))
  }

  private static func ratio(_ predictions: [Float], _ labels: [Float]) -> Double? {
    let sum = VectorMath.preciseSum(labels)
    return sum > 0 ? VectorMath.preciseSum(predictions) / sum : nil
  }

  /// The quantile of sorted values, nil without any.
  private static func quantile(_ sorted: [Double], _ q: Double) -> Double? {
    guard !sorted.isEmpty else { return nil }
    return sorted[min(Int((q * Double(sorted.count)).rounded(.down)), sorted.count - 1)]
  }
}
