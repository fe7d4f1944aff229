import FusionMDP
import SessionLogs

extension ScratchFolder {
  /// Two users; `like` predictions 0.9, 0.5, 0.1 of each list. The first user watches what is
  /// predicted best, the second what is predicted least; one item has no feedback.
  func writeLikedLog(behaviors: [String] = LogSchema.standardBehaviors) throws -> SessionLogFolder {
    let schema = try LogSchema(behaviors: behaviors, stateNames: ["age"])
    let writer = try SessionLogWriter(
      folder: file("log-\(behaviors.count)"), schema: schema)
    let watched: [(user: String, item: Int?)] = [("u1", 0), ("u1", 0), ("u2", 2), ("u3", nil)]
    for (number, (user, item)) in watched.enumerated() {
      let time = Int64(1_000_000 * (number + 1))
      let scores = [0.9, 0.5, 0.1].flatMap { like in
        TaskSchema.standard.tasks.map { $0.name == "like" ? Float(like) : 0.5 }
      }
      try writer.write(
        DecisionEvent(
          requestID: "r\(number)", userID: user, timeMilliseconds: time, policyVersion: "p",
          state: [1], action: TaskSchema.standard.names.map { _ in 0 }, logPropensity: nil,
          shown: ["a", "b", "c"], taskScores: scores))
      // The last to be shown comes first: places, not lines, decide whose scores are whose.
      for place in [2, 1, 0] where !(number == 0 && place == 1) {
        let isWatched = place == item
        let feedback = UserFeedback(
          playSeconds: isWatched ? 60 : 1, durationSeconds: 60, click: true, longView: isWatched)
        let values = zip(LogSchema.standardBehaviors, feedback.signals.dropFirst(2))
          .filter { behaviors.contains($0.0) }.map(\.1)
        try writer.write(
          FeedbackEvent(
            requestID: "r\(number)", userID: user, itemID: ["a", "b", "c"][place], position: place,
            timeMilliseconds: time + 100, arrivalTimeMilliseconds: time + 200,
            playTimeSeconds: feedback.playSeconds, durationSeconds: 60, behaviors: values))
      }
    }
    return try writer.finish()
  }
}
