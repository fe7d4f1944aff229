import FusionMDP
import MultiTaskModels

/// The configuration of `tasks train`: sizes, loss weights and sample spaces by name.
struct TaskTrainingConfiguration: Codable, Equatable {
  /// The architecture: ple, mmoe or shared_bottom; its sizes stand below.
  var model = "ple"
  var ple = ProgressiveExtraction.Sizes()
  var mmoe = MixtureOfExperts.Sizes()
  var sharedBottom = SharedBottom.Sizes()
  /// How often each training row is visited.
  var epochs: Int
  var batchSize: Int
  var learningRate: Float
  var dropout: Float
  var embeddingDimension: Int
  var averageDecay: Float
  var minimumIDCount: Int
  /// How many networks are averaged.
  var members: Int
  var huberThreshold: Float
  /// The weight of each task in the loss.
  var lossWeights: [String: Float]
  /// The rows that a task is learned from: `all`, or the task that must be positive there.
  var sampleSpaces: [String: String]

  private static let everywhere = "all"

  /// The defaults of the KuaiRand model.
  init() {
    let options = MultiTaskTrainingOptions()
    epochs = options.epochs
    batchSize = options.batchSize
    learningRate = options.learningRate
    dropout = options.dropout
    embeddingDimension = options.embeddingDimension
    averageDecay = options.averageDecay
    minimumIDCount = options.minimumIDCount
    members = options.members
    huberThreshold = options.objective.huberThreshold
    let names = TaskSchema.standard.names
    lossWeights = Dictionary(uniqueKeysWithValues: zip(names, options.objective.weights))
    sampleSpaces = Dictionary(uniqueKeysWithValues: names.map { ($0, Self.everywhere) })
  }

  /// The training options.
  ///
  /// - Throws: `CommandFailure.usage` naming the key that is wrong.
  func options() throws -> MultiTaskTrainingOptions {
    let schema = TaskSchema.standard
    let architecture: TaskArchitecture
    switch model {
    case "ple": architecture = .progressiveExtraction(ple)
    case "mmoe": architecture = .mixtureOfExperts(mmoe)
    case "shared_bottom": architecture = .sharedBottom(sharedBottom)
    default:
      throw CommandFailure.usage("model: expected ple, mmoe or shared_bottom, found '\(model)'")
    }
    let objective = TaskObjective(
      weights: schema.names.map { lossWeights[$0] ?? 0 },
      spaces: schema.names.map { name in
        let space = sampleSpaces[name] ?? Self.everywhere
        return space == Self.everywhere ? .all : .wherePositive(task: space)
      }, huberThreshold: huberThreshold)
    let options = MultiTaskTrainingOptions(
      architecture: architecture, objective: objective, epochs: epochs, batchSize: batchSize,
      learningRate: learningRate, dropout: dropout, embeddingDimension: embeddingDimension,
      averageDecay: averageDecay, minimumIDCount: minimumIDCount, members: members)
    do {
      try options.validate(schema: schema)
    } catch {
      throw CommandFailure.usage(error.description)
    }
    return options
  }
}
