import ArgumentParser
import BatchRL
import DurableFiles
import FusionMDP
import PolicyArtifacts
import SeededRandom
import TrajectoryPreparation

/// `amalgam train`: a policy from trajectory shards.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a policy on trajectory shards.",
    discussion: """
      The output folder holds the configuration, the latest checkpoint, the reports \
      (stages/train.json) and, when training is done, the policy's artifact (policy/).
      """)

  @Option(
    name: .long,
    help: "What learns: \(LearningAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
  var algorithm: LearningAlgorithm?
  @Option(name: .long, help: "The folder of trajectory shards to train on.")
  var data: String
  @Option(name: .long, help: "The run's folder.")
  var output: String
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @Flag(name: .long, help: "Go on from the checkpoint in the run's folder.")
  var resume = false
  @OptionGroup var common: ConfigurationOptions

  /// The configuration file's keys; what a run's folder keeps.
  struct Settings: Codable {
    var algorithm = LearningAlgorithm.batchRLMTF
    var data = ""
    var seed: UInt64 = 1
    /// The reward's weight of each feedback signal (eq. 2), for shards that hold feedback.
    var rewardWeights = SatisfactionReward.standard
    var training = TrainingConfiguration()
    var learners = LearnerSettings()
    /// What the weights fuse; nil: the twelve standard tasks. It shapes no learning: it stands in the
    /// policy's artifact, for whoever ranks by it.
    var fusion: FusionRecord?

    /// An absent fusion is written as null, so that a configuration shows every key it has.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(algorithm, forKey: .algorithm)
      try container.encode(data, forKey: .data)
      try container.encode(seed, forKey: .seed)
      try container.encode(rewardWeights, forKey: .rewardWeights)
      try container.encode(training, forKey: .training)
      try container.encode(learners, forKey: .learners)
      try container.encode(fusion, forKey: .fusion)
    }

    /// The fusion, whose weights are the actions of the data.
    ///
    /// - Throws: `CommandFailure.usage` if there are not as many, or they have other names.
    func fusion(for source: TrajectoryShards) throws -> FusionDefinition {
      let definition = try fusion?.definition() ?? .standard
      let names = source.manifest.actionNames ?? definition.schema.names
      guard source.actionSize == definition.schema.count, names == definition.schema.names else {
        let found =
          source.manifest.actionNames?.joined(separator: ", ") ?? "\(source.actionSize) weights"
        throw CommandFailure.usage(
          "fusion: expected tasks for the actions of \(data) (\(found)), found "
            + "\(fusion == nil ? "none and so the standard ones: " : "")"
            + definition.schema.names.joined(separator: ", "))
      }
      return definition
    }
  }

  /// What a finished run found.
  struct Found: Codable {
    var algorithm: String
    var policy: String
    var steps: Int
    var stepsPerSecond: Double
    var sessions: Int
    var transitions: Int
    var reports: [TrainingReport]
  }

  func run() throws {
    var settings = try common.configuration(Settings())
    if let algorithm { settings.algorithm = algorithm }
    settings.data = data
    if let seed { settings.seed = seed }
    if let problem = settings.training.problem {
      throw CommandFailure.usage("training.\(problem)")
    }
    if let problem = settings.learners.problem { throw CommandFailure.usage(problem) }
    let source: TrajectoryShards
    do {
      source = try TrajectoryShards(folder: data, reward: settings.rewardWeights)
    } catch let error as PreparationError {
      throw CommandFailure.usage("\(error)")
    }
    let fusion = try settings.fusion(for: source)
    let folder = try RunFolder(path: output, configuration: settings, resume: resume)
    Interruption.shared.install()
    let found = try folder.stage("train") {
      try Self.train(source, settings, fusion, folder)
    }
    if common.json { return try MachineOutput.print(found) }
    try StandardOutput.print(
      "\(found.policy): \(found.algorithm), \(found.steps) steps on \(found.transitions) "
        + "transitions in \(found.sessions) sessions")
  }

  private static func train(
    _ source: TrajectoryShards, _ settings: Settings, _ fusion: FusionDefinition,
    _ folder: RunFolder
  ) throws -> Found {
    let trained = try PolicyTraining(
      label: "train \(settings.algorithm.rawValue)", source: source, settings: settings.training,
      seed: settings.seed, initialization: RandomStream(seed: settings.seed, name: "train"),
      checkpoint: folder.file("checkpoint.safetensors"))(settings.algorithm, settings.learners)
    let path = folder.file("policy")
    if !DurableFiles.exists(path) {
      try PolicyArtifact(
        policy: trained.policy, algorithm: settings.algorithm.rawValue,
        configuration: ConfigurationValue(encoding: settings), fusion: fusion,
        stateEncoder: try encoder(of: source), reward: settings.rewardWeights,
        dataWindow: PolicyManifest.DataWindow(of: source), seed: settings.seed,
        revision: Revision.current
      ).write(to: path)
    }
    return Found(
      algorithm: settings.algorithm.rawValue, policy: path, steps: trained.steps,
      stepsPerSecond: trained.stepsPerSecond, sessions: source.sessionCount,
      transitions: source.transitionCount, reports: trained.reports)
  }

  /// The encoder that the shards' states came from: by the definition that they carry, or the
  /// platform's where the names are its own.
  private static func encoder(of source: TrajectoryShards) throws -> StateEncoder? {
    if let definition = source.manifest.stateDefinition { return try StateEncoder(definition) }
    guard let names = source.manifest.stateNames else { return nil }
    let profileSize = names.count - StateEncoder(profileNames: []).stateSize
    guard profileSize >= 0 else { return nil }
    let encoder = StateEncoder(profileNames: Array(names.prefix(profileSize)))
    return encoder.names == names ? encoder : nil
  }
}
