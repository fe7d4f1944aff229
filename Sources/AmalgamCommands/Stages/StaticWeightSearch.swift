import FusionMDP
import FusionSearch
import UserSimulator

/// Best static weights by Bayesian optimization on a simulated platform (the paper's BO).
///
/// Every point is tried on the next group of users for some days; the outcome is the mean
/// discounted satisfaction of their sessions, which is what learners maximize too.
struct StaticWeightSearch {
  /// What is set before the search.
  struct Settings: Codable, Equatable {
    /// User sessions that may be spent in all.
    var sessionBudget = 20_000
    /// Users that try one point for a day.
    var usersPerPoint = 80

    init() {}
  }

  /// What was found.
  struct Found: Codable {
    /// The normalized action [A].
    var action: [Float]
    /// Its posterior mean.
    var mean: Double
    /// The deviation of that mean.
    var deviation: Double
    /// User sessions spent.
    var sessions: Int
    /// Points tried.
    var points: Int
  }

  /// The platform, where its users are, and the threads to use.
  let platform: SimulatedPlatform
  let state: PlatformState
  let threads: Int

  /// Searches until the budget is spent.
  ///
  /// - Throws: `SearchError`.
  func run(
    _ settings: Settings, seed: UInt64, progress: ProgressLine? = nil
  ) throws -> Found {
    var search = BayesianOptimization(
      BayesianOptimization.Configuration(
        dimension: platform.configuration.bounds.count, sessionBudget: settings.sessionBudget,
        seed: seed))
    let users = platform.allUsers
    var next = 0
    while let suggestion = try search.suggest() {
      try Interruption.shared.check("stopped in the search of static weights")
      let group = (0..<min(settings.usersPerPoint, users.count)).map {
        users[(next + $0) % users.count]
      }
      next += group.count
      let policy = FixedWeightsPolicy(action: suggestion.point.map { Float($0) })
      let run = platform.run(
        policy: policy, users: group.sorted(), from: state, days: 1,
        seed: seed &+ UInt64(suggestion.index), threads: threads)
      let outcome = run.trueValue(.sessionReturn)
      try search.observe(
        suggestion.index, value: outcome.value, sessions: Int(outcome.count))
      progress?.update(min(search.spentSessions, settings.sessionBudget))
    }
    guard let best = try search.best() else {
      throw CommandFailure.usage(
        "search.sessionBudget: expected at least 1, found \(settings.sessionBudget)")
    }
    return Found(
      action: best.point.map { Float($0) }, mean: best.mean, deviation: best.deviation,
      sessions: search.spentSessions, points: search.observations.count)
  }
}
