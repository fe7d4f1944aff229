import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import UserSimulator

/// The estimators tried where the truth is known: policies of graded quality on a simulated
/// platform, estimated from sessions that mixed exploration logged there, beside their true values by
/// roll-out.
///
/// What is estimated and what is rolled out is the same number: the mean over sessions of Σ_t γ^t·r_t,
/// of the same users in the same days. One thing differs: an estimate takes the logged sessions' first
/// states as given, while under another policy users come back more or less often, in other states.
struct EstimatorValidation {
  /// What is set before it.
  struct Settings: Codable, Equatable {
    /// Users whose explored sessions are the log, and their days.
    var users = 1_500
    var days = 2
    /// Days under the platform's reference weights before.
    var warmupDays = 1
    /// Policies made by the rule of `ValidationPolicies`.
    var policies = 12
    /// How much of the way from the platform's reference weights every policy goes to its own.
    var reach = 1.0
    /// User sessions that the search for the best static weights may spend.
    var searchSessions = 20_000
    /// Standard deviation of random exploration, and of action noise around the reference weights.
    var randomDeviation = 0.5
    var noiseDeviation = 0.1
    /// Users and days of the roll-outs.
    var truthUsers = 3_000
    var truthDays = 2

    init() {}

    /// Checks every value.
    ///
    /// - Throws: `CommandFailure.usage` naming the key, what was expected and found.
    func check() throws {
      try CountRange(least: 4, most: 1_000).check("validation.policies", policies)
      try CountRange.days.check("validation.days", days)
      try CountRange.days.check("validation.truthDays", truthDays)
      try CountRange.optionalDays.check("validation.warmupDays", warmupDays)
      for (key, count) in [
        ("users", users), ("truthUsers", truthUsers), ("searchSessions", searchSessions),
      ] {
        try CountRange.things.check("validation.\(key)", count)
      }
      guard reach > 0 && reach <= 1 else {
        throw CommandFailure.usage(
          "validation.reach: expected more than 0, at most 1, found \(reach)")
      }
      for (key, deviation) in [
        ("randomDeviation", randomDeviation), ("noiseDeviation", noiseDeviation),
      ] where !(deviation > 0 && deviation <= 100) {
        throw CommandFailure.usage(
          "validation.\(key): expected more than 0, at most 100, found \(deviation)")
      }
    }
  }

  /// Where a validation's fits are smaller than those of one evaluation: there are a dozen of them.
  static var evaluationDefaults: PolicyEvaluation.Settings {
    var settings = PolicyEvaluation.Settings()
    settings.hidden = [128, 128]
    settings.fits = 3
    return settings
  }

  let platform: PlatformFolder
  let settings: EvaluateCommand.Settings
  /// How the result calls the platform.
  let path: String

  /// The estimators tried: what is about single requests has no truth to stand beside.
  private var estimators: [EstimatorKind] {
    settings.estimators.filter { $0.estimand == .sessionValue }
  }

  func seed(_ part: String) -> UInt64 { stableSeed(settings.seed, "validation-\(part)") }

  /// Validates the estimators on the policies of the rule and on `added` ones.
  ///
  /// - Throws: `CommandFailure`.
  func callAsFunction(_ added: [(name: String, policy: any FusionPolicy)]) throws -> Found {
    let world = Reproduction.World(
      folder: platform,
      state: platform.platform.warmedState(
        days: settings.validation.warmupDays, seed: seed("warm-up"), threads: settings.threads))
    let data = try explore(world)
    let normalizer = StateNormalizer.fit(on: data)
    let best = try search(world)
    let made = ValidationPolicies(
      best: best, normalizer: normalizer,
      stream: RandomStream(seed: settings.seed, name: "validation-policies")
    ).policies(settings.validation.policies)
    let whole = made.map { (name: $0.name, policy: $0) } + added
    let policies = whole.map { (name: $0.name, policy: nearer($0.policy)) }
    let truths = try rollOut(policies, world)
    let log = NormalizedLog(data, normalizer: normalizer)
    var evaluation = settings.policyEvaluation
    if settings.propensities == .fitted {
      let fitted = try JudgedPropensities(
        fittedTo: data, called: "explored sessions", normalizer: normalizer, settings: settings)
      evaluation.propensities = fitted.propensities
      evaluation.objections = fitted.found.objections
    }
    let rows = try zip(policies, truths).map { named, truth in
      let sessions: EvaluationSessions
      do {
        sessions = try evaluation.sessions(
          of: named.policy, data: data, normalizer: normalizer, log: log, seed: seed("estimates"))
      } catch {
        throw CommandFailure.failure("\(named.name): \(error)")
      }
      return try estimates(named.name, truth, on: sessions, by: evaluation)
    }
    return Found(
      estimators: estimators.map { Found.Estimator($0.rawValue, rows) }, policies: rows,
      truthRankCorrelation: EstimatorQuality.rankCorrelation(
        truths.map(\.halves.first), truths.map(\.halves.second)),
      platform: path, seed: settings.seed, sessions: data.sessionCount,
      transitions: data.transitionCount, loggedReturn: try loggedReturn(data))
  }

  /// A policy moved toward the reference weights, as `reach` says.
  private func nearer(_ policy: any FusionPolicy) -> any FusionPolicy {
    guard settings.validation.reach < 1 else { return policy }
    return NearerPolicy(
      base: policy, reference: platform.platform.configuration.referencePolicy.action,
      reach: Float(settings.validation.reach))
  }

  /// Sessions of mixed exploration around the platform's reference weights.
  private func explore(_ world: Reproduction.World) throws -> TrajectoryArrays {
    let reference = platform.platform.configuration.referencePolicy
    let mixed = MixedExploration(
      random: RandomExploration(
        actionSize: reference.actionSize, deviation: settings.validation.randomDeviation),
      actionNoise: ActionNoiseExploration(
        base: reference, deviation: settings.validation.noiseDeviation),
      salt: settings.seed)
    let users = world.someUsers(settings.validation.users)
    let progress = ProgressLine("explore", total: users.count * settings.validation.days * 65)
    var collector = SessionCollector(reward: settings.rewardWeights)
    var requests = 0
    _ = try platform.platform.run(
      policy: mixed, users: users, from: world.state, days: settings.validation.days,
      seed: seed("explore"), reward: settings.rewardWeights,
      discount: settings.evaluation.discount, threads: settings.threads
    ) { (request: ServedRequest) throws in
      collector.add(request)
      requests += 1
      if requests.isMultiple(of: 4096) {
        try Interruption.shared.check("stopped while exploring")
        progress.update(requests)
      }
    }
    let data: TrajectoryArrays
    do {
      data = try collector.sessions(
        stateSize: platform.platform.encoder.stateSize, actionSize: reference.actionSize)
    } catch {
      throw CommandFailure.failure("explored sessions: \(error)")
    }
    guard data.sessionCount > 0 else {
      throw CommandFailure.failure("exploration served no session; raise validation.users or .days")
    }
    progress.finish("\(data.sessionCount) sessions, \(data.transitionCount) requests")
    return data
  }

  /// The best static weights, by Bayesian optimization.
  private func search(_ world: Reproduction.World) throws -> [Float] {
    var search = SearchSettings()
    search.sessionBudget = settings.validation.searchSessions
    search.usersPerPoint = min(search.usersPerPoint, platform.platform.allUsers.count)
    let found = try PlatformSearch(
      platform: platform.platform, state: world.state, threads: settings.threads)(
        .bayesianOptimization, search, seed: seed("search"),
        progress: ProgressLine("search", total: search.sessionBudget)
      ).found
    guard let action = found.action else {
      throw CommandFailure.failure("the search found no static weights")
    }
    return action
  }

  private func estimates(
    _ name: String, _ truth: Truth, on sessions: EvaluationSessions, by evaluation: PolicyEvaluation
  ) throws -> Found.Policy {
    var row = Found.Policy(name, truth, distance: sessions.actionDistance)
    for kind in estimators {
      do {
        let estimate = try evaluation.estimate(
          kind, of: name, on: sessions, seed: seed("estimates"))
        row.estimates.append(
          PolicyEvaluation.Estimate(
            estimate, method: name,
            shortcomings: evaluation.shortcomings(of: estimate, on: sessions)))
      } catch let error as EvaluationError {
        row.failures.append("\(error)")
      }
    }
    return row
  }

  private func loggedReturn(_ data: TrajectoryArrays) throws -> Double {
    do {
      return try LoggedValue(of: data, discount: settings.evaluation.discount).value
    } catch {
      throw CommandFailure.failure("explored sessions: \(error)")
    }
  }
}
