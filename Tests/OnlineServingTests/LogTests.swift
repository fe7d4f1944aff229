import Foundation
import FusionMDP
import OnlineExperiments
import OnlineServing
import SeededRandom
import SessionLogs
import Testing
import UserStates

@Suite("the log of a service")
struct LogTests {
  private static func feedback(_ event: DecisionEvent, _ index: Int) -> UserFeedback {
    var stream = RandomStream(seed: stableHash(event.requestID), name: "feedback \(index)")
    let duration = Float(stream.uniform(in: 5...60))
    let play = Float(stream.uniform()) * duration
    return UserFeedback(
      playSeconds: play, durationSeconds: duration, click: play > 0,
      longView: play > duration / 2, like: stream.uniform() < 0.1,
      follow: stream.uniform() < 0.05, comment: stream.uniform() < 0.05,
      forward: stream.uniform() < 0.05, hate: stream.uniform() < 0.05,
      profileEnter: stream.uniform() < 0.05, commentStay: stream.uniform() < 0.05)
  }

  /// Twelve tasks, a store on disk, arms, exploration, and requests that the fallback answers.
  private func run(
    folder: TemporaryFolder
  ) async throws -> (decisions: [DecisionEvent], feedback: [FeedbackEvent], metrics: ServingMetrics)
  {
    let clock = ManualClock()
    let store = try EmbeddedUserStore(
      path: "\(folder.path)/users.sqlite", encoder: Service.encoder, clock: clock.users)
    let sink = RecordingSink()
    let policies = try LivePolicies(
      contract: Service.contract,
      fallback: StaticWeights(version: "static", action: Service.staticAction, fusion: .standard))
    // A cold read may take its time here: the manual clock's sleep would end it at once.
    let serving = ServingClock(
      milliseconds: clock.serving.milliseconds, nanoseconds: clock.serving.nanoseconds,
      sleep: { _ in try? await Task.sleep(nanoseconds: 10_000_000_000) })
    let ranking = RankingService(policies: policies, store: store, sink: sink, clock: serving)
    try policies.release(
      LivePolicy(version: "v1", artifact: Samples.artifact(Samples.batchConstrained())))
    try policies.setPlan(
      ServingPlan(
        assignment: LayeredAssignment(
          plan: ExplorationTests.experiments(
            cap: 0.5, shares: [("random", 0.2), ("mixed", 0.3)]),
          stages: ["new policy": .step(1)]), layer: "policies",
        policies: [
          .init(
            experiment: "new policy", arm: "new",
            policy: LivePolicy(version: "v2", artifact: Samples.artifact(Samples.network())))
        ], exploration: ExplorationTests.kinds.filter { $0.key != "noise" }))

    var feedback: [FeedbackEvent] = []
    for index in 0..<400 {
      clock.advance(milliseconds: index % 100 == 99 ? 7_200_000 : 20_000)
      var request = try Samples.request(index, user: "u\(index % 40)")
      if index % 17 == 3 {
        request = try RankRequest(
          id: request.id, userID: request.userID, itemIDs: request.itemIDs, tasks: request.tasks,
          scores: [Float](repeating: .nan, count: 12) + request.scores.dropFirst(12), count: 6)
      }
      _ = await ranking.rank(request)
      let event = try #require(sink.events.last)
      var events: [UserFeedbackEvent] = []
      for (position, item) in event.shown.enumerated() {
        let response = Self.feedback(event, position)
        let time = event.timeMilliseconds + Int64(position + 1) * 1000
        let line = FeedbackEvent(
          requestID: event.requestID, userID: event.userID, itemID: item, position: position,
          timeMilliseconds: time, arrivalTimeMilliseconds: time + 50, feedback: response)
        feedback.append(line)
        let names = LogSchema.standardBehaviors
        events.append(
          UserFeedbackEvent(
            id: "\(event.requestID) \(position)",
            interaction: Interaction(
              timeMilliseconds: time, requestTimeMilliseconds: event.timeMilliseconds,
              playSeconds: response.playSeconds, playIntegrity: response.playIntegrity,
              behaviors: Service.encoder.behaviorNames.map { name in
                names.firstIndex(of: name).map { line.behaviors[$0] } ?? 0
              })))
      }
      _ = try await store.record(events, of: request.userID)
    }
    try await store.close()
    return (sink.events, feedback, ranking.metrics)
  }

  @Test("a log of its decisions and feedback passes strict validation; again it is the same")
  func validation() async throws {
    let folder = try TemporaryFolder()
    let (decisions, feedback, metrics) = try await run(folder: folder)
    #expect(decisions.count == 400 && metrics.explored > 100)
    #expect(metrics.fallbacks == [.invalidScores: 24])
    let writer = try SessionLogWriter(
      folder: "\(folder.path)/log",
      schema: LogSchema(
        stateNames: Service.encoder.names, stateDefinition: Service.encoder.definition))
    for event in decisions { try writer.write(event) }
    for event in feedback { try writer.write(event) }
    let validation = try LogValidation(of: writer.finish())
    #expect(validation.isValid(strictly: true))
    #expect(validation.lines.decisionCount == 400)
    let kinds = validation.warnings.map(\.kind)
    #expect(!kinds.contains(.propensitiesTooSmall) && !kinds.contains(.propensitiesTooLarge))

    let again = try await run(folder: TemporaryFolder())
    #expect(again.decisions == decisions)
  }
}
