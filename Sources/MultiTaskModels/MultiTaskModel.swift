package import DenseKernels
package import FusionMDP
package import SeededRandom

/// A trained multi-task model: features of impressions or candidates to task scores.
package struct MultiTaskModel: Sendable {
  /// The tasks, one column of scores each.
  package let schema: TaskSchema
  /// What it was trained with.
  package let options: MultiTaskTrainingOptions
  /// How features become inputs.
  package let encoder: InputEncoder
  /// The trained networks; logits are the mean of theirs.
  package let networks: [MultiTaskNetwork]
  /// From predicted log seconds to expected seconds, one a task in seconds.
  package let secondsMaps: [SecondsMap]

  /// A model of given parts.
  package init(
    schema: TaskSchema, options: MultiTaskTrainingOptions, encoder: InputEncoder,
    networks: [MultiTaskNetwork], secondsMaps: [SecondsMap]
  ) {
    precondition(!networks.isEmpty, "a model without a network")
    precondition(secondsMaps.count == schema.tasks.count { $0.domain == .seconds })
    self.schema = schema
    self.options = options
    self.encoder = encoder
    self.networks = networks
    self.secondsMaps = secondsMaps
  }

  /// Trains a model on the training rows of a log.
  ///
  /// - Parameters:
  ///   - features: of all rows of the log, as `FeatureBuilder` gives them.
  ///   - labels: [N, K] of all rows; only those of training rows are read.
  ///   - idCategories: which categories are hashed ids, [F].
  ///   - isTraining: [N]
  /// - Throws: `MultiTaskTrainingError`, and what `progress` throws.
  package static func train(
    features: FeatureRows, labels: Matrix, isTraining: [Bool], idCategories: [Bool],
    schema: TaskSchema, options: MultiTaskTrainingOptions, stream: RandomStream,
    progress: (MultiTaskTrainingProgress) throws -> Void = { _ in }
  ) throws -> MultiTaskModel {
    try options.validate(schema: schema)
    let training = isTraining.indices.filter { isTraining[$0] }
    guard !training.isEmpty else { throw MultiTaskTrainingError.noTrainingRows }
    let rows = features.gather(training)
    let trainingLabels = labels.gatherRows(training)
    let encoder = InputEncoder(
      fittedTo: rows, idCategories: idCategories, minimumIDCount: options.minimumIDCount)
    let encoded = encoder.encode(rows)
    var networks: [MultiTaskNetwork] = []
    for member in 0..<options.members {
      let run = try MultiTaskTraining(
        options: options, schema: schema, rows: encoded, labels: trainingLabels,
        tableRows: encoder.tableRows, stream: stream.child("member", member))
      networks.append(
        try run.run { report in
          var report = report
          report.step += member * run.steps
          report.steps *= options.members
          try progress(report)
        })
    }
    let logits = Self.logits(networks, encoded)
    let maps = schema.tasks.indices.filter { schema.tasks[$0].domain == .seconds }.map { k in
      SecondsMap(
        predictions: logits.columns(k..<k + 1).values,
        labels: trainingLabels.columns(k..<k + 1).values)
    }
    return MultiTaskModel(
      schema: schema, options: options, encoder: encoder, networks: networks, secondsMaps: maps)
  }

  /// Rows are scored in pieces of this size, so that memory stays small and the bits do not
  /// depend on how many rows are asked for at once.
  private static let piece = 2048

  private static func logits(_ networks: [MultiTaskNetwork], _ rows: EncodedRows) -> Matrix {
    var result: [Float] = []
    for start in stride(from: 0, to: rows.count, by: piece) {
      let part = rows.gather(Array(start..<min(start + piece, rows.count)))
      var sum = networks[0](part)
      for network in networks.dropFirst() { sum.accumulate(network(part)) }
      if networks.count > 1 { VectorMath.scale(&sum.values, by: 1 / Float(networks.count)) }
      result += sum.values
    }
    let columns = result.count / max(rows.count, 1)
    return Matrix(rows: rows.count, columns: columns, values: result)
  }

  /// The logits; for tasks in seconds the mean of log(1 + seconds).  Shapes: B rows → [B, K].
  package func logits(_ rows: FeatureRows) -> Matrix {
    Self.logits(networks, encoder.encode(rows))
  }

  /// Task scores from logits: probabilities, and expected seconds.  Shapes: [B, K] → [B, K].
  package func scores(fromLogits logits: Matrix) -> Matrix {
    var scores = logits
    VectorMath.sigmoid(inPlace: &scores.values)
    let k = schema.count
    let seconds = schema.tasks.indices.filter { schema.tasks[$0].domain == .seconds }
    for (map, task) in zip(secondsMaps, seconds) {
      for row in 0..<logits.rows {
        scores.values[row * k + task] = map(logits.values[row * k + task])
      }
    }
    return scores
  }

  /// Task scores of features: probabilities, and expected seconds.  Shapes: B rows → [B, K].
  package func scores(_ rows: FeatureRows) -> Matrix {
    scores(fromLogits: logits(rows))
  }

  /// Task scores of every one of U users with every one of V videos, in one context.
  ///
  /// Shapes: → [U·V·K], user by user, video by video.
  /// - Parameter progress: called after each user with the count of users done.
  package func scoreTable(
    users: [Int], videos: [Int], builder: FeatureBuilder, context: ServingContext,
    progress: (Int) throws -> Void = { _ in }
  ) rethrows -> [Float] {
    let blocks = builder.pairBlocks(users: users, videos: videos)
    var table: [Float] = []
    table.reserveCapacity(users.count * videos.count * schema.count)
    for position in users.indices {
      table += scores(builder.features(ofUserAt: position, in: blocks, context: context)).values
      try progress(position + 1)
    }
    return table
  }
}
