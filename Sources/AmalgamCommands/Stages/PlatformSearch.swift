import DenseKernels
import Foundation
import FusionMDP
import FusionSearch
import NeuralNetworks
import PolicyArtifacts
import SeededRandom
import UserSimulator

/// A policy by search on a simulated platform: the paper's BO and ES, the cross-entropy method, a grid.
///
/// Every point is tried on the next group of users for a day; the outcome is the mean discounted
/// satisfaction of their sessions, which is what learners maximize too. No two points of one search
/// are compared on the same users with the same chance: a service could not do that either.
struct PlatformSearch {
  /// What was found.
  struct Found: Codable {
    /// The search.
    var method: SearchMethod
    /// The normalized action [A]; nil where the policy is a network.
    var action: [Float]?
    /// The value that the method expects of its answer, as its page says.
    var mean: Double
    /// The deviation of that value.
    var deviation: Double
    /// User sessions that might be spent, and that were.
    var sessionBudget: Int
    var sessions: Int
    /// Points tried.
    var points: Int
  }

  /// The platform, where its users are, and the threads to use.
  let platform: SimulatedPlatform
  let state: PlatformState
  let threads: Int

  /// Searches until the budget is spent: a policy called `name` and what the search was like.
  ///
  /// - Throws: `CommandFailure.usage` for a search that cannot be, `.failure` where one fails,
  ///   `.interrupted` on Ctrl-C.
  func callAsFunction(
    _ method: SearchMethod, _ settings: SearchSettings, name: String? = nil, seed: UInt64,
    progress: ProgressLine? = nil
  ) throws -> (policy: any FusionPolicy, found: Found) {
    try settings.check()
    let name = name ?? method.policyName
    let start = platform.configuration.referencePolicy.action.map { Double($0) }
    let budget = settings.sessionBudget
    let fixed = { @Sendable (point: [Double]) -> any FusionPolicy in
      FixedWeightsPolicy(name: name, action: point.map { Float($0) })
    }
    let trial = Trial(settings: settings, method: method, seed: seed, progress: progress)
    do {
      switch method {
      case .bayesianOptimization:
        return try run(
          BayesianOptimization(
            .init(dimension: start.count, sessionBudget: budget, seed: seed)), trial, fixed)
      case .crossEntropy:
        return try run(
          CrossEntropyMethod(
            start: start, sessionBudget: budget, configuration: settings.crossEntropy, seed: seed),
          trial, fixed)
      case .grid:
        return try run(
          GridSearch(
            start: start, axes: settings.gridAxes, levels: settings.grid.levels,
            sessionBudget: budget, seed: seed), trial, fixed)
      case .evolutionStrategy:
        let network = network(hidden: settings.evolutionStrategy.hidden, start: start, seed: seed)
        let normalizer = stateNormalizer(seed: seed)
        return try run(
          EvolutionStrategy(
            start: network.parameters.map { Double($0) }, sessionBudget: budget,
            configuration: settings.evolutionStrategy.configuration, seed: seed), trial
        ) { point in
          NetworkPolicy(
            name: name,
            network: MultilayerPerceptron(
              shape: network.shape, parameters: point.map { Float($0) }),
            normalizer: normalizer)
        }
      }
    } catch let error as SearchError {
      throw CommandFailure.failure("\(error)")
    }
  }

  /// What all points of a search share.
  private struct Trial {
    let settings: SearchSettings
    let method: SearchMethod
    let seed: UInt64
    let progress: ProgressLine?

    var usersPerPoint: Int {
      method == .evolutionStrategy
        ? settings.evolutionStrategy.usersPerPoint : settings.usersPerPoint
    }
  }

  private func run(
    _ search: some PointSearch, _ trial: Trial, _ policy: ([Double]) -> any FusionPolicy
  ) throws -> (policy: any FusionPolicy, found: Found) {
    var search = search
    let budget = trial.settings.sessionBudget
    let users = platform.allUsers
    var next = 0
    while let suggestion = try search.suggest() {
      try Interruption.shared.check("stopped in the search")
      let group = (0..<min(trial.usersPerPoint, users.count)).map {
        users[(next + $0) % users.count]
      }
      next += group.count
      let run = platform.run(
        policy: policy(suggestion.point), users: group.sorted(), from: state, days: 1,
        seed: trial.seed &+ UInt64(suggestion.index), threads: threads)
      let outcome = run.trueValue(.sessionReturn)
      try search.observe(suggestion.index, value: outcome.value, sessions: Int(outcome.count))
      trial.progress?.update(min(search.spentSessions, budget))
    }
    guard let best = try search.best() else {
      throw CommandFailure.usage("search.sessionBudget: expected at least 1, found \(budget)")
    }
    let answer = policy(best.point)
    trial.progress?.finish("\(search.observationCount) points, \(search.spentSessions) sessions")
    return (
      answer,
      Found(
        method: trial.method, action: (answer as? FixedWeightsPolicy)?.action, mean: best.mean,
        deviation: best.deviation, sessionBudget: budget, sessions: search.spentSessions,
        points: search.observationCount)
    )
  }

  /// A network state → weights that gives `start` for every state: the weights of its last layer are 0,
  /// its biases artanh(start). Hidden layers are drawn, so that every parameter can matter at once.
  private func network(hidden: [Int], start: [Double], seed: UInt64) -> MultilayerPerceptron {
    var stream = RandomStream(seed: seed, name: "evolution-strategy").child("network")
    var network = MultilayerPerceptron(
      shape: MultilayerPerceptron.Shape(
        inputs: platform.encoder.stateSize, hidden: hidden, outputs: start.count,
        outputActivation: .tanh),
      initializedBy: &stream)
    let (width, count) = (hidden.last ?? platform.encoder.stateSize, network.parameters.count)
    for i in (count - (width + 1) * start.count)..<(count - start.count) {
      network.parameters[i] = 0
    }
    for (i, value) in start.enumerated() {
      // Reference weights at a bound would have an infinite bias.
      network.parameters[count - start.count + i] = Float(atanh(min(max(value, -0.99), 0.99)))
    }
    return network
  }

  /// Users whose day under the reference weights tells what states are like.
  private static let normalizingUsers = 200

  /// The scale of states, from one day of some users under the reference weights: what a service has
  /// in its log before it searches, so these sessions are not counted.
  private func stateNormalizer(seed: UInt64) -> StateNormalizer {
    var moments = StateMoments(stateSize: platform.encoder.stateSize)
    _ = platform.run(
      policy: platform.configuration.referencePolicy,
      users: Array(platform.allUsers.prefix(Self.normalizingUsers)), from: state, days: 1,
      seed: stableSeed(seed, "state-normalizer"), threads: threads
    ) { (request: ServedRequest) in moments.add(request.state) }
    return moments.normalizer
  }
}
