import DenseKernels
import FusionMDP
package import MultiTaskModels
import SeededRandom

/// Features of a log made once, from which models are trained, evaluated and asked for scores.
package struct TaskModelStage: Sendable {
  /// The data with its split.
  package let data: KuaiRandTaskData
  /// The statistics after all training rows; scores of candidates start from here.
  package let builder: FeatureBuilder
  /// The features of every impression as of its time.
  package let features: FeatureRows

  /// Walks the log once.
  package init(_ data: KuaiRandTaskData) {
    self.data = data
    var builder = FeatureBuilder(users: data.users, videos: data.videos)
    features = builder.features(of: data.impressions)
    self.builder = builder
  }

  /// Which categories are hashed ids.
  private var idCategories: [Bool] {
    builder.categoryNames.map { builder.idCategories.contains($0) }
  }

  /// Trains a model on the training rows.
  ///
  /// - Throws: `MultiTaskTrainingError`, and what `progress` throws.
  package func train(
    _ options: MultiTaskTrainingOptions = MultiTaskTrainingOptions(), seed: UInt64,
    name: String = "ranker",
    progress: (MultiTaskTrainingProgress) throws -> Void = { _ in }
  ) throws -> MultiTaskModel {
    try MultiTaskModel.train(
      features: features, labels: data.impressions.labels,
      isTraining: data.impressions.isTraining, idCategories: idCategories,
      schema: builder.schema, options: options,
      stream: RandomStream(seed: seed, name: "tasks.\(name)"), progress: progress)
  }

  /// Fits a logistic regression a task on the same inputs as a model.
  package func trainBaseline(inputsOf model: MultiTaskModel, seed: UInt64) -> LogisticBaseline {
    let training = data.impressions.isTraining.indices.filter { data.impressions.isTraining[$0] }
    return LogisticBaseline(
      fittedTo: model.encoder.encode(features.gather(training)),
      labels: data.impressions.labels.gatherRows(training), tableRows: model.encoder.tableRows,
      schema: builder.schema, stream: RandomStream(seed: seed, name: "tasks.baseline"))
  }

  /// What evaluates logits of the held-out rows.
  package func evaluator(seed: UInt64, replicates: Int = 200) -> TaskEvaluator {
    let (rows, log) = (data.heldOut, data.impressions)
    let training = log.isTraining.indices.filter { log.isTraining[$0] }
    let sums = log.labels.gatherRows(training).columnSums()
    return TaskEvaluator(
      schema: builder.schema, labels: log.labels.gatherRows(rows),
      users: rows.map { log.users[$0] }, trainingMeans: sums.map { $0 / Float(training.count) },
      replicates: replicates, stream: RandomStream(seed: seed, name: "tasks.bootstrap"))
  }

  /// The features of the held-out rows.
  package var heldOutFeatures: FeatureRows { features.gather(data.heldOut) }
}
