import BatchRL
import DurableFiles
import UserSimulator

/// Everything that a run of `reproduce` is made with.
struct ReproduceConfiguration: Codable, Equatable {
  /// The sizes of a run.
  enum Preset: String, Codable, CaseIterable {
    /// Under a minute: shows that every part works, not that any learns.
    case tiny
    /// Under twelve minutes on two cores.
    case small
    /// The paper's sizes; runs for days.
    case paper
  }

  /// The simulated platform.
  struct Platform: Codable, Equatable {
    /// Users, drawn from the log's.
    var users = 8_000
    /// Videos, drawn from the log's in proportion to their exposures.
    var videos = 600
    /// Users and days of one run of the fit, and its rounds.
    var fitUsers = 512
    var fitDays = 2
    var fitRounds = 6
    /// Days under the reference weights before anything is measured.
    var warmupDays = 1
    /// Users and days of the comparison with the anchors.
    var checkUsers = 512
    var checkDays = 3
  }

  /// Mixed exploration (paper, 3.3).
  struct Exploration: Codable, Equatable {
    /// How often sessions are explored and learned from; each round explores around the policy that
    /// the one before it learned, the first around the best static weights.
    var rounds = 1
    /// Users who explore, drawn from the platform's.
    var users = 3_000
    /// Days.
    var days = 2
    /// Standard deviation of random exploration.
    var randomDeviation = 0.5
    /// Standard deviation of action noise (paper, eq. 8).
    var noiseDeviation = 0.1
  }

  /// The oracle: the best weights a user type, by cross-entropy search.
  struct Oracle: Codable, Equatable {
    var users = 600
    var iterations = 8
    var population = 16
    var elite = 4
  }

  /// True values by roll-out.
  struct Truth: Codable, Equatable {
    var users = 3_000
    var days = 2
  }

  var preset = Preset.small
  /// What is compared.
  var methods = Reproduction.MethodSet.main
  /// The root seed; every part draws from streams named after it.
  var seed: UInt64 = 1
  /// The folder of the KuaiRand log.
  var data = "Data/kuairand-pure"
  /// Threads of simulation, training and evaluation.
  var threads = 2
  var tasks = TaskModelSettings()
  var platform = Platform()
  var search = SearchSettings()
  var exploration = Exploration()
  var training = TrainingConfiguration()
  var learners = LearnerSettings()
  var evaluation = PolicyEvaluation.Settings()
  var oracle = Oracle()
  var truth = Truth()
  var experiment = PlatformExperiment.Settings()

  /// The sizes of a preset.
  static func preset(_ preset: Preset) -> ReproduceConfiguration {
    var configuration = ReproduceConfiguration()
    configuration.preset = preset
    // Departure from eq. 3 where time is short: BCQ's published weight. With eq. 3's implied 1 the
    // generative model collapses to the mean of the logged actions wherever their variance lies
    // below ½, as it does in a box of [−1, 1].
    if preset != .paper { configuration.learners.batchRLMTF.divergenceWeight = 0.25 }
    // What TD3 is known to do offline is to be seen, not to be stopped.
    configuration.learners.td3.explosionFactor = 1e6
    configuration.learners.uwacTD3.td3.explosionFactor = 1e6
    // Variances of Q over masks are of this size on the platform: with the published 0.5 no weight
    // would differ from 1.
    configuration.learners.uwacTD3.uncertaintyScale = 0.02
    switch preset {
    case .tiny: configuration.shrink()
    case .small:
      configuration.training.stepCount = 20_000
      configuration.training.reportInterval = 400
      configuration.training.checkpointInterval = 2_000
      configuration.learners.setHidden([128, 128])
      configuration.learners.uwacTD3.dropoutSamples = 20
      configuration.learners.cqlSAC.sampledActions = 5
      configuration.evaluation.hidden = [128, 128]
    case .paper:
      configuration.platform.users = 15_000
      configuration.platform.videos = 2_000
      configuration.platform.warmupDays = 3
      configuration.exploration.users = 15_000
      configuration.exploration.days = 43  // 15,000 users · 4.84 sessions a day ≈ 3.1 M sessions
      configuration.truth.users = 15_000
      configuration.truth.days = 7
      configuration.oracle.users = 5_000
      configuration.experiment.days = 30
    }
    return configuration
  }

  private mutating func shrink() {
    tasks.shrink()
    platform.users = 240
    platform.videos = 120
    platform.fitUsers = 120
    platform.fitDays = 1
    platform.fitRounds = 3
    platform.checkUsers = 120
    platform.checkDays = 1
    search.sessionBudget = 1_500
    search.usersPerPoint = 15
    search.evolutionStrategy.usersPerPoint = 5
    exploration.rounds = 2
    exploration.users = 240
    exploration.days = 1
    training.stepCount = 300
    training.reportInterval = 20
    training.checkpointInterval = 100
    training.batchSize = 64
    learners.setHidden([32, 32])
    learners.batchRLMTF.actionCandidates = 20
    learners.uwacTD3.dropoutSamples = 4
    learners.cqlSAC.sampledActions = 2
    evaluation.rounds = 200
    evaluation.hidden = [32, 32]
    evaluation.learningRate = 1e-3
    evaluation.fits = 2
    oracle = Oracle(users: 120, iterations: 2, population: 6, elite: 2)
    truth = Truth(users: 240, days: 1)
    experiment.baselineDays = 1
    experiment.days = 1
  }
}

extension ReproduceConfiguration {
  /// Checks what no module checks for itself.
  ///
  /// - Throws: `CommandFailure.usage` naming the key, what was expected and found.
  func check() throws {
    let counts = [
      ("threads", threads), ("tasks.members", tasks.members),
      ("platform.users", platform.users),
      ("platform.videos", platform.videos), ("exploration.users", exploration.users),
      ("exploration.rounds", exploration.rounds),
      ("exploration.days", exploration.days), ("truth.users", truth.users),
      ("truth.days", truth.days), ("experiment.days", experiment.days),
      ("experiment.baselineDays", experiment.baselineDays), ("oracle.users", oracle.users),
      ("oracle.iterations", oracle.iterations), ("oracle.elite", oracle.elite),
      ("oracle.population", oracle.population),
      ("platform.fitUsers", platform.fitUsers), ("platform.fitDays", platform.fitDays),
      ("platform.fitRounds", platform.fitRounds), ("platform.checkUsers", platform.checkUsers),
      ("platform.checkDays", platform.checkDays), ("tasks.replicates", tasks.replicates),
    ]
    for (key, count) in counts {
      let range: CountRange =
        key == "threads" ? .threads : key.lowercased().hasSuffix("days") ? .days : .things
      try range.check(key, count)
    }
    guard oracle.population >= oracle.elite else {
      throw CommandFailure.usage(
        "oracle.population: expected at least oracle.elite (\(oracle.elite)), "
          + "found \(oracle.population)")
    }
    for (key, count) in [
      ("platform.warmupDays", platform.warmupDays), ("tasks.epochs", tasks.epochs),
    ] {
      try CountRange.optionalDays.check(key, count)
    }
    try search.check()
    if let problem = evaluation.problem { throw CommandFailure.usage("evaluation.\(problem)") }
    _ = try tasks.options(tasks.ranker, key: "ranker", members: tasks.members)
    _ = try tasks.options(tasks.answering, key: "answering", members: 1)
    guard DurableFiles.exists(data) else {
      throw CommandFailure.usage("data: \(data): there is no such folder")
    }
    if let problem = training.problem { throw CommandFailure.usage("training: \(problem)") }
    if let problem = learners.problem { throw CommandFailure.usage(problem) }
    for (key, deviation) in [
      ("exploration.randomDeviation", exploration.randomDeviation),
      ("exploration.noiseDeviation", exploration.noiseDeviation),
    ] where !(deviation > 0 && deviation <= 100) {
      throw CommandFailure.usage("\(key): expected more than 0, at most 100, found \(deviation)")
    }
  }
}
