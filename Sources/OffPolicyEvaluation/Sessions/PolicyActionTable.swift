import FusionMDP
import SeededRandom

/// What a policy does in every state of a data set, asked once before the fit.
///
/// Algorithm 2 needs π_e(s) (regulariser, V̂) and π_e(s') (target) in each of its thousands of
/// rounds; a policy that compares a hundred candidates an action would be most of the run. Each
/// state gets `samples` draws, and a round picks one of them at random, so that a stochastic
/// policy's expectation is over a fixed sample of its actions.
struct PolicyActionTable: Sendable {
  let actionSize: Int
  private(set) var samples: Int
  /// [N·samples·A]
  private(set) var atStates: [Float] = []
  /// [N·samples·A]; zeros where nothing follows.
  private(set) var atNextStates: [Float] = []
  /// Sum over all weights of (policy's − logged)².
  private(set) var squaredDistance = 0.0
  /// The policy's own log densities of the logged actions, [N]; nil where it has none.
  private(set) var logDensities: [Double]?

  /// At most this many transitions are read at once.
  private static let transitionsAtOnce = 2048

  /// Asks `policy` about all of `data`.
  /// - Throws: `EvaluationError` for a decision of another size or outside the box.
  init(
    policy: any FusionPolicy, data: any TransitionSource, samples: Int,
    using stream: inout RandomStream
  ) throws(EvaluationError) {
    actionSize = data.actionSize
    self.samples = samples
    logDensities = policy is any DensityPolicy ? [] : nil
    atStates.reserveCapacity(data.transitionCount * samples * actionSize)
    atNextStates.reserveCapacity(data.transitionCount * samples * actionSize)
    var m = 0
    while m < data.sessionCount {
      // Whole sessions, so that a state's successor is usually in the same chunk.
      let start = data.session(m).lowerBound
      var users: [UInt64] = []
      while m < data.sessionCount, users.isEmpty || users.count < Self.transitionsAtOnce {
        users += [UInt64](repeating: data.userHash(of: m), count: data.session(m).count)
        m += 1
      }
      let batch = data.batch(at: Array(start..<start + users.count))
      try append(batch, users: users, policy: policy, first: start, using: &stream)
    }
  }

  private mutating func append(
    _ batch: TransitionBatch, users: [UInt64], policy: any FusionPolicy, first: Int,
    using stream: inout RandomStream
  ) throws(EvaluationError) {
    let size = batch.stateSize
    // A step within a session: its next state is the next row's state, and so is the decision.
    var isFollowed = [Bool](repeating: false, count: batch.count)
    var own: [Int] = []
    for row in 0..<batch.count where batch.bootstraps[row] != 0 {
      let next = batch.nextStates[row * size..<(row + 1) * size]
      isFollowed[row] =
        row + 1 < batch.count && next == batch.states[(row + 1) * size..<(row + 2) * size]
      if !isFollowed[row] { own.append(row) }
    }
    var states = batch.states
    for row in own { states += batch.nextStates[row * size..<(row + 1) * size] }
    let requests = PolicyRequests(
      states: states, stateSize: size, userHashes: users + own.map { users[$0] })
    if let policy = policy as? any DensityPolicy, logDensities != nil {
      let found = policy.logDensities(
        of: batch.actions, for: requests.selecting(Array(0..<batch.count)))
      logDensities?.append(contentsOf: found)
      // A mixture that cannot say all of its densities is smoothed like a policy without any.
      if found.contains(where: \.isNaN) { logDensities = nil }
    }
    var draws: [[Float]] = []
    for _ in 0..<samples {
      let actions = policy.decide(requests, using: &stream).actions
      try check(actions, count: requests.count, policy: policy.name, first: first)
      draws.append(actions)
    }

    let width = actionSize
    var decision = [Int?](repeating: nil, count: batch.count)
    for (index, row) in own.enumerated() { decision[row] = batch.count + index }
    for row in 0..<batch.count {
      let next = isFollowed[row] ? row + 1 : decision[row]
      for draw in draws {
        let chosen = draw[row * width..<(row + 1) * width]
        atStates += chosen
        for (ours, logged) in zip(chosen, batch.actions[row * width..<(row + 1) * width]) {
          squaredDistance += Double(ours - logged) * Double(ours - logged)
        }
        if let next {
          atNextStates += draw[next * width..<(next + 1) * width]
        } else {
          atNextStates += [Float](repeating: 0, count: width)
        }
      }
    }
  }

  /// log π_h of logged actions [N·A] at `rows`: the mean of the kernels around the policy's draws.
  func smoothedLogDensities(of logged: [Float], at rows: [Int], bandwidth: Double) -> [Double] {
    rows.map { row in
      var densities = [Double](repeating: 0, count: samples)
      for draw in 0..<samples {
        let start = (row * samples + draw) * actionSize
        for d in 0..<actionSize {
          let kernel = TruncatedGaussian(mean: Double(atStates[start + d]), deviation: bandwidth)
          densities[draw] += kernel.logDensity(Double(logged[row * actionSize + d]))
        }
      }
      return WeightTerms.logMeanExp(densities)
    }
  }

  /// The table of π_h: `draws` actions a state, each around one of the policy's own.
  func smoothed(
    bandwidth: Double, draws: Int, using stream: inout RandomStream
  ) -> PolicyActionTable {
    var table = self
    table.samples = max(draws, samples)
    table.logDensities = nil
    table.atStates = drawn(atStates, bandwidth, count: table.samples, using: &stream)
    table.atNextStates = drawn(atNextStates, bandwidth, count: table.samples, using: &stream)
    return table
  }

  private func drawn(
    _ means: [Float], _ bandwidth: Double, count: Int, using stream: inout RandomStream
  ) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(means.count / samples * count)
    for row in 0..<means.count / (samples * actionSize) {
      for draw in 0..<count {
        let start = (row * samples + draw % samples) * actionSize
        for d in 0..<actionSize {
          let kernel = TruncatedGaussian(mean: Double(means[start + d]), deviation: bandwidth)
          result.append(Float(kernel.sample(using: &stream)))
        }
      }
    }
    return result
  }

  private func check(
    _ actions: [Float], count: Int, policy: String, first: Int
  ) throws(EvaluationError) {
    guard actions.count == count * actionSize else {
      throw .actionSize(
        policy: policy, expected: actionSize, found: count > 0 ? actions.count / count : 0)
    }
    for (index, value) in actions.enumerated() where !(abs(value) <= 1) {
      throw .invalidAction(
        policy: policy, row: first + index / actionSize, dimension: index % actionSize,
        found: value)
    }
  }
}
