import DenseKernels
import FusionMDP
import MultiTaskModels
import SeededRandom
import Testing

@Suite("evaluation")
struct EvaluationTests {
  @Test("the area under the curve counts ties half and weights as repeats")
  func areaUnderCurve() throws {
    // Pairs: 0.9 beats 0.1 and 0.5; 0.5 beats 0.1 and ties with 0.5: 3.5 of 4.
    let area = TaskMetrics.areaUnderCurve(scores: [0.9, 0.5, 0.5, 0.1], labels: [1, 1, 0, 0])
    #expect(area == 0.875)
    let weighted = TaskMetrics.areaUnderCurve(
      scores: [0.9, 0.5, 0.5, 0.1], labels: [1, 1, 0, 0], weights: [1, 2, 3, 0])
    let repeated = TaskMetrics.areaUnderCurve(
      scores: [0.9, 0.5, 0.5, 0.5, 0.5, 0.5], labels: [1, 1, 1, 0, 0, 0])
    #expect(weighted == repeated && weighted == Optional(2.0 / 3))
    #expect(TaskMetrics.areaUnderCurve(scores: [1, 2], labels: [1, 1]) == nil)
  }

  @Test("log loss, calibration error, error and rank correlation are those worked by hand")
  func measures() {
    // −log σ(0) = log 2, −log(1 − σ(log 3)) = log 4
    let loss = TaskMetrics.logLoss(logits: [0, 1.0986123], labels: [1, 0])
    #expect(abs(loss - (0.6931472 + 1.3862944) / 2) < 1e-6)
    // Two bins: (0.1 + 0.3 − 0 − 1)/2 = −0.3 and (0.6 + 0.8 − 1 − 1)/2 = −0.3.
    let error = TaskMetrics.calibrationError(
      predictions: [0.8, 0.1, 0.6, 0.3], labels: [1, 0, 1, 1], bins: 2)
    #expect(abs(error - 0.3) < 1e-6)
    #expect(
      TaskMetrics.rootMeanSquaredError(predictions: [1, 2], labels: [2, 4]) == 2.5.squareRoot())
    // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: covariance 4.5, squares 4.5 and 5.
    let correlation = TaskMetrics.rankCorrelation([1, 5, 5, 9], [10, 20, 30, 40])
    #expect(abs(correlation - 4.5 / (4.5 * 5).squareRoot()) < 1e-12)
  }

  @Test("intervals hold the estimate and are wider when fewer users made the rows")
  func intervals() throws {
    var stream = RandomStream(seed: 2, name: "evaluation")
    let n = 400
    var logits = Matrix(rows: n, columns: 12)
    var labels = Matrix(rows: n, columns: 12)
    var users: [Int] = []
    for row in 0..<n {
      let user = row / 40
      users.append(user)
      for k in 0..<12 {
        logits[row, k] = Float(stream.gaussian())
        let pull = user % 2 == 0 ? logits[row, k] : -0.3 * logits[row, k]
        labels[row, k] = 2 * pull + Float(stream.gaussian()) > 0 ? 1 : 0
      }
    }
    let means = [Float](repeating: 0.5, count: 12)
    func width(_ users: [Int]) throws -> Double {
      let evaluation = TaskEvaluator(
        schema: .standard, labels: labels, users: users, trainingMeans: means,
        stream: RandomStream(seed: 1, name: "bootstrap")
      ).evaluate(logits: logits)[0]
      let (low, high) = (try #require(evaluation.low), try #require(evaluation.high))
      #expect(low < (evaluation.areaUnderCurve ?? 0) && (evaluation.areaUnderCurve ?? 0) < high)
      return high - low
    }
    #expect(try width(users) > 1.5 * width(Array(0..<n)))
  }

  @Test("a task without positives has no curve, no ratio and no loss of a constant")
  func oneClass() {
    let evaluator = TaskEvaluator(
      schema: .standard, labels: Matrix(rows: 20, columns: 12), users: Array(0..<20),
      trainingMeans: [Float](repeating: 0, count: 12), replicates: 10,
      stream: RandomStream(seed: 1, name: "bootstrap"))
    let found = evaluator.evaluate(logits: Matrix(rows: 20, columns: 12, repeating: -3))[2]
    #expect(found.positives == 0 && found.areaUnderCurve == nil && found.low == nil)
    #expect(found.meanRatio == nil && found.constantLogLoss == nil)
    // log(1 + e⁻³)
    #expect(abs((found.logLoss ?? 0) - 0.0485874) < 1e-6)
    #expect(abs((found.calibrationError ?? 0) - 0.0474259) < 1e-6)
  }

  @Test("logits that are no numbers, or too large, give no measures instead of NaN")
  func notFinite() {
    var labels = Matrix(rows: 20, columns: 12)
    for row in 0..<10 { for task in 0..<12 { labels[row, task] = 1 } }
    let evaluator = TaskEvaluator(
      schema: .standard, labels: labels, users: Array(0..<20),
      trainingMeans: [Float](repeating: .nan, count: 12), replicates: 10,
      stream: RandomStream(seed: 1, name: "bootstrap"))
    var logits = Matrix(rows: 20, columns: 12, repeating: .infinity)
    for row in 0..<20 { logits[row, 2] = row == 7 ? .nan : 0 }
    let found = evaluator.evaluate(logits: logits)
    #expect(found[2].task == "like" && found[2].rows == 20 && found[2].positives == 10)
    #expect(found[2].areaUnderCurve == nil && found[2].calibrationError == nil)
    #expect(found[0].logLoss == nil && found[0].areaUnderCurve == 0.5)
    #expect(found[11].rootMeanSquaredError == nil && found[11].calibrationError == nil)
    #expect(found[11].constantRootMeanSquaredError == nil && found[11].positives == nil)
  }

  @Test("seconds rise with predicted log seconds and keep their mean")
  func secondsMap() {
    let predictions: [Float] = [1, 2, 3, 4]
    let labels = VectorMath.log([11, 5, 21, 41])  // 10, 4, 20, 40 seconds
    let map = SecondsMap(predictions: predictions, labels: labels)
    // 10 and 4 violate the order and are pooled at 1.5: 7.
    #expect(map.inputs == [1.5, 3, 4])
    for (found, expected) in zip(map.outputs, [7, 20, 40] as [Float]) {
      #expect(abs(found - expected) < 1e-4)
    }
    #expect(abs(map(2.25) - 13.5) < 1e-4 && abs(map(-9) - 7) < 1e-4 && abs(map(9) - 40) < 1e-4)
  }

  @Test("scores are probabilities and seconds, and a table holds the same as single users")
  func scoreTable() throws {
    let log = SmallLog.impressions(200)
    var builder = SmallLog.builder
    let features = builder.features(of: log)
    let model = try MultiTaskModel.train(
      features: features, labels: log.labels, isTraining: log.isTraining,
      idCategories: builder.categoryNames.map { builder.idCategories.contains($0) },
      schema: .standard,
      options: MultiTaskTrainingOptions(epochs: 1, batchSize: 50),
      stream: RandomStream(seed: 1, name: "table"))
    let table = model.scoreTable(
      users: [3, 0], videos: [1, 5, 6], builder: builder, context: ServingContext()
    ) { _ in }
    #expect(table.count == 2 * 3 * 12)
    let alone = model.scoreTable(
      users: [0], videos: [1, 5, 6], builder: builder, context: ServingContext()
    ) { _ in }
    #expect(Array(table[36...]) == alone)
    for (i, score) in table.enumerated() {
      #expect(TaskSchema.standard.tasks[i % 12].domain.contains(score))
    }
  }
}
