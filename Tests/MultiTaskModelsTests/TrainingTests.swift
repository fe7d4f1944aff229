import DenseKernels
import FusionMDP
import MultiTaskModels
import SeededRandom
import Testing

/// 600 impressions whose behaviors follow one number of the user, so that they can be learned.
private struct Learnable {
  let features: FeatureRows
  var labels: Matrix
  let isTraining: [Bool]

  init() {
    var stream = RandomStream(seed: 11, name: "learnable")
    let n = 600
    let numbers = Matrix(rows: n, columns: 3, values: stream.gaussians(n * 3))
    labels = Matrix(rows: n, columns: 12)
    for row in 0..<n {
      let logit = 3 * numbers[row, 0]
      for k in 0..<11 {
        labels[row, k] = logit + Float(stream.gaussian()) > (k == 10 ? 1 : -1) ? 1 : 0
      }
      labels[row, 11] = max(0, 2 + numbers[row, 1] + 0.1 * Float(stream.gaussian()))
    }
    features = FeatureRows(
      numbers: numbers, categories: [stream.indices(below: 4, count: n)])
    isTraining = (0..<n).map { $0 < 400 }
  }

  func train(
    _ architecture: TaskArchitecture, seed: UInt64 = 1, epochs: Int = 20,
    change: (inout MultiTaskTrainingOptions) -> Void = { _ in }
  ) throws -> MultiTaskModel {
    var options = MultiTaskTrainingOptions(
      architecture: architecture, epochs: epochs, batchSize: 50, learningRate: 5e-3)
    change(&options)
    return try MultiTaskModel.train(
      features: features, labels: labels, isTraining: isTraining, idCategories: [false],
      schema: .standard, options: options, stream: RandomStream(seed: seed, name: "training"))
  }

  var heldOut: FeatureRows { features.gather(Array(400..<600)) }
}

private let architectures: [TaskArchitecture] = [
  .progressiveExtraction(.init(width: 8)), .mixtureOfExperts(.init(width: 8, experts: 3)),
  .sharedBottom(.init(hidden: [16])),
]

@Suite("training")
struct TrainingTests {
  @Test("each architecture learns what can be learned", arguments: architectures)
  func learns(_ architecture: TaskArchitecture) throws {
    let data = Learnable()
    let logits = try data.train(architecture).logits(data.heldOut)
    let labels = data.labels.rows(400..<600)
    for k in [0, 5, 10] {
      let area = TaskMetrics.areaUnderCurve(
        scores: logits.columns(k..<k + 1).values, labels: labels.columns(k..<k + 1).values)
      #expect(try #require(area) > 0.93, "\(architecture.name), task \(k)")
    }
    let error = TaskMetrics.rootMeanSquaredError(
      predictions: logits.columns(11..<12).values, labels: labels.columns(11..<12).values)
    #expect(error < 0.4, "\(architecture.name): the labels deviate by 1")  // of 0.1 possible
  }

  @Test("the same seed gives the same bits, another seed others", arguments: architectures)
  func deterministic(_ architecture: TaskArchitecture) throws {
    let data = Learnable()
    let first = try data.train(architecture, epochs: 2).scores(data.heldOut)
    let second = try data.train(architecture, epochs: 2).scores(data.heldOut)
    let other = try data.train(architecture, seed: 2, epochs: 2).scores(data.heldOut)
    #expect(first == second && first != other)
  }

  @Test("labels of held-out rows change nothing")
  func heldOutLabels() throws {
    var data = Learnable()
    let first = try data.train(architectures[0], epochs: 1).scores(data.heldOut)
    for row in 400..<600 {
      for k in 0..<12 { data.labels[row, k] = 1 }
    }
    #expect(try data.train(architectures[0], epochs: 1).scores(data.heldOut) == first)
  }

  @Test("a task learned where another is positive ignores its labels elsewhere")
  func sampleSpace() throws {
    var data = Learnable()
    let change = { (options: inout MultiTaskTrainingOptions) in
      options.objective.spaces[2] = .wherePositive(task: "click")
    }
    let first = try data.train(architectures[2], epochs: 2, change: change)
    let before = data.labels
    for row in 0..<400 where data.labels[row, 0] == 0 { data.labels[row, 2] = 1 }
    #expect(data.labels != before)
    let second = try data.train(architectures[2], epochs: 2, change: change)
    #expect(first.scores(data.heldOut) == second.scores(data.heldOut))
    let everywhere = try data.train(architectures[2], epochs: 2)
    #expect(everywhere.scores(data.heldOut) != second.scores(data.heldOut))
  }

  @Test("a task with weight 0 moves nothing")
  func zeroWeight() throws {
    var data = Learnable()
    let change = { (options: inout MultiTaskTrainingOptions) in options.objective.weights[3] = 0 }
    let first = try data.train(architectures[2], epochs: 1, change: change)
    for row in 0..<400 { data.labels[row, 3] = 1 - data.labels[row, 3] }
    let second = try data.train(architectures[2], epochs: 1, change: change)
    #expect(first.scores(data.heldOut) == second.scores(data.heldOut))
  }

  @Test("no rows, one class, an impossible label and a loss that is no number are errors")
  func errors() throws {
    let data = Learnable()
    #expect(throws: MultiTaskTrainingError.noTrainingRows) {
      try MultiTaskModel.train(
        features: data.features, labels: data.labels,
        isTraining: [Bool](repeating: false, count: 600), idCategories: [false],
        schema: .standard, options: MultiTaskTrainingOptions(),
        stream: RandomStream(seed: 1, name: "training"))
    }
    var single = data
    for row in 0..<400 { single.labels[row, 6] = 0 }
    #expect(throws: MultiTaskTrainingError.singleClass(task: "hate", label: 0, rows: 400)) {
      try single.train(architectures[2])
    }
    var bad = data
    bad.labels[17, 4] = 0.5
    #expect(throws: MultiTaskTrainingError.badLabel(task: "comment", row: 17, found: 0.5)) {
      try bad.train(architectures[2])
    }
    #expect(throws: MultiTaskTrainingError.self) {
      try data.train(architectures[2]) { $0.learningRate = .infinity }
    }
  }

  @Test("progress comes to its end, and what it throws stops training")
  func progress() throws {
    struct Stop: Error {}
    let data = Learnable()
    let options = MultiTaskTrainingOptions(
      architecture: architectures[2], epochs: 2, batchSize: 50, members: 2)
    func run(_ body: (MultiTaskTrainingProgress) throws -> Void) throws {
      _ = try MultiTaskModel.train(
        features: data.features, labels: data.labels, isTraining: data.isTraining,
        idCategories: [false], schema: .standard, options: options,
        stream: RandomStream(seed: 1, name: "training"), progress: body)
    }
    var steps: [Int] = []
    try run { steps.append($0.step) }
    #expect(steps.last == 32 && steps == steps.sorted())
    #expect(throws: Stop.self) { try run { _ in throw Stop() } }
  }

  @Test("the loss of a batch is that worked by hand")
  func objective() throws {
    let schema = try TaskSchema([
      BehaviorTask(name: "click", domain: .probability, polarity: .positive),
      BehaviorTask(name: "like", domain: .probability, polarity: .positive),
      BehaviorTask(name: "watch_time", domain: .seconds, polarity: .positive),
    ])
    let objective = TaskObjective(
      weights: [1, 2, 0.5], spaces: [.all, .wherePositive(task: "click"), .all],
      huberThreshold: 2)
    let logits = Matrix(rows: 2, columns: 3, values: [0, 0, 1, 0, 5, 4])
    let labels = Matrix(rows: 2, columns: 3, values: [1, 1, 0, 0, 1, 0])
    let (value, gradient) = objective.loss(logits: logits, labels: labels, schema: schema)
    // (log 2 + 2·log 2 + 0.5·1/2 + log 2 + 0 + 0.5·2·(4 − 1)) / 2
    #expect(abs(value - (4 * 0.6931472 + 0.25 + 3) / 2) < 1e-6)
    #expect(gradient.values == [-0.25, -0.5, 0.25, 0.25, 0, 0.5])
  }

  @Test("the baseline of logistic regressions learns linear tasks")
  func baseline() throws {
    let data = Learnable()
    let rows = data.features.gather(Array(0..<400))
    let encoder = InputEncoder(fittedTo: rows, idCategories: [false])
    var options = LogisticBaseline.Options()
    options.learningRate = 0.02
    options.batchSize = 50
    options.epochs = 20
    let baseline = LogisticBaseline(
      fittedTo: encoder.encode(rows), labels: data.labels.rows(0..<400),
      tableRows: encoder.tableRows, schema: .standard, options: options,
      stream: RandomStream(seed: 1, name: "baseline"))
    let logits = baseline(encoder.encode(data.heldOut))
    let area = TaskMetrics.areaUnderCurve(
      scores: logits.columns(0..<1).values,
      labels: data.labels.rows(400..<600).columns(0..<1).values)
    #expect(try #require(area) > 0.95)
  }
}
