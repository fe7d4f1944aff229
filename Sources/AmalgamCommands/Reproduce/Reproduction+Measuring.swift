import ExperimentReports
import Foundation
import FusionMDP
import OnlineExperiments
import PolicyArtifacts
import SeededRandom
import TrajectoryPreparation
import UserSimulator

/// A seed of its own for each named part of a run.
func stableSeed(_ seed: UInt64, _ part: String) -> UInt64 { stableHash(part, seed: seed) }

extension Reproduction {
  /// What the logged test sessions say of each method: FQE and the Conservative-OPEstimator.
  func evaluate() throws -> [OfflineEstimate] {
    let stored = try methods.filter(\.isEvaluatedOffline).map { method in
      try run.stage("evaluate-\(method.rawValue)") { try estimates(of: method) }
    }
    for warning in stored.flatMap({ $0 }).compactMap(\.warning) {
      StandardError.write(warning + "\n")
    }
    return stored.flatMap { $0 }.map { estimate in
      OfflineEstimate(
        method: estimate.method, estimator: estimate.estimator, value: estimate.value,
        low: estimate.low, high: estimate.high,
        effectiveSampleSize: estimate.effectiveSampleSize)
    }
  }

  private func estimates(of method: Method) throws -> [PolicyEvaluation.Estimate] {
    let data = try TrajectoryShards(folder: run.file("trajectories/test"))
    let normalizer = StateNormalizer.fit(
      on: try TrajectoryShards(folder: run.file("trajectories/train")))
    return try PolicyEvaluation(
      settings: configuration.evaluation, threads: configuration.threads
    ).estimates(
      of: policy(of: method), method: method.rawValue, data: data, normalizer: normalizer,
      seed: seed("evaluate"))
  }

  /// Puts all policies with their estimates into a registry and releases the learned one after
  /// the static one, so that one rollback leads back; a policy whose training diverged stays back.
  func release() throws {
    _ = try run.stage("release") { () -> [String] in
      let registry = try PolicyRegistry(folder: run.file("registry"))
      for method in methods.filter(\.isStored)
      where try !registry.versions().contains(method.rawValue) {
        let stored = try PolicyArtifact.load(run.file("policies/\(method.rawValue)"))
        let estimates =
          try run.finished("evaluate-\(method.rawValue)", as: [PolicyEvaluation.Estimate].self)
          ?? []
        let manifest = stored.manifest
        try registry.add(
          PolicyArtifact(
            policy: stored.policy, algorithm: manifest.algorithm,
            configuration: manifest.configuration, fusion: manifest.fusion,
            stateEncoder: manifest.stateEncoder, reward: manifest.reward,
            dataWindow: manifest.dataWindow, seed: manifest.seed, revision: manifest.revision,
            evaluation: estimates.map { estimate in
              PolicyManifest.EvaluationRecord(
                estimator: estimate.estimator, value: estimate.value, low: estimate.low,
                high: estimate.high, effectiveSampleSize: estimate.effectiveSampleSize,
                sessions: estimate.initialStates)
            }),
          as: method.rawValue)
      }
      try registry.release(Method.staticWeights.rawValue)
      let training = try run.finished("train-\(Method.batchRLMTF.rawValue)", as: StoredSummary.self)
      if training?.divergence == nil { try registry.release(Method.batchRLMTF.rawValue) }
      return try registry.versions()
    }
  }

  /// The best weights a user type, which only a simulation can know.
  func findOracle(_ world: World, staticAction: [Float]) throws -> OraclePolicy {
    let platform = world.platform
    let actions = try run.stage("oracle") {
      let progress = ProgressLine("oracle", total: 1)
      let users = world.someUsers(configuration.oracle.users)
      let types = platform.userTypes
      var budget = WeightSearch.Budget()
      budget.iterations = configuration.oracle.iterations
      budget.population = configuration.oracle.population
      budget.elite = configuration.oracle.elite
      let found = WeightSearch.run(
        on: platform, from: world.state, users: users, group: users.map { types[$0] },
        start: platform.assumptions.types.map { _ in staticAction }, budget: budget,
        seed: seed("oracle"), threads: configuration.threads)
      progress.finish()
      return found.actions
    }
    return platform.policy(
      name: Method.oracle.rawValue, actions: actions, users: platform.allUsers,
      group: platform.userTypes)
  }

  /// Truth by roll-out and the A/B test, as the results hold them.
  struct Measured {
    var truth: [ExperimentReports.TrueValue]
    var online: [OnlineResult]
    var actions: [ActionDistribution]
  }

  /// Measures every method on the platform.
  func measure(_ world: World, oracle: OraclePolicy) throws -> Measured {
    let arms = try methods.map { method in
      let policy: any FusionPolicy =
        switch method.origin {
        case .search, .learning: try policy(of: method)
        case .shuffling(let other): ShuffledDecisions(of: try policy(of: other))
        case .truth: oracle
        }
      return PlatformExperiment.Arm(name: method.rawValue, policy: policy)
    }
    let truth = try run.stage("truth") { rollOut(arms, world) }
    let online = try run.stage("experiment") {
      let progress = ProgressLine("A/B test", total: arms.count + 1)
      let readout = try PlatformExperiment(
        platform: world.platform, state: world.state, threads: configuration.threads
      ).run(
        name: "reproduce", arms: arms, settings: configuration.experiment,
        seed: seed("experiment"), progress: progress)
      progress.finish()
      return ExperimentSummary(readout)
    }
    return Measured(
      truth: truth.map { value in
        ExperimentReports.TrueValue(
          method: value.method, sessionReturn: value.sessionReturn.value,
          low: value.sessionReturn.low, high: value.sessionReturn.high)
      },
      online: online.arms.map(\.result), actions: try actionDistributions())
  }

  /// The true values of one method on the platform, and paired differences to the reference.
  struct TrueRow: Codable {
    struct Value: Codable {
      var value: Double
      var low: Double
      var high: Double

      init(_ value: UserSimulator.TrueValue) {
        self.value = value.value
        low = value.low
        high = value.high
      }
    }
    var method: String
    var sessionReturn: Value
    var appMinutes: Value
    var positiveRate: Value
    var sessionReturnGain: Value?
    var appMinutesGain: Value?
    var positiveRateGain: Value?
  }

  /// The true values of a run that is done.
  func finishedTruth() throws -> [TrueRow] { try run.finished("truth", as: [TrueRow].self) ?? [] }

  /// Every method on the same users with the same random numbers.
  private func rollOut(_ arms: [PlatformExperiment.Arm], _ world: World) -> [TrueRow] {
    let users = world.someUsers(configuration.truth.users)
    let progress = ProgressLine("truth by roll-out", total: arms.count)
    var reference: PlatformRun?
    let rows = arms.enumerated().map { index, arm in
      let outcome = world.platform.run(
        policy: arm.policy, users: users, from: world.state, days: configuration.truth.days,
        seed: seed("truth"), threads: configuration.threads)
      func gain(_ objective: PlatformObjective) -> TrueRow.Value? {
        reference.map { TrueRow.Value(outcome.difference(to: $0, objective)) }
      }
      let row = TrueRow(
        method: arm.name, sessionReturn: TrueRow.Value(outcome.trueValue(.sessionReturn)),
        appMinutes: TrueRow.Value(outcome.trueValue(.appMinutes)),
        positiveRate: TrueRow.Value(outcome.trueValue(.positiveRate)),
        sessionReturnGain: gain(.sessionReturn), appMinutesGain: gain(.appMinutes),
        positiveRateGain: gain(.positiveRate))
      if reference == nil { reference = outcome }
      progress.update(index + 1, note: arm.name)
      return row
    }
    progress.finish()
    return rows
  }

  /// Histograms of the weights that each method gives the first test states.
  private func actionDistributions() throws -> [ActionDistribution] {
    let data = try TrajectoryShards(folder: run.file("trajectories/test"))
    let sessions = Array(0..<min(data.sessionCount, 2_000))
    let requests = PolicyRequests(
      states: data.initialStates(of: sessions), stateSize: data.stateSize,
      userHashes: sessions.map { data.userHash(of: $0) })
    let edges = (0...20).map { -1 + Double($0) / 10 }
    let tasks = TaskSchema.standard.names
    func histograms(_ method: String, _ actions: [Float]) -> [ActionDistribution] {
      tasks.indices.map { task in
        var counts = [Int](repeating: 0, count: edges.count - 1)
        for row in stride(from: task, to: actions.count, by: tasks.count) {
          counts[min(max(Int((Double(actions[row]) + 1) * 10), 0), counts.count - 1)] += 1
        }
        return ActionDistribution(
          method: method, task: tasks[task], edges: edges, counts: counts)
      }
    }
    /// The weights that users met in the first requests of test sessions.
    func logged(_ kind: ExplorationKind) throws -> [Float] {
      let data = try TrajectoryShards(folder: run.file("trajectories\(kind.suffix)/test"))
      let sessions = 0..<min(data.sessionCount, 2_000)
      return data.batch(at: sessions.map { data.session($0).lowerBound }).actions
    }
    var result = histograms("behavior", try logged(.mixed))
    if methods.contains(where: { $0.recipe?.exploration == .random }) {
      result += histograms("behavior_random", try logged(.random))
    }
    for method in methods.filter(\.isStored) {
      var stream = RandomStream(seed: seed("actions"), name: method.rawValue)
      result += histograms(
        method.rawValue, try policy(of: method).decide(requests, using: &stream).actions)
    }
    return result
  }
}
