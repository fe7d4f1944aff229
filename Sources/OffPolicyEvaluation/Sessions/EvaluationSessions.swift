import DenseKernels
package import FusionMDP
import SeededRandom

/// The test sessions D, with what the evaluated policy would do in each of their states.
///
/// Made once a policy, read by every estimator and every fit.
package struct EvaluationSessions: Sendable {
  /// Name of the evaluated policy.
  package let policyName: String
  /// Root mean squared distance between the policy's and the logged weights.
  package let actionDistance: Double
  /// Mean and variance of the logged sessions' discounted returns, in reward units. For a session
  /// that the log's window cut, the return up to there.
  package let loggedReturn: (mean: Double, variance: Double)

  /// How many sessions there are.
  package var sessionCount: Int { data.sessionCount }
  /// How many sessions the log's window cut.
  package let truncatedSessions: Int
  /// Root mean square over the weights of each one's deviation from its mean in the log: 0 where the
  /// log holds a single action.
  package let actionSpread: Double
  /// Where μ comes from.
  package let propensities: BehaviorPropensities
  /// How a policy without a density of its own is smoothed.
  package private(set) var bandwidth: KernelBandwidth

  let data: any TransitionSource
  let normalizer: StateNormalizer
  /// The transitions ready for fits, where somebody made them.
  let log: NormalizedLog?
  var actions: PolicyActionTable
  /// Of the log, [N].
  let rewards: [Float]
  /// Of the log, [N·A].
  let loggedActions: [Float]
  private(set) var cache: RatioCache
  /// c: root mean square of the rewards; fits see r/c.
  let rewardScale: Double
  /// max|r|/c.
  let largestReward: Double
  let discount: Double

  /// Asks `policy` about every state of `data`.
  ///
  /// - Parameters:
  ///   - normalizer: of the states that Q̂ sees; the policy sees raw states.
  ///   - samples: draws of the policy a state; more than one makes sense for a stochastic policy.
  ///   - propensities: where the densities of the logged actions come from; read by estimators that
  ///     weigh sessions only.
  ///   - bandwidth: how a policy that is no `DensityPolicy` is smoothed, for the same estimators.
  ///   - log: `data` under `normalizer`, made once where many policies are evaluated; it changes no bit.
  /// - Throws: `EvaluationError` when there are no sessions, sizes differ or a decision lies
  ///   outside the box.
  package init(
    policy: any FusionPolicy, data: any TransitionSource, normalizer: StateNormalizer,
    discount: Double = 0.95, samples: Int = 1, propensities: BehaviorPropensities = .logged,
    bandwidth: KernelBandwidth = .automatic, log: NormalizedLog? = nil, seed: UInt64
  ) throws(EvaluationError) {
    if let problem = bandwidth.problem { preconditionFailure("off-policy evaluation, \(problem)") }
    if let log {
      precondition(
        log.rewards.count == data.transitionCount,
        "a log of \(log.rewards.count) transitions beside data of \(data.transitionCount)")
    }
    guard data.sessionCount > 0, data.transitionCount > 0 else { throw .noSessions }
    guard policy.actionSize == data.actionSize else {
      throw .actionSize(
        policy: policy.name, expected: data.actionSize, found: policy.actionSize)
    }
    guard normalizer.stateSize == data.stateSize else {
      throw .stateSize(expected: data.stateSize, found: normalizer.stateSize)
    }
    var stream = RandomStream(seed: seed, name: "off-policy-evaluation").child("policy-actions")
    let actions = try PolicyActionTable(
      policy: policy, data: data, samples: samples, using: &stream)
    let rewards = try RewardSummary(data, discount: discount)
    self.policyName = policy.name
    self.actionDistance =
      (actions.squaredDistance / Double(data.transitionCount * samples * data.actionSize))
      .squareRoot()
    self.loggedReturn = (rewards.meanReturn, rewards.returnVariance)
    self.truncatedSessions = (0..<data.sessionCount).count { data.sessionEnd(of: $0) == .truncated }
    let deviations = ActionMoments(rewards.actions, actionSize: data.actionSize).deviation
    self.actionSpread =
      (deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)).squareRoot()
    self.propensities = propensities
    self.bandwidth = bandwidth
    self.rewards = rewards.rewards
    self.loggedActions = rewards.actions
    self.cache = RatioCache()
    self.data = data
    self.normalizer = normalizer
    self.log = log
    self.actions = actions
    self.rewardScale = rewards.rootMeanSquare > 0 ? rewards.rootMeanSquare : 1
    self.largestReward = rewards.largest / rewardScale
    self.discount = discount
  }

  /// The same sessions, with the policy smoothed by another bandwidth.
  package func smoothed(by bandwidth: KernelBandwidth) -> Self {
    var copy = self
    copy.bandwidth = bandwidth
    copy.cache = RatioCache()
    return copy
  }

  /// The same requests, each as a session of its own that ends with it (see `RequestSessions`): what
  /// one-step estimators are about.
  func requests(clusteredBy unit: FittedQConfiguration.ResamplingUnit) -> EvaluationSessions {
    let users = Set((0..<data.sessionCount).map { data.userHash(of: $0) }).count
    // The requests of a single user are alike within a session, as those of many users within a user.
    return EvaluationSessions(
      copying: self, as: RequestSessions(data, sharingUsers: unit == .users && users > 1))
  }

  private init(copying other: EvaluationSessions, as requests: RequestSessions) {
    var (mean, moments) = (0.0, 0.0)
    for (index, reward) in other.rewards.enumerated() {  // Welford's update
      let difference = Double(reward) - mean
      mean += difference / Double(index + 1)
      moments += difference * (Double(reward) - mean)
    }
    let count = other.rewards.count
    policyName = other.policyName
    actionDistance = other.actionDistance
    loggedReturn = (mean, count > 1 ? moments / Double(count - 1) : 0)
    truncatedSessions = 0
    actionSpread = other.actionSpread
    propensities = other.propensities
    bandwidth = other.bandwidth
    data = requests
    normalizer = other.normalizer
    log = nil  // of sessions, whose transitions go on
    actions = other.actions
    rewards = other.rewards
    loggedActions = other.loggedActions
    cache = other.cache
    rewardScale = other.rewardScale
    largestReward = other.largestReward
    discount = other.discount
  }

  /// The transitions at `indices` with one of the policy's draws each; rewards scaled.
  func batch(at indices: [Int], using stream: inout RandomStream) -> EvaluationBatch {
    let draws =
      actions.samples == 1
      ? [Int](repeating: 0, count: indices.count)
      : stream.indices(below: actions.samples, count: indices.count)
    return batch(at: indices, draws: draws)
  }

  /// The transitions at `indices`, each with the given draw of the policy.
  func batch(at indices: [Int], draws: [Int]) -> EvaluationBatch {
    if let log { return batch(of: log, at: indices, draws: draws) }
    let raw = data.batch(at: indices)
    let scale = Float(1 / rewardScale)
    return EvaluationBatch(
      states: matrix(normalizer.normalized(raw.states), raw.stateSize),
      actions: matrix(raw.actions, raw.actionSize),
      policyActions: matrix(gathered(actions.atStates, indices, draws), raw.actionSize),
      rewards: raw.rewards.map { $0 * scale },
      nextStates: matrix(normalizer.normalized(raw.nextStates), raw.stateSize),
      nextPolicyActions: matrix(gathered(actions.atNextStates, indices, draws), raw.actionSize),
      bootstraps: raw.bootstraps)
  }

  /// Puts draw `draw` of the policy in the place of the one that `batch`, of these transitions, holds.
  func setDraw(_ draw: Int, at indices: [Int], in batch: inout EvaluationBatch) {
    let draws = [Int](repeating: draw, count: indices.count)
    batch.policyActions = matrix(gathered(actions.atStates, indices, draws), data.actionSize)
    batch.nextPolicyActions = matrix(
      gathered(actions.atNextStates, indices, draws), data.actionSize)
  }

  /// The same, by picking rows.
  private func batch(of log: NormalizedLog, at indices: [Int], draws: [Int]) -> EvaluationBatch {
    let scale = Float(1 / rewardScale)
    return EvaluationBatch(
      states: log.states.gatherRows(indices), actions: log.actions.gatherRows(indices),
      policyActions: matrix(gathered(actions.atStates, indices, draws), data.actionSize),
      rewards: indices.map { log.rewards[$0] * scale },
      nextStates: log.states.gatherRows(indices.map { log.nextRows[$0] }),
      nextPolicyActions: matrix(gathered(actions.atNextStates, indices, draws), data.actionSize),
      bootstraps: indices.map { log.bootstraps[$0] })
  }

  /// Which sessions V̂ is the mean over: all, or `count` of them drawn without replacement.
  func initialSessions(count: Int, using stream: inout RandomStream) -> [Int] {
    guard count < data.sessionCount else { return Array(0..<data.sessionCount) }
    return stream.shuffled(data.sessionCount).prefix(count).sorted()
  }

  /// Mean over the policy's draws of `q` at each of these sessions' first states; [n].
  func initialValues(
    of sessions: [Int], _ q: (_ states: Matrix, _ actions: Matrix) -> [Double]
  ) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(sessions.count)
    for start in stride(from: 0, to: sessions.count, by: 4096) {
      let chunk = Array(sessions[start..<min(start + 4096, sessions.count)])
      let states = matrix(normalizer.normalized(data.initialStates(of: chunk)), data.stateSize)
      let first = chunk.map { data.session($0).lowerBound }
      var sums = [Double](repeating: 0, count: chunk.count)
      for draw in 0..<actions.samples {
        let draws = [Int](repeating: draw, count: chunk.count)
        let chosen = matrix(gathered(actions.atStates, first, draws), data.actionSize)
        for (index, value) in q(states, chosen).enumerated() { sums[index] += value }
      }
      values += sums.map { $0 / Double(actions.samples) }
    }
    return values
  }

  /// At most this many transitions are read for the mean residual.
  private static let residualTransitions = 1 << 16

  /// Mean of r + γ·b·Q(s', π_e(s')) − Q(s, a), in scaled rewards, over all transitions or 2¹⁶ of
  /// them evenly spaced.
  ///
  /// Where the fit has come to its end on these transitions it is 0: it is the gradient of eq. 10 by
  /// a constant added to Q, of which the regulariser's is 0.
  func meanResidual(_ q: FittedQ.Values) -> Double {
    let count = min(data.transitionCount, Self.residualTransitions)
    let indices = (0..<count).map { $0 * data.transitionCount / count }
    var sum = 0.0
    for start in stride(from: 0, to: count, by: 2048) {
      let rows = Array(indices[start..<min(start + 2048, count)])
      let batch = batch(at: rows, draws: rows.map { $0 % actions.samples })
      let values = q(batch.states, batch.actions)
      let next = q(batch.nextStates, batch.nextPolicyActions)
      for row in rows.indices {
        sum +=
          Double(batch.rewards[row]) + discount * Double(batch.bootstraps[row]) * next[row]
          - values[row]
      }
    }
    return sum / Double(count)
  }

  /// Mean of Σ_t γ^t over the logged sessions' steps: how often a session counts a step's error.
  var meanDiscountedLength: Double {
    let sum = (0..<data.sessionCount).reduce(0.0) { sum, m in
      var (length, weight) = (0.0, 1.0)
      for _ in data.session(m) {
        length += weight
        weight *= discount
      }
      return sum + length
    }
    return sum / Double(data.sessionCount)
  }

  private func gathered(_ table: [Float], _ indices: [Int], _ draws: [Int]) -> [Float] {
    let width = actions.actionSize
    var result: [Float] = []
    result.reserveCapacity(indices.count * width)
    for (index, draw) in zip(indices, draws) {
      let start = (index * actions.samples + draw) * width
      for k in start..<start + width { result.append(table[k]) }
    }
    return result
  }

  private func matrix(_ values: [Float], _ columns: Int) -> Matrix {
    Matrix(rows: values.count / columns, columns: columns, values: values)
  }
}

/// One pass over rewards and actions.
private struct RewardSummary {
  var rewards: [Float] = []
  var actions: [Float] = []
  var rootMeanSquare = 0.0
  var largest = 0.0
  var meanReturn = 0.0
  var returnVariance = 0.0

  init(_ data: any TransitionSource, discount: Double) throws(EvaluationError) {
    var squares = 0.0
    var moments = 0.0
    for m in 0..<data.sessionCount {
      let session = data.session(m)
      let batch = data.batch(at: Array(session))
      let rewards = batch.rewards
      self.rewards += rewards
      actions += batch.actions
      for (step, reward) in rewards.enumerated() {
        guard reward.isFinite else {
          throw .invalidReward(transition: session.lowerBound + step, found: reward)
        }
        squares += Double(reward) * Double(reward)
        largest = max(largest, abs(Double(reward)))
      }
      // Welford's update.
      let total = discountedReturn(of: rewards, discount: discount)
      let difference = total - meanReturn
      meanReturn += difference / Double(m + 1)
      moments += difference * (total - meanReturn)
    }
    rootMeanSquare = (squares / Double(data.transitionCount)).squareRoot()
    if data.sessionCount > 1 { returnVariance = moments / Double(data.sessionCount - 1) }
  }
}
