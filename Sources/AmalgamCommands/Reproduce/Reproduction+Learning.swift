import BatchRL
import DurableFiles
import ExperimentReports
import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import SeededRandom
import SessionLogs
import TrajectoryPreparation
import UserSimulator

extension Reproduction {
  /// Best static weights by Bayesian optimization: the policy that is current when exploration
  /// begins, and the reference of every comparison.
  func searchStaticWeights(_ world: World) throws -> [Float] {
    let found = try run.stage("search") {
      let progress = ProgressLine("search", total: configuration.search.sessionBudget)
      let found = try StaticWeightSearch(
        platform: world.platform, state: world.state, threads: configuration.threads
      ).run(configuration.search, seed: seed("search"), progress: progress)
      progress.finish("\(found.points) points, \(found.sessions) sessions")
      return found
    }
    try storePolicy(
      .staticWeights,
      FixedWeightsPolicy(name: Method.staticWeights.rawValue, action: found.action),
      algorithm: "bayesian_optimization", settings: configuration.search, world: world,
      window: nil)
    return found.action
  }

  /// Mixed Multi-Exploration (paper, 3.3) as a session log.
  func explore(_ world: World, around action: [Float]) throws {
    let settings = configuration.exploration
    let counts = try run.stage("explore") {
      try? DurableFiles.remove(run.file("logs"))
      let users = world.someUsers(settings.users)
      let progress = ProgressLine("explore", total: Int(Double(users.count * settings.days) * 65))
      let current = FixedWeightsPolicy(name: "best_static", action: action)
      let mixed = MixedExploration(
        random: RandomExploration(actionSize: action.count, deviation: settings.randomDeviation),
        actionNoise: ActionNoiseExploration(base: current, deviation: settings.noiseDeviation),
        salt: configuration.seed)
      let recorder = SessionRecorder(
        folder: world.folder, policyVersion: "mixed-exploration-\(configuration.seed)",
        experiment: "exploration",
        arm: { mixed.group(ofUser: $0) == .random ? "random" : "action_noise" })
      let counts = try recorder.record(
        policy: mixed, users: users, from: world.state, days: settings.days,
        seed: seed("explore"), threads: configuration.threads, to: run.file("logs"),
        progress: progress)
      progress.finish("\(counts.sessions) sessions, \(counts.requests) requests")
      return counts
    }
    guard counts.requests > 0 else {
      throw CommandFailure.failure("exploration served no request")
    }
  }

  /// The log as trajectories: 90 % to train on, the last 10 % in time to evaluate on.
  func prepare() throws {
    _ = try run.stage("prepare") {
      try? DurableFiles.remove(run.file("trajectories"))
      let progress = ProgressLine("prepare", total: 1)
      let report = try TrajectoryPreparation.run(
        log: SessionLogFolder(path: run.file("logs")), output: run.file("trajectories"),
        configuration: PreparationConfiguration(
          balancesArms: true, threads: configuration.threads))
      progress.finish("\(report.train.transitions ?? 0) transitions to train on")
      return report.counts
    }
  }

  /// Trains each learner on the training trajectories and stores its policy.
  func learn(_ world: World, staticAction: [Float]) throws -> [TrainingSummary] {
    let data = try TrajectoryShards(folder: run.file("trajectories/train"))
    let normalizer = StateNormalizer.fit(on: data)
    let root = RandomStream(seed: seed("learners"), name: "learners")
    let cloned = try train(
      .behaviorCloning, world: world, data: data, normalizer: normalizer,
      learner: BehaviorCloning(
        stateSize: data.stateSize, actionSize: data.actionSize,
        configuration: configuration.behaviorCloning,
        initializedFrom: root.child("behavior_cloning")))
    let learned = try train(
      .batchRLMTF, world: world, data: data, normalizer: normalizer,
      learner: BatchRLMTF(
        stateSize: data.stateSize, actionSize: data.actionSize,
        configuration: configuration.batchRLMTF, initializedFrom: root.child("batch_rl_mtf")))
    return [cloned.summary, learned.summary]
  }

  /// A training summary as a stage keeps it.
  struct StoredSummary: Codable {
    var method: String
    var steps: Int
    var stepsPerSecond: Double
    var qMean: [Double]
    var qDeviation: [Double]

    var summary: TrainingSummary {
      TrainingSummary(
        method: method, steps: steps, stepsPerSecond: stepsPerSecond, qMean: qMean,
        qDeviation: qDeviation)
    }
  }

  private func train<Learner: BatchLearner>(
    _ method: Method, world: World, data: TrajectoryShards, normalizer: StateNormalizer,
    learner: Learner
  ) throws -> StoredSummary {
    try run.stage("train-\(method.rawValue)") {
      var settings = configuration.training
      settings.threads = configuration.threads
      var training = try TrainingRun(
        learner: learner, source: data, normalizer: normalizer, configuration: settings,
        seed: seed("train-\(method.rawValue)"))
      try DurableFiles.makeFolders(run.file("training"))
      let stepsPerSecond = try PolicyTraining(
        label: "train \(method.rawValue)",
        checkpoint: run.file("training/\(method.rawValue).safetensors"))(&training)
      try storePolicy(
        method, training.policy(), algorithm: Learner.algorithm, settings: learner.configuration,
        world: world,
        window: PolicyManifest.DataWindow(of: data))
      return StoredSummary(
        method: method.rawValue, steps: training.step,
        stepsPerSecond: stepsPerSecond,
        qMean: training.reports.compactMap { $0.decisionValues?.mean },
        qDeviation: training.reports.compactMap { $0.decisionValues?.deviation })
    }
  }

  private func storePolicy(
    _ method: Method, _ policy: any FusionPolicy, algorithm: String,
    settings: some Encodable, world: World, window: PolicyManifest.DataWindow?
  ) throws {
    let path = run.file("policies/\(method.rawValue)")
    guard !DurableFiles.exists(path) else { return }
    try DurableFiles.makeFolders(run.file("policies"))
    try PolicyArtifact(
      policy: policy, algorithm: algorithm, configuration: ConfigurationValue(encoding: settings),
      stateEncoder: world.platform.encoder, reward: .standard, dataWindow: window,
      seed: configuration.seed, revision: Revision.current
    ).write(to: path)
  }
}
