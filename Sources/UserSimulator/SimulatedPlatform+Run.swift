import Dispatch
package import FusionMDP
import SeededRandom
import Synchronization

extension SimulatedPlatform {
  /// Serves users for some days with a policy.
  ///
  /// Sessions that begin before the end of the last day are played to their end and count for the
  /// day on which they began. The same seed gives the same candidates, moods and gaps to any
  /// policy (common random numbers), and the same bits for any number of threads: cohorts are
  /// independent, and their results are put together in order.
  ///
  /// - Parameters:
  ///   - policy: decides for batches of at most `cohortSize` requests; called from many threads.
  ///   - users: the users served, each once; nil for all.
  ///   - state: where the users are; the run starts at its time.
  ///   - seed: decides what happens, beside the platform's own seed, which decides who users are.
  package func run(
    policy: any FusionPolicy, users: [Int]? = nil, from state: PlatformState, days: Int,
    seed: UInt64, reward: SatisfactionReward = .standard, discount: Double = 0.95,
    threads: Int = 1
  ) -> PlatformRun {
    let plan = plan(
      policy, state: state, days: days, seed: seed, reward: reward, discount: discount,
      records: false)
    return run(plan, users: users ?? allUsers, from: state, threads: threads) { _ in }
  }

  /// The same run, with every served request delivered.
  ///
  /// - Parameter record: receives the requests cohort after cohort, in each in the order served, so
  ///   each user's in time order. Costs the memory of the requests of `threads` cohorts.
  package func run<Failure: Error>(
    policy: any FusionPolicy, users: [Int]? = nil, from state: PlatformState, days: Int,
    seed: UInt64, reward: SatisfactionReward = .standard, discount: Double = 0.95,
    threads: Int = 1, record: (ServedRequest) throws(Failure) -> Void
  ) throws(Failure) -> PlatformRun {
    let plan = plan(
      policy, state: state, days: days, seed: seed, reward: reward, discount: discount,
      records: true)
    return try run(plan, users: users ?? allUsers, from: state, threads: threads, record: record)
  }

  private func plan(
    _ policy: any FusionPolicy, state: PlatformState, days: Int, seed: UInt64,
    reward: SatisfactionReward, discount: Double, records: Bool
  ) -> RunPlan {
    precondition(days > 0, "a run of \(days) days")
    precondition(
      policy.actionSize == configuration.bounds.count,
      "\(policy.name) has \(policy.actionSize) weights, the formula \(configuration.bounds.count)")
    return RunPlan(
      platform: self, policy: policy, days: days, startMilliseconds: state.startMilliseconds,
      root: RandomStream(seed: seed, name: "run"), reward: reward, discount: discount,
      records: records)
  }

  private func run<Failure: Error>(
    _ plan: RunPlan, users: [Int], from state: PlatformState, threads: Int,
    record: (ServedRequest) throws(Failure) -> Void
  ) throws(Failure) -> PlatformRun {
    precondition(threads > 0, "\(threads) threads")
    precondition(Set(users).count == users.count, "a user stands twice in \(users.count)")
    let size = configuration.cohortSize
    let cohorts = stride(from: 0, to: users.count, by: size).map {
      Array(users[$0..<min($0 + size, users.count)])
    }
    var result = PlatformRun(userDays: [], sessions: [], state: state)
    result.state.startMilliseconds = plan.endMilliseconds
    for wave in stride(from: 0, to: cohorts.count, by: threads) {
      let range = wave..<min(wave + threads, cohorts.count)
      for (cohort, run) in zip(range, serve(cohorts, range, plan: plan, state: state)) {
        for request in run.records { try record(request) }
        let outcome = run.finish()
        result.userDays += outcome.days
        result.sessions += outcome.sessions
        for (user, state) in zip(cohorts[cohort], outcome.states) {
          result.state.users[user] = state
        }
      }
    }
    return result
  }

  /// Runs some cohorts at once, each on its own thread; results in the order of the cohorts.
  private func serve(
    _ cohorts: [[Int]], _ range: Range<Int>, plan: RunPlan, state: PlatformState
  ) -> [CohortRun] {
    @Sendable func serve(_ cohort: Int) -> CohortRun {
      var run = CohortRun(
        plan: plan, cohort: cohort, members: cohorts[cohort],
        states: cohorts[cohort].map { state.users[$0] })
      run.run()
      return run
    }
    guard range.count > 1 else { return range.map(serve) }
    let results = Mutex([CohortRun?](repeating: nil, count: range.count))
    DispatchQueue.concurrentPerform(iterations: range.count) { position in
      let run = serve(range.lowerBound + position)
      results.withLock { $0[position] = run }
    }
    return results.withLock { $0.compactMap(\.self) }
  }
}
