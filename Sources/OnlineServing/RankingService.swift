internal import FusionMDP
package import SeededRandom
internal import SessionLogs
internal import Synchronization
package import UserStates

/// Ranks candidates for users: the core of a service, without a network.
///
/// The path of a request:
///
///     user store → state → policy of the user's arm → weights → fused scores → top k → sink
///
/// It answers every request. Where the store, the policy or the scores fail, the static weights rank
/// (``FallbackReason``), and the decision says so. The code that ranks is `FusionMDP`'s, so a policy
/// ranks here as it does offline, bit for bit.
///
/// Invariants: a request reads one snapshot of what is live; what is drawn for a request depends on
/// the seed and the request's id alone; the log density of a decision is exact or nil.
package final class RankingService: Sendable {
  /// What is served.
  package let policies: LivePolicies
  /// What the service may do.
  package let settings: ServingSettings
  let store: any UserStateStore
  let clock: ServingClock
  let pendingStoreCalls = PendingCalls()
  private let sink: any DecisionSink
  private let streams: RandomStream
  private let counters = Mutex(ServingMetrics())
  private let sinkWorks = Atomic(true)

  /// A service.
  ///
  /// - Parameter store: of users under the encoder of the policies' contract.
  package init(
    policies: LivePolicies, store: any UserStateStore, sink: any DecisionSink,
    clock: ServingClock, settings: ServingSettings = ServingSettings()
  ) {
    self.policies = policies
    self.store = store
    self.sink = sink
    self.clock = clock
    self.settings = settings
    streams = RandomStream(seed: settings.seed, name: "serving")
  }

  /// What the service has done.
  package var metrics: ServingMetrics {
    var metrics = counters.withLock { $0 }
    metrics.explorationRests = !sinkWorks.load(ordering: .relaxed)
    metrics.pendingStoreCalls = pendingStoreCalls.count
    return metrics
  }

  /// The stream of a request: what a policy draws from offline to decide the same.
  package func stream(ofRequest id: String) -> RandomStream { streams.child(id) }

  /// Ranks the candidates of a request.
  package func rank(_ request: RankRequest) async -> RankedList {
    let start = clock.nanoseconds()
    let time = clock.milliseconds()
    let live = policies.snapshot
    let user = await user(of: request, at: time, since: start)
    let userHash = stableHash(request.userID)
    let explores = live.explores && sinkWorks.load(ordering: .relaxed)
    let place = live.plan?.place(ofUser: userHash, explores: explores) ?? ServingPlan.Place()
    var spent = Spent(start: start, stateEnd: clock.nanoseconds())

    let ranker = RequestRanker(
      request: request, contract: policies.contract, userHash: userHash, clock: clock)
    let decision = decide(live, user: user, place: place, by: ranker, &spent)
    let isLogged = await log(decision, request, user: user, place: place, time: time, &spent)
    if let shadow = live.shadow {
      await run(shadow, user: user, by: ranker, &spent)
    }
    count(decision, explored: decision.fallback == nil && place.exploration != nil, spent)
    return RankedList(
      requestID: request.id,
      items: decision.items.map {
        RankedList.Item(candidate: $0.candidate, id: request.itemIDs[$0.candidate], score: $0.score)
      },
      policyVersion: decision.version, experiment: place.experiment, arm: place.arm,
      fallback: decision.fallback, isLogged: isLogged)
  }

  /// The policy's decision, or that of the fallback.
  private func decide(
    _ live: ServingSnapshot, user: UserAnswer, place: ServingPlan.Place, by ranker: RequestRanker,
    _ spent: inout Spent
  ) -> ServedDecision {
    do throws(FallbackReason) {
      if let reason = user.failure { throw reason }
      guard let policy = place.policy ?? live.current else { throw .noPolicy }
      guard let state = user.state else { throw .storeFailure }
      var stream = stream(ofRequest: ranker.request.id)
      return try ranker.decision(
        of: policy, exploring: place.exploration, state: state, using: &stream, &spent)
    } catch {
      return ranker.fallback(policies.fallback, for: error, &spent)
    }
  }

  /// Hands the decision to the sink.
  /// - Returns: whether it took it.
  private func log(
    _ decision: ServedDecision, _ request: RankRequest, user: UserAnswer,
    place: ServingPlan.Place, time: Int64, _ spent: inout Spent
  ) async -> Bool {
    guard let taskScores = decision.taskScores else { return false }
    let begin = clock.nanoseconds()
    let event = DecisionEvent(
      requestID: request.id, userID: request.userID, timeMilliseconds: time,
      policyVersion: decision.version, experiment: place.experiment, arm: place.arm,
      state: user.usableState ?? emptyState(at: time), action: decision.action,
      logPropensity: decision.logPropensity,
      shown: decision.items.map { request.itemIDs[$0.candidate] }, taskScores: taskScores)
    var isLogged = true
    do { try await sink.append(event) } catch { isLogged = false }
    sinkWorks.store(isLogged, ordering: .relaxed)
    spent.failedLog = !isLogged
    spent.log = clock.nanoseconds() - begin
    return isLogged
  }

  /// Lets a policy decide beside what was served.
  private func run(
    _ shadow: LivePolicy, user: UserAnswer, by ranker: RequestRanker, _ spent: inout Spent
  ) async {
    let begin = clock.nanoseconds()
    defer { spent.shadow = clock.nanoseconds() - begin }
    var stream = stream(ofRequest: ranker.request.id)
    var unused = Spent(start: begin, stateEnd: begin)
    guard let state = user.state,
      let decision = try? ranker.decision(
        of: shadow, exploring: nil, state: state, using: &stream, &unused)
    else {
      spent.shadowOutcome = .failed
      return
    }
    let items = decision.items.map { ranker.request.itemIDs[$0.candidate] }
    do {
      try await sink.append(
        ShadowDecision(
          requestID: ranker.request.id, version: decision.version, action: decision.action,
          logPropensity: decision.logPropensity, items: items))
      spent.shadowOutcome = .logged
    } catch {
      spent.shadowOutcome = .refused
    }
  }

  private func count(_ decision: ServedDecision, explored: Bool, _ spent: Spent) {
    let total = clock.nanoseconds() - spent.start
    counters.withLock { metrics in
      metrics.requests += 1
      metrics.byVersion[decision.version, default: 0] += 1
      if let reason = decision.fallback { metrics.fallbacks[reason, default: 0] += 1 }
      if explored { metrics.explored += 1 }
      if decision.taskScores == nil { metrics.unloggable += 1 }
      if spent.failedLog { metrics.failedLogs += 1 }
      metrics.state.add(spent.stateEnd - spent.start)
      metrics.policy.add(spent.policy)
      metrics.fusion.add(spent.fusion)
      metrics.log.add(spent.log)
      metrics.shadow.add(spent.shadow)
      metrics.total.add(total)
      guard let outcome = spent.shadowOutcome else { return }
      if outcome == .failed { metrics.failedShadows += 1 } else { metrics.shadows += 1 }
      if outcome == .refused { metrics.failedShadowLogs += 1 }
    }
  }
}

/// What one request has cost so far, in nanoseconds.
struct Spent: Sendable {
  /// What came of the policy in the shadow.
  enum ShadowOutcome: Sendable {
    case logged
    case refused
    case failed
  }

  let start: UInt64
  let stateEnd: UInt64
  var policy: UInt64 = 0
  var fusion: UInt64 = 0
  var log: UInt64 = 0
  var shadow: UInt64 = 0
  var failedLog = false
  var shadowOutcome: ShadowOutcome?

  init(start: UInt64, stateEnd: UInt64) {
    self.start = start
    self.stateEnd = stateEnd
  }
}
