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
    try DurableFiles.makeFolders(run.file("policies"))
    let found = try run.stage("search") {
      let progress = ProgressLine("search", total: configuration.search.sessionBudget)
      let found = try StaticWeightSearch(
        platform: world.platform, state: world.state, threads: configuration.threads
      ).run(configuration.search, seed: seed("search"), progress: progress)
      progress.finish("\(found.points) points, \(found.sessions) sessions")
      return found
    }
    let method = Method.staticWeights.rawValue
    try storePolicy(
      FixedWeightsPolicy(name: method, action: found.action), at: "policies/\(method)",
      algorithm: "bayesian_optimization", settings: configuration.search, world: world,
      window: nil)
    return found.action
  }

  /// One round of exploring around the current policy and learning from what that logged.
  ///
  /// The last round's stages and files have the plain names that all that follows reads; an earlier
  /// round's stages end in `-round-N` and its files lie in `rounds/N`.
  struct Round {
    let number: Int
    let isLast: Bool

    func stage(_ name: String) -> String { isLast ? name : "\(name)-round-\(number)" }
    func file(_ name: String) -> String { isLast ? name : "rounds/\(number)/\(name)" }
    func policy(_ method: Method) -> String { file("policies/\(method.rawValue)") }
  }

  /// Explores around the current policy and learns from what that logged, round after round: the
  /// policy learned in one is the current one of the next, as in a service that retrains daily
  /// (paper, 4).  Every round has users begin where the warm-up left them.
  func learnInRounds(_ world: World) throws -> [TrainingSummary] {
    let count = configuration.exploration.rounds
    let rounds = (1...count).map { Round(number: $0, isLast: $0 == count) }
    for folder in rounds.flatMap({ [$0.file("policies"), $0.file("training")] }) {
      try DurableFiles.makeFolders(run.file(folder))
    }
    var current = try policy(of: .staticWeights)
    for round in rounds.dropLast() {
      try explore(world, around: current, round)
      try prepare(round)
      _ = try learn(.batchRLMTF, world, round)
      current = try PolicyArtifact.load(run.file(round.policy(.batchRLMTF))).makePolicy()
    }
    let last = rounds[count - 1]
    try explore(world, around: current, last)
    try prepare(last)
    return try [Method.behaviorCloning, .batchRLMTF].map { try learn($0, world, last).summary }
  }

  /// Mixed Multi-Exploration (paper, 3.3) as a session log.
  private func explore(_ world: World, around current: any FusionPolicy, _ round: Round) throws {
    let settings = configuration.exploration
    let stage = round.stage("explore")
    let counts = try run.stage(stage) {
      let path = run.file(round.file("logs"))
      try? DurableFiles.remove(path)
      let users = world.someUsers(settings.users)
      let progress = ProgressLine(stage, total: Int(Double(users.count * settings.days) * 65))
      let mixed = MixedExploration(
        random: RandomExploration(
          actionSize: current.actionSize, deviation: settings.randomDeviation),
        actionNoise: ActionNoiseExploration(base: current, deviation: settings.noiseDeviation),
        salt: configuration.seed)
      let recorder = SessionRecorder(
        folder: world.folder, policyVersion: "mixed-exploration-\(configuration.seed)",
        experiment: "exploration",
        arm: { mixed.group(ofUser: $0) == .random ? "random" : "action_noise" })
      let counts = try recorder.record(
        policy: mixed, users: users, from: world.state, days: settings.days,
        seed: seed(stage), threads: configuration.threads, to: path, progress: progress)
      progress.finish("\(counts.sessions) sessions, \(counts.requests) requests")
      return counts
    }
    guard counts.requests > 0 else {
      throw CommandFailure.failure("exploration served no request")
    }
  }

  /// The log as trajectories: 90 % to train on, the last 10 % in time to evaluate on.
  private func prepare(_ round: Round) throws {
    let stage = round.stage("prepare")
    _ = try run.stage(stage) {
      let path = run.file(round.file("trajectories"))
      try? DurableFiles.remove(path)
      let progress = ProgressLine(stage, total: 1)
      let report = try TrajectoryPreparation.run(
        log: SessionLogFolder(path: run.file(round.file("logs"))), output: path,
        configuration: PreparationConfiguration(
          balancesArms: true, threads: configuration.threads))
      progress.finish("\(report.train.transitions ?? 0) transitions to train on")
      return report.counts
    }
  }

  /// Trains a learner on a round's training trajectories and stores its policy.
  private func learn(_ method: Method, _ world: World, _ round: Round) throws -> StoredSummary {
    let data = try TrajectoryShards(folder: run.file(round.file("trajectories/train")))
    let stage = round.stage("train-\(method.rawValue)")
    guard let algorithm = method.algorithm else {
      preconditionFailure("\(method.rawValue) does not learn from logs")
    }
    return try run.stage(stage) {
      var settings = configuration.training
      settings.threads = configuration.threads
      let trained = try PolicyTraining(
        label: stage, source: data, settings: settings, seed: seed(stage),
        initialization: RandomStream(seed: seed("learners"), name: "learners")
          .child(method.rawValue, round.isLast ? 0 : round.number),
        checkpoint: run.file(round.file("training/\(method.rawValue).safetensors"))
      )(algorithm, configuration.learners)
      try storePolicy(
        trained.policy, at: round.policy(method), algorithm: algorithm.rawValue,
        settings: trained.configuration, world: world, window: PolicyManifest.DataWindow(of: data))
      return StoredSummary(
        method: method.rawValue, steps: trained.steps, stepsPerSecond: trained.stepsPerSecond,
        qMean: trained.reports.compactMap { $0.decisionValues?.mean },
        qDeviation: trained.reports.compactMap { $0.decisionValues?.deviation })
    }
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

  private func storePolicy(
    _ policy: any FusionPolicy, at name: String, algorithm: String, settings: some Encodable,
    world: World, window: PolicyManifest.DataWindow?
  ) throws {
    let path = run.file(name)
    guard !DurableFiles.exists(path) else { return }
    try PolicyArtifact(
      policy: policy, algorithm: algorithm, configuration: ConfigurationValue(encoding: settings),
      stateEncoder: world.platform.encoder, reward: .standard, dataWindow: window,
      seed: configuration.seed, revision: Revision.current
    ).write(to: path)
  }
}
