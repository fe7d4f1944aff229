import FusionMDP

/// Holds an event against its schema before it is written.
struct EventCheck {
  private let schema: LogSchema

  init(_ schema: LogSchema) { self.schema = schema }

  func check(_ event: DecisionEvent) throws(SessionLogError) {
    func fail(_ field: String, _ expected: String, _ found: String) -> SessionLogError {
      .event(
        kind: "decision", requestID: event.requestID, field: field, expected: expected,
        found: found)
    }
    if event.requestID.isEmpty { throw fail("request_id", "an id", "an empty text") }
    if event.userID.isEmpty { throw fail("user_id", "an id", "an empty text") }
    if event.timeMilliseconds < 0 {
      throw fail("time_ms", "0 or more", "\(event.timeMilliseconds)")
    }
    if event.state.count != schema.stateSize {
      throw fail("state", "\(schema.stateSize) numbers", "\(event.state.count)")
    }
    for (index, value) in event.state.enumerated() where !value.isFinite {
      throw fail("state[\(index)] (\(schema.stateNames[index]))", "a finite number", "\(value)")
    }
    if event.action.count != schema.actionSize {
      throw fail("action", "\(schema.actionSize) weights", "\(event.action.count)")
    }
    for (index, value) in event.action.enumerated() where !(value >= -1 && value <= 1) {
      throw fail("action[\(index)]", "a number in [−1, 1]", "\(value)")
    }
    if let value = event.logPropensity, !value.isFinite {
      throw fail("log_propensity", "a finite number or nil", "\(value)")
    }
    if event.shown.isEmpty { throw fail("shown", "at least one item", "none") }
    for (index, item) in event.shown.enumerated() where item.isEmpty {
      throw fail("shown[\(index)]", "an id", "an empty text")
    }
    guard schema.knows(.taskScores) else {
      if event.taskScores.isEmpty { return }
      throw fail(
        "task_scores", "none, as the schema says that they are unknown",
        "\(event.taskScores.count) scores")
    }
    let taskCount = schema.taskCount
    if event.taskScores.count != event.shown.count * taskCount {
      throw fail(
        "task_scores", "\(event.shown.count) items of \(taskCount) scores",
        "\(event.taskScores.count) scores")
    }
    let tasks = schema.tasks.tasks
    for (index, value) in event.taskScores.enumerated() {
      let task = tasks[index % taskCount]
      if !task.domain.contains(value) {
        throw fail(
          "task_scores[\(index / taskCount)][\(index % taskCount)] (\(task.name))",
          task.domain.summary, "\(value)")
      }
    }
  }

  func check(_ event: FeedbackEvent) throws(SessionLogError) {
    func fail(_ field: String, _ expected: String, _ found: String) -> SessionLogError {
      .event(
        kind: "feedback", requestID: event.requestID, field: field, expected: expected,
        found: found)
    }
    if event.requestID.isEmpty { throw fail("request_id", "an id", "an empty text") }
    if event.userID.isEmpty { throw fail("user_id", "an id", "an empty text") }
    if event.itemID.isEmpty { throw fail("item_id", "an id", "an empty text") }
    if event.position < 0 { throw fail("position", "0 or more", "\(event.position)") }
    if event.timeMilliseconds < 0 {
      throw fail("time_ms", "0 or more", "\(event.timeMilliseconds)")
    }
    if event.arrivalTimeMilliseconds < event.timeMilliseconds {
      throw fail(
        "arrival_time_ms", "time_ms (\(event.timeMilliseconds)) or later",
        "\(event.arrivalTimeMilliseconds)")
    }
    for (name, value) in [
      ("play_time_seconds", event.playTimeSeconds), ("duration_seconds", event.durationSeconds),
    ] where !(value >= 0 && value.isFinite) {
      throw fail(name, "seconds, finite and at least 0", "\(value)")
    }
    if event.behaviors.count != schema.behaviors.count {
      throw fail("behaviors", "\(schema.behaviors.count) numbers", "\(event.behaviors.count)")
    }
    for (index, value) in event.behaviors.enumerated() where !(value >= 0 && value.isFinite) {
      throw fail(schema.behaviors[index], "a finite number, at least 0", "\(value)")
    }
  }
}
