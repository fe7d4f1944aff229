import FusionMDP
import OnlineServing
import PolicyArtifacts
import SeededRandom
import SessionLogs
import Testing
import UserStates

@Suite("ranking")
struct RankingTests {
  @Test("a request is ranked as the offline code ranks it, bit for bit", arguments: [true, false])
  func parity(batchConstrained: Bool) async throws {
    let policy: any FusionPolicy =
      batchConstrained ? Samples.batchConstrained() : Samples.network()
    let artifact = try Samples.artifact(policy)
    let service = try Service { $0.seed = 5 }
    try service.policies.release(LivePolicy(version: "v1", artifact: artifact))
    var offline = Samples.user(40)
    service.store.put(offline, of: "u1")

    for index in 0..<30 {
      service.clock.advance(milliseconds: 40_000)
      let request = try Samples.request(index)
      let answer = await service.ranking.rank(request)

      var state: [Float] = []
      offline.appendState(at: service.clock.milliseconds, using: Service.encoder, to: &state)
      offline.recordRequest(at: service.clock.milliseconds, impressions: 6)
      var stream = service.ranking.stream(ofRequest: request.id)
      let expected = try artifact.explain(
        state: state, scores: TaskScores(request.scores, schema: .standard), count: 6,
        userHash: stableHash("u1"), using: &stream)
      #expect(answer.items.map(\.candidate) == expected.ranking.map(\.index))
      #expect(answer.items.map(\.score) == expected.ranking.map(\.score))
      #expect(answer.policyVersion == "v1" && answer.fallback == nil && answer.isLogged)
      let event = try #require(service.sink.events.last)
      #expect(event.state == state && event.action == expected.weights.map(\.action))
      #expect(event.logPropensity == nil && event.timeMilliseconds == service.clock.milliseconds)
      #expect(event.shown == answer.items.map(\.id))
      #expect(
        event.taskScores
          == expected.ranking.flatMap { ranked in
            request.scores[ranked.index * 12..<(ranked.index + 1) * 12]
          })
    }
    #expect(service.store.context(of: "u1") == offline)
    #expect(service.ranking.metrics.byVersion == ["v1": 30])
    #expect(service.ranking.metrics.fallbackCount == 0)
  }

  @Test("the order of the tasks in a request does not matter")
  func taskOrder() async throws {
    let service = try Service()
    try service.policies.release(Samples.fixed(0.5, version: "v1"))
    let request = try Samples.request(1)
    let order = Array((0..<12).reversed())
    let turned = try RankRequest(
      id: "turned", userID: "u1", itemIDs: request.itemIDs, tasks: order.map { request.tasks[$0] },
      scores: (0..<30).flatMap { row in order.map { request.scores[row * 12 + $0] } }, count: 6)
    let straight = await service.ranking.rank(request)
    let answer = await service.ranking.rank(turned)
    #expect(answer.items == straight.items && answer.fallback == nil)
    #expect(service.sink.events[0].taskScores == service.sink.events[1].taskScores)
  }

  @Test("a request that is none is named by its field")
  func requestErrors() throws {
    func field(
      id: String = "r", user: String = "u", items: [String] = ["a", "b"],
      tasks: [String] = ["x"], scores: [Float] = [0, 0], count: Int = 1
    ) -> String? {
      do throws(RankRequestError) {
        _ = try RankRequest(
          id: id, userID: user, itemIDs: items, tasks: tasks, scores: scores, count: count)
        return nil
      } catch { return error.field }
    }
    #expect(field() == nil)
    #expect(field(id: "") == "request_id")
    #expect(field(user: "") == "user_id")
    #expect(field(count: 0) == "k")
    #expect(field(items: [], scores: []) == "candidates")
    #expect(field(items: ["a", "a"]) == "candidates[1]")
    #expect(field(items: ["a", ""]) == "candidates[1]")
    #expect(field(tasks: [], scores: []) == "tasks")
    #expect(field(tasks: ["x", "x"], scores: [0, 0, 0, 0]) == "tasks")
    #expect(field(scores: [0]) == "task_scores")
    let many = (0...RankRequest.candidateLimit).map { "\($0)" }
    #expect(field(items: many, scores: many.map { _ in 0 }) == "candidates")
    let tasks = (0...RankRequest.taskLimit).map { "\($0)" }
    #expect(field(tasks: tasks, scores: (tasks + tasks).map { _ in 0 }) == "tasks")
  }

  @Test("two runs with the same seed and clock make the same decisions")
  func determinism() async throws {
    func run(seed: UInt64) async throws -> [RankedList] {
      let service = try Service { $0.seed = seed }
      try service.policies.release(
        LivePolicy(version: "v1", artifact: Samples.artifact(Samples.batchConstrained())))
      var answers: [RankedList] = []
      for index in 0..<40 {
        service.clock.advance(milliseconds: 1000)
        answers.append(
          await service.ranking.rank(try Samples.request(index, user: "u\(index % 5)")))
      }
      return answers
    }
    let first = try await run(seed: 1)
    #expect(try await run(seed: 1) == first)
    #expect(try await run(seed: 2) != first)
  }

  @Test("a policy in the shadow decides and is logged beside; what is served does not change")
  func shadow() async throws {
    let service = try Service()
    try service.policies.setShadow(Samples.fixed(-0.5, version: "next"))
    let request = try Samples.request(1)
    let before = await service.ranking.rank(request)
    #expect(before.fallback == .noPolicy)
    try service.policies.release(Samples.fixed(0.5, version: "v1"))
    let answer = await service.ranking.rank(request)
    #expect(answer.policyVersion == "v1")
    #expect(service.sink.events.map(\.policyVersion) == ["static+no_policy", "v1"])
    #expect(service.policies.shadowVersion == "next")
    let shadow = try #require(service.sink.shadows.last)
    #expect(service.sink.shadows.count == 2 && shadow.requestID == "r1")
    #expect(shadow.version == "next" && shadow.action == [Float](repeating: -0.5, count: 12))
    let weights = FusionDefinition.standard.bounds.denormalized(shadow.action)
    let order = try FusionFormula.standard.rankedCandidates(
      TaskScores(request.scores, schema: .standard), weights: weights, count: 6)
    #expect(shadow.items == order.map { request.itemIDs[$0] })
    #expect(service.ranking.metrics.shadows == 2)

    let broken = RawPolicy(actionSize: 12, action: [Float](repeating: .nan, count: 12))
    try service.policies.setShadow(LivePolicy(version: "broken", policy: broken))
    #expect(await service.ranking.rank(request).items == answer.items)
    #expect(service.ranking.metrics.failedShadows == 1)
    try service.policies.setShadow(nil)
    _ = await service.ranking.rank(request)
    #expect(service.sink.shadows.count == 2)
  }
}
