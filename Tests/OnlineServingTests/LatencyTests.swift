import Foundation
import FusionMDP
import OnlineServing
import SessionLogs
import Testing
import UserStates

@Suite("latency", .serialized)
struct LatencyTests {
  /// Mean time of a request in microseconds, of the wall and of the processor.
  private func measure(
    _ live: LivePolicy, candidates: Int, requests count: Int
  ) async throws -> (wall: Double, processor: Double, metrics: ServingMetrics) {
    let folder = try TemporaryFolder()
    let manual = ManualClock()
    let store = try EmbeddedUserStore(
      path: "\(folder.path)/users.sqlite", encoder: Service.encoder, clock: manual.users)
    for index in 0..<100 {
      try await store.update("u\(index)") { $0 = Samples.user(500) }
    }
    let policies = try LivePolicies(
      contract: Service.contract,
      fallback: StaticWeights(version: "static", action: Service.staticAction, fusion: .standard))
    try policies.release(live)
    let service = RankingService(
      policies: policies, store: store, sink: DroppingSink(), clock: .system)
    let requests = try (0..<100).map {
      try Samples.request($0, user: "u\($0)", candidates: candidates, count: 20)
    }
    for request in requests { _ = await service.rank(request) }
    let before = service.metrics
    let processorStart = clock()
    let start = DispatchTime.now().uptimeNanoseconds
    for index in 0..<count { _ = await service.rank(requests[index % 100]) }
    let wall = Double(DispatchTime.now().uptimeNanoseconds - start) / Double(count) / 1000
    let processor = Double(clock() - processorStart) / Double(CLOCKS_PER_SEC)
    var metrics = service.metrics
    metrics.state.nanoseconds -= before.state.nanoseconds
    metrics.policy.nanoseconds -= before.policy.nanoseconds
    metrics.fusion.nanoseconds -= before.fusion.nanoseconds
    metrics.log.nanoseconds -= before.log.nanoseconds
    try await store.close()
    return (wall, processor * 1e6 / Double(count), metrics)
  }

  private struct DroppingSink: DecisionSink {
    func append(_ event: DecisionEvent) async throws {}
    func append(_ decision: ShadowDecision) async throws {}
  }

  @Test("time of a request: 500 candidates, 12 tasks, top 20, users in memory")
  func request() async throws {
    let learned = Samples.batchConstrained(candidates: 10, hidden: [128, 128])
    let policies = [
      ("static weights", LivePolicy(version: "v1", policy: Samples.fixed(0.5, version: "").policy)),
      (
        "batch-constrained, 2×128, n = 10",
        LivePolicy(version: "v1", artifact: try Samples.artifact(learned))
      ),
    ]
    for (name, live) in policies {
      let count = 3000
      let (wall, processor, metrics) = try await measure(live, candidates: 500, requests: count)
      func mean(_ stage: ServingMetrics.Stage) -> String {
        String(format: "%.1f", Double(stage.nanoseconds) / Double(count) / 1000)
      }
      print(
        "\(name): \(String(format: "%.1f µs a request, %.1f of the processor", wall, processor)); state \(mean(metrics.state)), "
          + "policy \(mean(metrics.policy)), fusion \(mean(metrics.fusion)), "
          + "log \(mean(metrics.log)) µs")
      #expect(metrics.fallbacks.filter { $0.key != .storeTimeout }.isEmpty)
      #expect(metrics.requests == count + 100)
    }
  }
}
