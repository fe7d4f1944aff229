package import FusionMDP

/// How a multi-task model is trained.
package struct MultiTaskTrainingOptions: Sendable, Equatable, Codable {
  /// What is learned.
  package var architecture: TaskArchitecture
  /// What is minimized.
  package var objective: TaskObjective
  /// How often the training rows are visited, each time without the rest of the last batch.
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
  /// Ids that stand less often in training share the vector of the unknown.
  package var minimumIDCount: Int
  /// How many networks are trained, each from its own stream; the logits are their mean.
  package var members: Int

  /// Options; defaults are those of the KuaiRand model, chosen on 3 and 4 May after training up
  /// to 2 May.
  package init(
    architecture: TaskArchitecture = .progressiveExtraction(.init()),
    objective: TaskObjective = .standard, epochs: Int = 4, batchSize: Int = 512,
    learningRate: Float = 2e-3, dropout: Float = 0.05, embeddingDimension: Int = 4,
    averageDecay: Float = 0.995, minimumIDCount: Int = 20, members: Int = 3
  ) {
    self.architecture = architecture
    self.objective = objective
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.dropout = dropout
    self.embeddingDimension = embeddingDimension
    self.averageDecay = averageDecay
    self.minimumIDCount = minimumIDCount
    self.members = members
  }
}

extension MultiTaskTrainingOptions {
  /// Checks every option for K tasks.
  ///
  /// - Throws: `MultiTaskTrainingError.badOption` for the first that is impossible.
  package func validate(schema: TaskSchema) throws(MultiTaskTrainingError) {
    func check(
      _ option: String, _ isGood: Bool, _ expected: String, _ found: some Any
    ) throws(MultiTaskTrainingError) {
      guard isGood else {
        throw .badOption(option: option, expected: expected, found: "\(found)")
      }
    }
    func size(_ option: String, _ value: Int, from low: Int = 1) throws(MultiTaskTrainingError) {
      try check(option, (low...4096).contains(value), "\(low) to 4096", value)
    }
    try size("epochs", epochs)
    try check("batchSize", (1...1_000_000).contains(batchSize), "1 to 1000000", batchSize)
    try check("learningRate", learningRate > 0 && learningRate < 10, "above 0", learningRate)
    try check("dropout", dropout >= 0 && dropout < 0.99, "0 or more, below 0.99", dropout)
    try size("embeddingDimension", embeddingDimension)
    try check("averageDecay", averageDecay >= 0 && averageDecay < 1, "0 to 1", averageDecay)
    try check("minimumIDCount", minimumIDCount > 0, "1 or more", minimumIDCount)
    try size("members", members)
    for value in architecture.sizes {
      try size("architecture.\(value.name)", value.size, from: value.low)
    }
    let k = schema.count
    try check("objective.weights", objective.weights.count == k, "\(k) weights", objective.weights)
    try check("objective.spaces", objective.spaces.count == k, "\(k) spaces", objective.spaces)
    let isGood = objective.weights.allSatisfy { $0 >= 0 && $0.isFinite }
    try check("objective.weights", isGood, "finite numbers, 0 or more", objective.weights)
    try check(
      "objective.huberThreshold", objective.huberThreshold > 0, "above 0",
      objective.huberThreshold)
    for space in objective.spaces {
      guard case .wherePositive(let name) = space else { continue }
      let task = schema.index(of: name).map { schema.tasks[$0] }
      try check(
        "objective.spaces", task?.domain == .probability, "the name of a task with labels 0 or 1",
        name)
    }
  }
}

extension TaskArchitecture {
  /// Every size with its name and the least that it may be.
  fileprivate var sizes: [(name: String, size: Int, low: Int)] {
    switch self {
    case .progressiveExtraction(let sizes):
      [
        ("width", sizes.width, 1), ("sharedExperts", sizes.sharedExperts, 1),
        ("taskExperts", sizes.taskExperts, 1), ("levels", sizes.levels, 1),
      ]
    case .mixtureOfExperts(let sizes):
      [
        ("width", sizes.width, 1), ("experts", sizes.experts, 1),
        ("towerWidth", sizes.towerWidth, 0),
      ]
    case .sharedBottom(let sizes):
      [("hidden.count", sizes.hidden.count, 1)] + sizes.hidden.map { ("hidden", $0, 1) }
    }
  }
}
