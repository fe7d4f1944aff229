import FusionMDP
import OnlineServing
import SessionLogs
import Synchronization
import Testing
import UserStates

@Suite("the fallback")
struct FallbackTests {
  /// Brings a service and a request to where this is the reason.
  private func scenario(
    _ reason: FallbackReason
  ) throws -> (service: Service, request: RankRequest, usable: [Int]) {
    let service = try Service { settings in
      if reason == .missingUser { settings.newUsers = .fallback }
      if reason == .storeBusy { settings.pendingStoreCalls = 0 }
    }
    try service.policies.release(Samples.fixed(-0.75, version: "v1"))
    let request = try Samples.request(7)
    var scores = request.scores
    let all = Array(0..<30)
    switch reason {
    case .storeTimeout: service.store.set(.hangs)
    case .storeFailure: service.store.set(.fails)
    case .storeBusy, .missingUser: break
    case .invalidState:
      var context = Samples.user(3)
      context.profile = [.nan, 0]
      service.store.put(context, of: "u1")
    case .noPolicy: return (try Service(), request, all)
    case .invalidAction:
      try service.policies.release(
        LivePolicy(
          version: "v2",
          policy: RawPolicy(actionSize: 12, action: [Float](repeating: .nan, count: 12))))
    case .unknownTask:
      let wider = try RankRequest(
        id: "wider", userID: "u1", itemIDs: request.itemIDs, tasks: request.tasks + ["shares"],
        scores: all.flatMap { Array(scores[$0 * 12..<($0 + 1) * 12]) + [0.5] }, count: 6)
      return (service, wider, all)
    case .invalidScores:
      scores[0] = .nan
      scores[12 * 4 + 3] = 1.5
      scores[12 * 9 + 11] = .infinity
      return (service, try replaced(request, scores), all.filter { ![0, 4, 9].contains($0) })
    case .nonFiniteScores:
      let fusion = try FusionDefinition(
        schema: .standard, formula: .weightedSum,
        bounds: FusionWeightBounds(
          lower: [Float](repeating: -1, count: 12), upper: [Float](repeating: 1e10, count: 12),
          schema: .standard))
      let wide = try Service(
        contract: ServingContract(fusion: fusion, encoder: Service.encoder),
        action: [Float](repeating: -0.9999999, count: 12))
      try wide.policies.release(Samples.fixed(1, version: "v1"))
      scores[12 * 2 + 11] = 1e30
      return (wide, try replaced(request, scores), all)
    }
    return (service, request, all)
  }

  private func replaced(_ request: RankRequest, _ scores: [Float]) throws -> RankRequest {
    try RankRequest(
      id: request.id, userID: request.userID, itemIDs: request.itemIDs, tasks: request.tasks,
      scores: scores, count: request.count)
  }

  @Test(
    "every reason: the static weights rank, and the decision says why",
    arguments: FallbackReason.allCases)
  func reasons(_ reason: FallbackReason) async throws {
    let (service, request, usable) = try scenario(reason)
    let answer = await service.ranking.rank(request)
    service.store.letGo()
    #expect(answer.fallback == reason)
    #expect(answer.policyVersion == "static+\(reason.rawValue)" && answer.isLogged)

    let (fusion, weights) = (service.policies.contract.fusion, service.policies.fallback.weights)
    let width = request.tasks.count
    let rows = usable.flatMap { request.scores[$0 * width..<$0 * width + 12] }
    let order = try fusion.formula.rankedCandidates(
      TaskScores(rows, schema: .standard), weights: weights, count: 6)
    #expect(answer.items.map(\.candidate) == order.map { usable[$0] })
    let event = try #require(service.sink.events.last)
    #expect(event.policyVersion == answer.policyVersion && event.logPropensity == nil)
    #expect(event.action == service.policies.fallback.action)
    #expect(event.shown == answer.items.map(\.id))
    let metrics = service.ranking.metrics
    #expect(metrics.fallbacks == [reason: 1] && metrics.requests == 1)
    #expect(metrics.byVersion == [answer.policyVersion: 1])
  }

  @Test(
    "an action outside the box or of another size is none",
    arguments: [
      [Float](repeating: 1.001, count: 12), [Float](repeating: 0, count: 11), [],
    ])
  func actions(_ action: [Float]) async throws {
    let service = try Service()
    let policy = RawPolicy(actionSize: 12, action: action)
    try service.policies.release(LivePolicy(version: "v1", policy: policy))
    #expect(try await service.ranking.rank(Samples.request(1)).fallback == .invalidAction)
  }

  @Test("tasks that are missing add nothing; without any the list is in the request's order")
  func missingTasks() async throws {
    let service = try Service()
    try service.policies.release(Samples.fixed(0.5, version: "v1"))
    let clicks = try RankRequest(
      id: "a", userID: "u1", itemIDs: ["x", "y", "z"], tasks: ["click"], scores: [0.1, 0.9, 0.5],
      count: 2)
    let byClick = await service.ranking.rank(clicks)
    #expect(byClick.items.map(\.id) == ["y", "z"] && byClick.fallback == .unknownTask)
    let foreign = try RankRequest(
      id: "b", userID: "u1", itemIDs: ["x", "y", "z"], tasks: ["shares"], scores: [0.1, 0.9, 0.5],
      count: 2)
    let asGiven = await service.ranking.rank(foreign)
    #expect(asGiven.items.map(\.id) == ["x", "y"] && asGiven.items.allSatisfy { $0.score == nil })
    let broken = try RankRequest(
      id: "c", userID: "u1", itemIDs: ["x", "y"], tasks: TaskSchema.standard.names,
      scores: [Float](repeating: .nan, count: 24), count: 2)
    let unusable = await service.ranking.rank(broken)
    #expect(unusable.items.map(\.id) == ["x", "y"] && unusable.fallback == .invalidScores)
    #expect(!byClick.isLogged && !asGiven.isLogged && !unusable.isLogged)
    #expect(service.sink.events.isEmpty && service.ranking.metrics.unloggable == 3)
  }

  @Test("what a store does late counts: the user has met the request, and the state is logged")
  func lateStore() async throws {
    let service = try Service()
    try service.policies.release(Samples.fixed(0.5, version: "v1"))
    var expected = Samples.user(20)
    service.store.put(expected, of: "u1")
    let time = service.clock.milliseconds
    service.store.set(.slow(service.clock, milliseconds: 5))
    #expect(try await service.ranking.rank(Samples.request(1)).fallback == .storeTimeout)
    var state: [Float] = []
    expected.appendState(at: time, using: Service.encoder, to: &state)
    expected.recordRequest(at: time, impressions: 6)
    #expect(service.store.context(of: "u1") == expected)
    #expect(service.sink.events.map(\.state) == [state])
    service.store.set(.slow(service.clock, milliseconds: 4))
    #expect(try await service.ranking.rank(Samples.request(2)).fallback == nil)
  }

  @Test("a new user gets the policy at the empty state, unless the settings say otherwise")
  func newUsers() async throws {
    for newUsers in [ServingSettings.NewUsers.emptyState, .fallback] {
      let service = try Service { $0.newUsers = newUsers }
      try service.policies.release(Samples.fixed(0.5, version: "v1"))
      let first = try await service.ranking.rank(Samples.request(1))
      #expect(first.fallback == (newUsers == .fallback ? .missingUser : nil))
      // The second request is of a user of whom a request is known.
      #expect(try await service.ranking.rank(Samples.request(2)).fallback == nil)
      var context = UserContext(using: Service.encoder)
      context.profile = [1, 2]
      service.store.put(context, of: "told")
      #expect(try await service.ranking.rank(Samples.request(3, user: "told")).fallback == nil)
      #expect(service.sink.events[0].state.count == Service.encoder.stateSize)
    }
  }

  @Test("a store that hangs costs the budget and no more, and is not asked without bound")
  func hangingStore() async throws {
    let parts = try Service()
    try parts.policies.release(Samples.fixed(0.5, version: "v1"))
    var settings = ServingSettings()
    settings.pendingStoreCalls = 3
    let ranking = RankingService(
      policies: parts.policies, store: parts.store, sink: parts.sink, clock: .system,
      settings: settings)
    parts.store.set(.hangs)
    var reasons: [FallbackReason?] = []
    for index in 0..<5 {
      reasons.append(try await ranking.rank(Samples.request(index)).fallback)
    }
    #expect(reasons == [.storeTimeout, .storeTimeout, .storeTimeout, .storeBusy, .storeBusy])
    #expect(parts.store.calls == 3 && ranking.metrics.pendingStoreCalls == 3)
    #expect(ranking.metrics.state.nanoseconds >= 3 * settings.budgetNanoseconds)
    parts.store.letGo()
    while ranking.metrics.pendingStoreCalls > 0 { await Task.yield() }
    #expect(parts.store.context(of: "u1")?.session.requestsSoFar == 3)
    #expect(try await ranking.rank(Samples.request(9)).fallback != .storeBusy)
  }

  @Test("a user in memory costs no timer, a user on disk is waited for within the budget")
  func coldUser() async throws {
    let folder = try TemporaryFolder()
    let (manual, sleeps) = (ManualClock(), Flag())
    func open() throws -> EmbeddedUserStore {
      try EmbeddedUserStore(
        path: "\(folder.path)/users.sqlite", encoder: Service.encoder, clock: manual.users)
    }
    let first = try open()
    var expected = Samples.user(30)
    try await first.update("u1") { $0 = Samples.user(30) }
    try await first.close()

    let (parts, store) = (try Service(), try open())
    try parts.policies.release(Samples.fixed(0.5, version: "v1"))
    let clock = ServingClock(
      milliseconds: { manual.milliseconds }, nanoseconds: { 0 },
      sleep: { _ in
        sleeps.set()
        try? await Task.sleep(nanoseconds: 60_000_000_000)
      })
    let ranking = RankingService(
      policies: parts.policies, store: store, sink: parts.sink, clock: clock)
    for index in 0..<20 {
      #expect(try await ranking.rank(Samples.request(index, user: "new")).fallback == nil)
      if index == 0 { continue }
      var state: [Float] = []
      expected.appendState(at: manual.milliseconds, using: Service.encoder, to: &state)
      expected.recordRequest(at: manual.milliseconds, impressions: 6)
      #expect(try await ranking.rank(Samples.request(100 + index)).fallback == nil)
      #expect(parts.sink.events.last?.state == state)
    }
    #expect(sleeps.isSet)

    // Both users are in memory now.
    let warm = RankingService(
      policies: parts.policies, store: store, sink: parts.sink,
      clock: ServingClock(
        milliseconds: { manual.milliseconds }, nanoseconds: { 0 },
        sleep: { _ in Issue.record("a timer for a user in memory") }))
    for index in 0..<20 { _ = try await warm.rank(Samples.request(200 + index)) }
    #expect(warm.metrics.fallbackCount == 0)
    try await store.close()
  }
}
