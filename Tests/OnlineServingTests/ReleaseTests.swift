import FusionMDP
import OnlineServing
import PolicyArtifacts
import SessionLogs
import Testing

@Suite("releases")
struct ReleaseTests {
  @Test("releases can be rolled back one by one, as many as are kept")
  func rollBack() async throws {
    let service = try Service()
    #expect(throws: OnlineServingError.noEarlierRelease(current: nil)) {
      try service.policies.rollBack()
    }
    for index in 0..<10 {
      try service.policies.release(Samples.fixed(0, version: "v\(index)"))
    }
    #expect(service.policies.currentVersion == "v9")
    for index in (2..<9).reversed() {
      #expect(try service.policies.rollBack() == "v\(index)")
      #expect(try await service.ranking.rank(Samples.request(index)).policyVersion == "v\(index)")
    }
    #expect(throws: OnlineServingError.noEarlierRelease(current: "v2")) {
      try service.policies.rollBack()
    }
    try service.policies.release(Samples.fixed(0, version: "other"))
    #expect(try service.policies.rollBack() == "v2")
  }

  @Test("a policy that does not fit is refused, and what is served stays")
  func unfit() throws {
    let service = try Service()
    try service.policies.release(Samples.fixed(0, version: "v1"))
    let few = TaskSchema.standard.tasks.prefix(2)
    let schema = try TaskSchema(Array(few))
    let small = try FusionDefinition(
      schema: schema, formula: .weightedSum, bounds: .standard(for: schema))
    let other = try FusionDefinition(
      schema: .standard, formula: .weightedSum, bounds: .standard(for: .standard))
    let fixed = FixedWeightsPolicy(action: [0, 0])
    let twelve = FixedWeightsPolicy(action: [Float](repeating: 0, count: 12))
    let narrow = StateEncoder(profileSize: 1)
    let cases: [(String, LivePolicy)] = [
      ("version", Samples.fixed(0, version: "")),
      ("version", Samples.fixed(0, version: "a+b")),
      ("action", Samples.fixed(0, version: "v2", actionSize: 3)),
      (
        "action",
        LivePolicy(version: "v2", artifact: try Samples.artifact(fixed, fusion: small))
      ),
      (
        "formula",
        LivePolicy(version: "v2", artifact: try Samples.artifact(twelve, fusion: other))
      ),
      (
        "state_encoder",
        LivePolicy(
          version: "v2",
          artifact: try .init(
            policy: twelve, algorithm: "test", stateEncoder: narrow, seed: 1, revision: "0"))
      ),
    ]
    for (field, policy) in cases {
      func found(_ body: () throws -> Void) -> String? {
        do { try body() } catch OnlineServingError.unfitPolicy(_, let field, _, _) {
          return field
        } catch {}
        return nil
      }
      #expect(found { try service.policies.release(policy) } == field)
      #expect(found { try service.policies.setShadow(policy) } == field)
    }
    #expect(service.policies.currentVersion == "v1" && service.policies.shadowVersion == nil)
    #expect(throws: OnlineServingError.self) {
      try StaticWeights(version: "s", action: [2], fusion: .standard)
    }
    #expect(throws: OnlineServingError.self) {
      try LivePolicies(
        contract: Service.contract,
        fallback: StaticWeights(version: "s", action: [0, 0], fusion: small))
    }
  }

  @Test("a release in the middle of a request does not reach it")
  func releaseInside() async throws {
    let service = try Service(clock: .still)
    let policies = service.policies
    try policies.release(Samples.fixed(0.25, version: "v1"))
    service.store.set(.yields { try? policies.release(Samples.fixed(-0.25, version: "v2")) })
    let answer = try await service.ranking.rank(Samples.request(1))
    #expect(answer.policyVersion == "v1" && policies.currentVersion == "v2")
    #expect(service.sink.events.last?.action == [Float](repeating: 0.25, count: 12))
    service.store.set(.answers)
    let next = try await service.ranking.rank(Samples.request(2))
    #expect(next.policyVersion == "v2")
    #expect(service.sink.events.last?.action == [Float](repeating: -0.25, count: 12))
  }

  /// The action of version `v<index>`.
  private func action(_ version: String) -> Float? {
    Int(version.dropFirst()).map { Float($0) / 1000 - 0.5 }
  }

  @Test("1,000 releases and rollbacks while four tasks rank: every answer is one version's")
  func swaps() async throws {
    let service = try Service(clock: .still)
    try service.policies.release(Samples.fixed(-0.5, version: "v0"))
    service.store.set(.yields {})  // Each request is interrupted half-way.
    let end = Flag()
    let policies = service.policies
    let answers = try await withThrowingTaskGroup(of: [RankedList].self) { group in
      for worker in 0..<4 {
        group.addTask {
          var answers: [RankedList] = []
          var index = 0
          while !end.isSet || index < 200 {
            let request = try Samples.request(
              worker * 10_000_000 + index, user: "u\(index % 50)", candidates: 10)
            answers.append(await service.ranking.rank(request))
            index += 1
            await Task.yield()
          }
          return answers
        }
      }
      group.addTask {
        defer { end.set() }
        for change in 1...1000 {
          switch change % 10 {
          case 9: try policies.rollBack()
          case 4: try policies.setShadow(Samples.fixed(0, version: "shadow"))
          case 6: try policies.setShadow(nil)
          default:
            let value = Float(change) / 1000 - 0.5
            try policies.release(Samples.fixed(value, version: "v\(change)"))
          }
          await Task.yield()
        }
        return []
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let events = Dictionary(
      service.sink.events.map { ($0.requestID, $0) }, uniquingKeysWith: { first, _ in first })
    #expect(service.sink.events.count == answers.count && events.count == answers.count)
    var wrong = 0
    for answer in answers {
      let event = events[answer.requestID]
      let isOneVersions =
        answer.fallback == nil && event?.policyVersion == answer.policyVersion
        && action(answer.policyVersion) == event?.action[0] && answer.items.count == 6
      if !isOneVersions { wrong += 1 }
    }
    #expect(wrong == 0)
    #expect(Set(answers.map(\.policyVersion)).count > 10)
    #expect(service.ranking.metrics.requests == answers.count)
  }
}
