internal import FusionMDP
internal import SeededRandom

/// What was decided for a request.
struct ServedDecision: Sendable {
  /// A candidate of the list.
  struct Item: Sendable {
    let candidate: Int
    let score: Float?
  }

  /// What decided.
  let version: String
  /// The normalized action [K].
  let action: [Float]
  /// The log density of the action in nats; nil if deterministic or unknown.
  let logPropensity: Double?
  /// The list, best first.
  let items: [Item]
  /// The task scores of the list [l·K]; nil where the request lacks tasks or usable scores.
  let taskScores: [Float]?
  /// Why the fallback decided, if it did.
  let fallback: FallbackReason?
}

/// Ranks the candidates of one request, by a policy or by the fallback.
struct RequestRanker: Sendable {
  let request: RankRequest
  let contract: ServingContract
  let userHash: UInt64
  let clock: ServingClock

  private var fusion: FusionDefinition { contract.fusion }

  /// The decision of a policy, or of an exploration around it.
  ///
  /// - Throws: the reason for which the fallback has to rank.
  func decision(
    of policy: LivePolicy, exploring exploration: ExplorationKind?, state: [Float],
    using stream: inout RandomStream, _ spent: inout Spent
  ) throws(FallbackReason) -> ServedDecision {
    let begin = clock.nanoseconds()
    let scores = try taskScores()
    let policyBegin = clock.nanoseconds()
    guard state.allSatisfy(\.isFinite) else { throw .invalidState }
    let action = try self.action(
      of: policy, exploring: exploration, state: state, using: &stream)
    let fusionBegin = clock.nanoseconds()
    spent.policy = fusionBegin - policyBegin
    defer { spent.fusion = (policyBegin - begin) + (clock.nanoseconds() - fusionBegin) }
    let weights = fusion.bounds.denormalized(action.values)
    let order: [Int]
    do throws(FusionError) {
      order = try fusion.formula.rankedCandidates(scores, weights: weights, count: request.count)
    } catch {
      throw .nonFiniteScores
    }
    return ServedDecision(
      version: action.version, action: action.values, logPropensity: action.logPropensity,
      items: order.map { candidate in
        ServedDecision.Item(
          candidate: candidate,
          score: fusion.formula.fusedScore(of: scores[candidate], weights: weights))
      },
      taskScores: order.flatMap { scores[$0] }, fallback: nil)
  }

  /// The action of a policy, or of an exploration around it, with its density.
  private func action(
    of live: LivePolicy, exploring exploration: ExplorationKind?, state: [Float],
    using stream: inout RandomStream
  ) throws(FallbackReason) -> (version: String, values: [Float], logPropensity: Double?) {
    let requests = PolicyRequests(
      states: state, stateSize: state.count, userHashes: [userHash])
    let size = fusion.schema.count
    let (version, policy): (String, any FusionPolicy)
    switch exploration {
    case .randomActions(let deviation):
      (version, policy) = (
        "random_exploration", RandomExploration(actionSize: size, deviation: deviation)
      )
    case .actionNoise(let deviation):
      // The base is asked first and checked: noise around NaN is none.
      let base = try checked(live.policy.decide(requests, using: &stream))
      (version, policy) = (
        "\(live.version)+action_noise",
        ActionNoiseExploration(
          base: FixedWeightsPolicy(action: base.actions), deviation: deviation)
      )
    case .mixed, nil:
      (version, policy) = (live.version, live.policy)
    }
    let decided = try checked(policy.decide(requests, using: &stream))
    let density = decided.logPropensities?.first
    return (
      version, decided.actions, density.flatMap { $0.isFinite ? $0 : nil }
    )
  }

  private func checked(_ decisions: PolicyDecisions) throws(FallbackReason) -> PolicyDecisions {
    do throws(FusionError) {
      try fusion.bounds.validate(action: decisions.actions, schema: fusion.schema)
    } catch {
      throw .invalidAction
    }
    return decisions
  }

  /// The request's scores in the order of the contract's tasks.
  private func taskScores() throws(FallbackReason) -> TaskScores {
    let names = fusion.schema.names
    var values = request.scores
    if request.tasks != names {
      guard request.tasks.count == names.count else { throw .unknownTask }
      let columns = names.compactMap { request.tasks.firstIndex(of: $0) }
      guard columns.count == names.count else { throw .unknownTask }
      values = selected(columns)
    }
    do throws(FusionError) {
      return try TaskScores(values, schema: fusion.schema)
    } catch {
      throw .invalidScores
    }
  }

  /// The scores of these columns of all candidates.
  private func selected(_ columns: [Int]) -> [Float] {
    let width = request.tasks.count
    var values: [Float] = []
    values.reserveCapacity(request.itemIDs.count * columns.count)
    for row in stride(from: 0, to: request.scores.count, by: width) {
      for column in columns { values.append(request.scores[row + column]) }
    }
    return values
  }

  /// The list by static weights: of the tasks that the request has, and of the candidates whose
  /// scores of them can be used. Without any it is the request's order.
  func fallback(
    _ fallback: StaticWeights, for reason: FallbackReason, _ spent: inout Spent
  ) -> ServedDecision {
    let begin = clock.nanoseconds()
    defer { spent.fusion = clock.nanoseconds() - begin }
    let tasks = fusion.schema.tasks
    let known = tasks.indices.compactMap { task in
      request.tasks.firstIndex(of: tasks[task].name).map { (task: task, column: $0) }
    }
    let values = selected(known.map(\.column))
    let width = known.count
    let usable = request.itemIDs.indices.filter { candidate in
      known.indices.allSatisfy {
        tasks[known[$0].task].domain.contains(values[candidate * width + $0])
      }
    }
    func decision(_ items: [ServedDecision.Item], _ scores: [Float]?) -> ServedDecision {
      ServedDecision(
        version: "\(fallback.version)+\(reason.rawValue)", action: fallback.action,
        logPropensity: nil, items: items, taskScores: scores, fallback: reason)
    }
    let ranked =
      known.isEmpty
      ? []
      : best(
        usable, values, formula(of: known.map(\.task)), known.map { fallback.weights[$0.task] })
    guard !ranked.isEmpty else {
      return decision(
        request.itemIDs.indices.prefix(request.count).map { .init(candidate: $0, score: nil) }, nil)
    }
    let shown = ranked.flatMap { values[$0.candidate * width..<($0.candidate + 1) * width] }
    return decision(ranked, width == tasks.count ? shown : nil)
  }

  /// The best of some candidates, those left out whose fused score is not finite.
  private func best(
    _ candidates: [Int], _ values: [Float], _ formula: FusionFormula, _ weights: [Float]
  ) -> [ServedDecision.Item] {
    let width = weights.count
    let fused = formula.fusedScores(
      candidates: candidates.flatMap { values[$0 * width..<($0 + 1) * width] }, weights: weights)
    let finite = fused.indices.filter { fused[$0].isFinite }
    return topCandidates(of: finite.map { fused[$0] }, count: request.count).map { place in
      ServedDecision.Item(candidate: candidates[finite[place]], score: fused[finite[place]])
    }
  }

  /// The formula for some of the tasks.
  private func formula(of tasks: [Int]) -> FusionFormula {
    switch fusion.formula {
    case .logSum(let biases): .logSum(biases: tasks.map { biases[$0] })
    case .powerProduct(let biases): .powerProduct(biases: tasks.map { biases[$0] })
    case .weightedSum: .weightedSum
    }
  }
}
