package import FusionMDP
package import SeededRandom

/// Fixed weights for every group of users; with groups by true type, what nobody can deploy: it knows
/// which type a user is.
package struct OraclePolicy: FusionPolicy {
  /// The name in reports and logs.
  package let name: String
  /// The size of an action, A.
  package let actionSize: Int
  /// The normalized action of each group [groups][A].
  package let actions: [[Float]]
  private let groups: [UInt64: Int]

  /// A policy that knows the group of each user hash.
  package init(name: String = "oracle", actions: [[Float]], groups: [UInt64: Int]) {
    precondition(
      groups.values.allSatisfy { actions.indices.contains($0) },
      "groups outside 0 ..< \(actions.count)")
    self.name = name
    self.actions = actions
    self.groups = groups
    actionSize = actions.first?.count ?? 0
  }

  /// Decides for B requests; draws nothing.
  package func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    var result = [Float]()
    result.reserveCapacity(requests.count * actionSize)
    for hash in requests.userHashes {
      guard let group = groups[hash] else {
        preconditionFailure("user \(hash) has no group")
      }
      result += actions[group]
    }
    return PolicyDecisions(actions: result)
  }
}

/// Finds the best fixed weights of each group of users by the cross-entropy method.
///
/// Groups do not touch each other, so one run tries one candidate for every group at once. All
/// candidates of an iteration meet the same random numbers.
package struct WeightSearch: Sendable {
  /// How much is tried: runs = iterations · population, plus two to choose at the end.
  package struct Budget: Sendable, Equatable {
    /// Rounds of drawing, running and narrowing.
    package var iterations = 10
    /// Candidates a round.
    package var population = 24
    /// Candidates that the next round is drawn around.
    package var elite = 6
    /// Days of each run.
    package var days = 1
    /// The standard deviation of the first round, in normalized weights.
    package var deviation = 0.5

    /// The default budget.
    package init() {}
  }

  /// What a search found.
  package struct Result: Sendable {
    /// The best action of each group [groups][A].
    package var actions: [[Float]]
    /// Mean value of the elite in each round, mean over groups.
    package var history: [Double]
  }

  /// Searches the groups of some users.
  ///
  /// The final mean replaces the start of a group only where it is better on fresh random numbers.
  ///
  /// Shapes: `group` [users], `start` [groups][A] → actions [groups][A].
  package static func run(
    on platform: SimulatedPlatform, from state: PlatformState, users: [Int], group: [Int],
    start: [[Float]], objective: PlatformObjective = .sessionReturn, budget: Budget = Budget(),
    seed: UInt64, threads: Int = 1
  ) -> Result {
    precondition(users.count == group.count, "\(group.count) groups of \(users.count) users")
    var trial = Trial(
      platform: platform, state: state, users: users, group: group, groups: start.count,
      objective: objective, days: budget.days, threads: threads)
    var stream = RandomStream(seed: seed, name: "weight search")
    let actionSize = platform.configuration.bounds.count
    var means = start
    var deviations = start.map { $0.map { _ in Float(budget.deviation) } }
    var history: [Double] = []
    for iteration in 0..<budget.iterations {
      var candidates: [[[Float]]] = []  // [population][groups][A]
      var values: [[Double]] = []  // [population][groups]
      for member in 0..<budget.population {
        let candidate = means.indices.map { g in
          (0..<actionSize).map { i in
            let noise = member == 0 ? 0 : Float(stream.gaussian())
            return min(max(means[g][i] + deviations[g][i] * noise, -1), 1)
          }
        }
        candidates.append(candidate)
        values.append(trial.values(of: candidate, seed: seed &+ UInt64(iteration)))
      }
      var eliteValue = 0.0
      for g in means.indices {
        let order = candidates.indices.sorted { (values[$0][g], $1) > (values[$1][g], $0) }
        let elite = order.prefix(budget.elite)
        eliteValue += elite.reduce(0) { $0 + values[$1][g] } / Double(elite.count)
        for i in 0..<actionSize {
          let chosen = elite.map { candidates[$0][g][i] }
          let mean = chosen.reduce(0, +) / Float(chosen.count)
          let variance =
            chosen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(chosen.count)
          means[g][i] = mean
          deviations[g][i] = max(variance.squareRoot(), 0.05)
        }
      }
      history.append(eliteValue / Double(means.count))
    }
    let fresh = seed ^ 0x6672_6573_6820_7365
    let before = trial.values(of: start, seed: fresh)
    let after = trial.values(of: means, seed: fresh)
    let actions = means.indices.map { after[$0] > before[$0] ? means[$0] : start[$0] }
    return Result(actions: actions, history: history)
  }

  /// Runs candidates.
  private struct Trial {
    let platform: SimulatedPlatform
    let state: PlatformState
    let users: [Int]
    let group: [Int]
    let groups: Int
    let objective: PlatformObjective
    let days: Int
    let threads: Int

    /// The value of each group's candidate. Shapes: [groups][A] → [groups].
    mutating func values(of actions: [[Float]], seed: UInt64) -> [Double] {
      let policy = platform.policy(actions: actions, users: users, group: group)
      let run = platform.run(
        policy: policy, users: users, from: state, days: days, seed: seed, threads: threads)
      let (sums, counts) = run.totals(objective, users: users)
      var sum = [Double](repeating: 0, count: groups)
      var count = sum
      for row in users.indices {
        sum[group[row]] += sums[row]
        count[group[row]] += counts[row]
      }
      return (0..<groups).map { count[$0] > 0 ? sum[$0] / count[$0] : 0 }
    }
  }
}

extension SimulatedPlatform {
  /// A policy with fixed weights for each group of users.
  ///
  /// Shapes: `actions` [groups][A], `group` [users].
  package func policy(
    name: String = "oracle", actions: [[Float]], users: [Int], group: [Int]
  ) -> OraclePolicy {
    var groups: [UInt64: Int] = [:]
    for (row, user) in users.enumerated() { groups[data.users.hashes[user]] = group[row] }
    return OraclePolicy(name: name, actions: actions, groups: groups)
  }

  /// The best static weights and the best weights a user type, and the policies that hold them.
  ///
  /// Static weights are searched first, from the reference weights; from what was found, each type's
  /// weights are searched and, with the same effort, static weights again, so that the oracle's
  /// advantage is knowing types and not a longer search. Runs: 3 · (iterations · population + 2).
  ///
  /// - Returns: the static action [A], each type's [types][A], and the oracle for all users.
  package func oracle(
    from state: PlatformState, objective: PlatformObjective = .sessionReturn,
    budget: WeightSearch.Budget = WeightSearch.Budget(), seed: UInt64, threads: Int = 1
  ) -> (staticAction: [Float], typeActions: [[Float]], oracle: OraclePolicy) {
    let users = allUsers
    let start = configuration.referencePolicy.action
    let found = WeightSearch.run(
      on: self, from: state, users: users, group: users.map { _ in 0 }, start: [start],
      objective: objective, budget: budget, seed: seed, threads: threads)
    let best = found.actions[0]
    let refined = WeightSearch.run(
      on: self, from: state, users: users, group: users.map { _ in 0 }, start: [best],
      objective: objective, budget: budget, seed: seed &+ 1_000, threads: threads)
    let types = userTypes
    let typed = WeightSearch.run(
      on: self, from: state, users: users, group: types,
      start: assumptions.types.map { _ in best }, objective: objective, budget: budget,
      seed: seed &+ 1_000, threads: threads)
    return (
      refined.actions[0], typed.actions, policy(actions: typed.actions, users: users, group: types)
    )
  }
}
