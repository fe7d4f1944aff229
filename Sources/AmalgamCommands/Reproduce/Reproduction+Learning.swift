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
  /// The policies that are searched on the platform, each under the session budget.
  ///
  /// - Returns: the best static weights by Bayesian optimization: the policy that is current when
  ///   exploration begins, and the reference of every comparison.
  func search(_ world: World) throws -> [Float] {
    try DurableFiles.makeFolders(run.file("policies"))
    let searched = methods.compactMap { method -> (Method, SearchMethod, stage: String)? in
      guard case .search(let search) = method.origin, let stage = method.searchStage else {
        return nil
      }
      return (method, search, stage)
    }
    let found = try searched.map { method, search, stage in
      try run.stage(stage) {
        let (policy, found) = try PlatformSearch(
          platform: world.platform, state: world.state, threads: configuration.threads)(
            search, configuration.search, name: method.rawValue, seed: seed(stage),
            progress: ProgressLine(stage, total: configuration.search.sessionBudget))
        try storePolicy(
          policy, at: "policies/\(method.rawValue)", algorithm: search.rawValue,
          settings: configuration.search, world: world, window: nil)
        return found
      }
    }
    guard let action = found[0].action else {
      throw CommandFailure.failure("\(run.path): stage search holds no static weights")
    }
    return action
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
  func learn(_ world: World) throws -> [TrainingSummary] {
    let count = configuration.exploration.rounds
    let rounds = (1...count).map { Round(number: $0, isLast: $0 == count) }
    for folder in rounds.flatMap({ [$0.file("policies"), $0.file("training")] }) {
      try DurableFiles.makeFolders(run.file(folder))
    }
    var current = try policy(of: .staticWeights)
    for round in rounds.dropLast() {
      try explore(.mixed, world, around: current, round)
      try prepare(.mixed, round)
      _ = try learn(.batchRLMTF, Recipe(algorithm: .batchRLMTF), world, round)
      current = try PolicyArtifact.load(run.file(round.policy(.batchRLMTF))).makePolicy()
    }
    let last = rounds[count - 1]
    let recipes = methods.compactMap { method in method.recipe.map { (method, $0) } }
    for kind in ExplorationKind.allCases
    where kind == .mixed || recipes.contains(where: { $0.1.exploration == kind }) {
      try explore(kind, world, around: current, last)
      try prepare(kind, last)
    }
    return try recipes.map { try learn($0, $1, world, last).summary }
  }

  /// Sessions of exploration as a session log.
  private func explore(
    _ kind: ExplorationKind, _ world: World, around current: any FusionPolicy, _ round: Round
  ) throws {
    let settings = configuration.exploration
    let stage = round.stage("explore" + kind.suffix)
    let counts = try run.stage(stage) {
      let path = run.file(round.file("logs" + kind.suffix))
      try? DurableFiles.remove(path)
      let users = world.someUsers(settings.users)
      let progress = ProgressLine(stage, total: Int(Double(users.count * settings.days) * 65))
      let random = RandomExploration(
        actionSize: current.actionSize, deviation: settings.randomDeviation)
      let mixed = MixedExploration(
        random: random,
        actionNoise: ActionNoiseExploration(base: current, deviation: settings.noiseDeviation),
        salt: configuration.seed)
      let recorder = SessionRecorder(
        folder: world.folder, policyVersion: "\(kind)-exploration-\(configuration.seed)",
        experiment: "exploration",
        arm: { kind == .random || mixed.group(ofUser: $0) == .random ? "random" : "action_noise" })
      let counts = try recorder.record(
        policy: kind == .random ? random : mixed, users: users, from: world.state,
        days: settings.days, seed: seed(stage), threads: configuration.threads, to: path,
        progress: progress)
      progress.finish("\(counts.sessions) sessions, \(counts.requests) requests")
      return counts
    }
    guard counts.requests > 0 else {
      throw CommandFailure.failure("exploration served no request")
    }
  }

  /// The log as trajectories: 90 % to train on, the last 10 % in time to evaluate on.
  private func prepare(_ kind: ExplorationKind, _ round: Round) throws {
    let stage = round.stage("prepare" + kind.suffix)
    _ = try run.stage(stage) {
      let path = run.file(round.file("trajectories" + kind.suffix))
      try? DurableFiles.remove(path)
      let progress = ProgressLine(stage, total: 1)
      let report = try TrajectoryPreparation.run(
        log: SessionLogFolder(path: run.file(round.file("logs" + kind.suffix))), output: path,
        configuration: PreparationConfiguration(
          balancesArms: kind == .mixed, threads: configuration.threads))
      progress.finish("\(report.train.transitions ?? 0) transitions to train on")
      return report.counts
    }
  }

  /// The training sessions of a recipe: of either exploration as many as mixed exploration has.
  private func sessions(
    of recipe: Recipe, _ round: Round
  ) throws -> any TransitionSource {
    func shards(_ kind: ExplorationKind) throws -> TrajectoryShards {
      try TrajectoryShards(
        folder: run.file(round.file("trajectories\(kind.suffix)/train")), reward: recipe.reward)
    }
    let mixed = try shards(.mixed)
    guard recipe.exploration == .random else { return mixed }
    let random = try shards(.random)
    let (count, available) = (mixed.sessionCount, random.sessionCount)
    // Evenly spaced in time, so that both cover the same days.
    return count >= available
      ? random : SessionSelection(random, sessions: (0..<count).map { $0 * available / count })
  }

  /// Trains a learner on a round's training trajectories and stores its policy.
  private func learn(
    _ method: Method, _ recipe: Recipe, _ world: World, _ round: Round
  ) throws -> StoredSummary {
    let stage = round.stage("train-\(method.rawValue)")
    return try run.stage(stage) {
      let data = try sessions(of: recipe, round)
      var training = configuration.training
      training.threads = configuration.threads
      var learners = configuration.learners
      if !recipe.looksAhead { learners.batchRLMTF.discount = 0 }
      let trained = try PolicyTraining(
        label: stage, source: data, settings: training, seed: seed(stage),
        initialization: RandomStream(seed: seed("learners"), name: "learners")
          .child(method.rawValue, round.isLast ? 0 : round.number),
        checkpoint: run.file(round.file("training/\(method.rawValue).safetensors")),
        keepsDivergence: configuration.methods == .all
      )(recipe.algorithm, learners)
      try storePolicy(
        trained.policy, at: round.policy(method), algorithm: recipe.algorithm.rawValue,
        settings: trained.configuration, reward: recipe.reward, world: world,
        window: PolicyManifest.DataWindow(of: data))
      return StoredSummary(method, trained, data)
    }
  }

  /// A training summary as a stage keeps it.
  struct StoredSummary: Codable {
    var method: String
    var steps: Int
    var stepsPerSecond: Double
    var sessions: Int
    var transitions: Int
    /// What went wrong at which step, if training diverged.
    var divergence: String?
    var reports: [TrainingReport]

    init(_ method: Method, _ trained: PolicyTraining.TrainedPolicy, _ data: any TransitionSource) {
      self.method = method.rawValue
      steps = trained.steps
      stepsPerSecond = trained.stepsPerSecond
      sessions = data.sessionCount
      transitions = data.transitionCount
      divergence = trained.divergence
      reports = trained.reports
    }

    var summary: TrainingSummary {
      TrainingSummary(
        method: method, steps: steps, stepsPerSecond: stepsPerSecond,
        qMean: reports.compactMap { $0.decisionValues?.mean },
        qDeviation: reports.compactMap { $0.decisionValues?.deviation })
    }
  }

  private func storePolicy(
    _ policy: any FusionPolicy, at name: String, algorithm: String, settings: some Encodable,
    reward: SatisfactionReward = .standard, world: World, window: PolicyManifest.DataWindow?
  ) throws {
    let path = run.file(name)
    guard !DurableFiles.exists(path) else { return }
    try PolicyArtifact(
      policy: policy, algorithm: algorithm, configuration: ConfigurationValue(encoding: settings),
      stateEncoder: world.platform.encoder, reward: reward, dataWindow: window,
      seed: configuration.seed, revision: Revision.current
    ).write(to: path)
  }
}
