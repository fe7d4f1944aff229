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

  @Option(name: .long, help: "batch_rl_mtf (the default) or behavior_cloning.")
  var algorithm: Algorithm?
  @Option(name: .long, help: "The folder of trajectory shards to train on.")
  var data: String
  @Option(name: .long, help: "The run's folder.")
  var output: String
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @Flag(name: .long, help: "Go on from the checkpoint in the run's folder.")
  var resume = false
  @OptionGroup var common: ConfigurationOptions

  /// What can be trained.
  enum Algorithm: String, Codable, CaseIterable, ExpressibleByArgument {
    case batchRLMTF = "batch_rl_mtf"
    case behaviorCloning = "behavior_cloning"
  }

  /// The configuration file's keys; what a run's folder keeps.
  struct Settings: Codable {
    var algorithm = Algorithm.batchRLMTF
    var data = ""
    var seed: UInt64 = 1
    /// The reward's weight of each feedback signal (eq. 2), for shards that hold feedback.
    var rewardWeights = SatisfactionReward.standard
    var training = TrainingConfiguration()
    var batchRLMTF = BatchRLMTFConfiguration()
    var behaviorCloning = BehaviorCloning.Configuration()
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
    for (problem, part) in [
      (settings.training.problem, "training"), (settings.batchRLMTF.problem, "batchRLMTF"),
      (settings.behaviorCloning.problem, "behaviorCloning"),
    ] {
      if let problem { throw CommandFailure.usage("\(part).\(problem)") }
    }
    let source: TrajectoryShards
    do {
      source = try TrajectoryShards(folder: data, reward: settings.rewardWeights)
    } catch let error as PreparationError {
      throw CommandFailure.usage("\(error)")
    }
    let folder = try RunFolder(path: output, configuration: settings, resume: resume)
    Interruption.shared.install()
    let found = try folder.stage("train") {
      try Self.train(source, settings, folder)
    }
    if common.json { return try MachineOutput.print(found) }
    try StandardOutput.print(
      "\(found.policy): \(found.algorithm), \(found.steps) steps on \(found.transitions) "
        + "transitions in \(found.sessions) sessions")
  }

  private static func train(
    _ source: TrajectoryShards, _ settings: Settings, _ folder: RunFolder
  ) throws -> Found {
    let root = RandomStream(seed: settings.seed, name: "train")
    let (state, action) = (source.stateSize, source.actionSize)
    switch settings.algorithm {
    case .batchRLMTF:
      return try train(
        BatchRLMTF(
          stateSize: state, actionSize: action, configuration: settings.batchRLMTF,
          initializedFrom: root), source, settings, folder)
    case .behaviorCloning:
      return try train(
        BehaviorCloning(
          stateSize: state, actionSize: action, configuration: settings.behaviorCloning,
          initializedFrom: root), source, settings, folder)
    }
  }

  private static func train<Learner: BatchLearner>(
    _ learner: Learner, _ source: TrajectoryShards, _ settings: Settings, _ folder: RunFolder
  ) throws -> Found {
    var training = try TrainingRun(
      learner: learner, source: source, normalizer: StateNormalizer.fit(on: source),
      configuration: settings.training, seed: settings.seed)
    let stepsPerSecond = try PolicyTraining(
      label: "train \(Learner.algorithm)", checkpoint: folder.file("checkpoint.safetensors"))(
        &training)
    let path = folder.file("policy")
    if !DurableFiles.exists(path) {
      try PolicyArtifact(
        policy: training.policy(), algorithm: Learner.algorithm,
        configuration: ConfigurationValue(encoding: settings),
        stateEncoder: encoder(of: source), reward: settings.rewardWeights,
        dataWindow: PolicyManifest.DataWindow(of: source), seed: settings.seed,
        revision: Revision.current
      ).write(to: path)
    }
    return Found(
      algorithm: Learner.algorithm, policy: path, steps: training.step,
      stepsPerSecond: stepsPerSecond, sessions: source.sessionCount,
      transitions: source.transitionCount, reports: training.reports)
  }

  /// The encoder that the shards' states came from, when their names are those of one.
  private static func encoder(of source: TrajectoryShards) -> StateEncoder? {
    guard let names = source.manifest.stateNames else { return nil }
    let profileSize = names.count - StateEncoder(profileNames: []).stateSize
    guard profileSize >= 0 else { return nil }
    let encoder = StateEncoder(profileNames: Array(names.prefix(profileSize)))
    return encoder.names == names ? encoder : nil
  }
}
