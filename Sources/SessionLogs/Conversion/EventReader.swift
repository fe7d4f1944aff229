import Foundation
import FusionMDP

/// Reads the fields of events from rows, as the mapping says.
struct EventReader {
  let schema: LogSchema
  private let bounds: FusionWeightBounds?
  private let behaviors: [(name: String, source: FieldSource)]
  /// The logarithm of how much smaller the box [−1, 1]^K is made than the raw weights' bounds:
  ///
  ///     log p(action) = log p(weights) + Σ_k log((upper_k − lower_k) / 2)
  private let logVolume: Double

  init(_ mapping: LogMapping) throws(ConversionError) {
    schema = try mapping.schema()
    bounds = try mapping.weightBounds()
    var logVolume = 0.0
    for (lower, upper) in zip(bounds?.lower ?? [], bounds?.upper ?? []) {
      logVolume += log((Double(upper) - Double(lower)) / 2)
    }
    self.logVolume = logVolume
    let sources = mapping.feedbackTable?.table.behaviors ?? [:]
    behaviors = schema.behaviors.compactMap { name in sources[name].map { (name, $0) } }
  }

  // MARK: Decisions

  /// The decision of a row; without `shown` and task scores where the rows of a request make them.
  ///
  /// A weight beyond the bounds that becomes the bound makes the log density unknown: the density
  /// at the raw weights is not that of the bound, where the truncated draws gather.
  func decision(
    _ row: SourceRow, _ table: TableMapping, requestID: String
  ) throws(FieldFailure) -> (event: DecisionEvent, isTruncated: Bool) {
    guard let userID = table.userID, let time = table.time, let version = table.policyVersion
    else { preconditionFailure("an unchecked mapping") }
    var event = DecisionEvent(
      requestID: requestID, userID: try row.text(userID, "user_id", "an id"),
      timeMilliseconds: try row.time(time, "time"),
      policyVersion: try row.text(version, "policy_version", "a name"),
      experiment: table.experiment.flatMap(row.optionalText),
      arm: table.arm.flatMap(row.optionalText), state: [], action: [], logPropensity: nil,
      shown: [], taskScores: [])
    if let state = table.state { event.state = try row.numbers(state, "state") }
    var isTruncated = false
    if let action = table.action {
      (event.action, isTruncated) = try self.action(row, action)
    }
    if let propensity = table.logPropensity {
      let density = try row.logPropensity(
        propensity, "log_propensity", logVolume: logVolume)
      event.logPropensity = isTruncated ? nil : density
    }
    if let shown = table.shown {
      event.shown = try row.strings(shown, "shown")
      if let scores = table.taskScores {
        event.taskScores = try row.scores(
          scores, "task_scores", taskCount: schema.taskCount, itemCount: event.shown.count)
      }
      var seen = Set<String>()
      for (index, item) in event.shown.enumerated() where !seen.insert(item).inserted {
        throw FieldFailure(
          column: shown.column, field: "shown[\(index)]", expected: "different items",
          found: "“\(item)” again")
      }
    }
    return (event, isTruncated)
  }

  /// The normalized weights, and whether one of them stood beyond its bounds.
  private func action(
    _ row: SourceRow, _ source: ListSource
  ) throws(FieldFailure) -> (weights: [Float], isTruncated: Bool) {
    let weights = try row.numbers(source, "action")
    let size = bounds?.count ?? schema.actionSize
    if weights.count != size {
      throw FieldFailure(
        column: source.column, field: "action", expected: "\(size) weights",
        found: "\(weights.count)")
    }
    var isTruncated = false
    for (index, weight) in weights.enumerated() {
      let (lower, upper) = bounds.map { ($0.lower[index], $0.upper[index]) } ?? (-1, 1)
      if weight >= lower && weight <= upper { continue }
      isTruncated = source.outside == "truncate"
      if !isTruncated {
        throw FieldFailure(
          column: source.column ?? source.elementColumns?[index], field: "action[\(index)]",
          expected: "a weight in [\(lower), \(upper)]", found: "\(weight)")
      }
    }
    return (bounds?.normalized(weights) ?? weights, isTruncated)
  }

  /// The scores of the one item of an impression.
  func impressionScores(
    _ row: SourceRow, _ table: TableMapping
  ) throws(FieldFailure) -> [Float] {
    guard let source = table.taskScores else { return [] }
    let scores = try row.numbers(source, "task_scores")
    if scores.count != schema.taskCount {
      throw FieldFailure(
        column: source.column, field: "task_scores",
        expected: "\(schema.taskCount) scores for as many tasks", found: "\(scores.count)")
    }
    return scores
  }

  // MARK: Feedback

  /// The feedback of a row.
  func feedback(
    _ row: SourceRow, _ table: TableMapping, requestID: String, userID: String, position: Int,
    timeField: FieldSource?, requestTime: Int64
  ) throws(FieldFailure) -> FeedbackEvent {
    guard let itemID = table.itemID, let playTime = table.playTime else {
      preconditionFailure("an unchecked mapping")
    }
    let play = try row.seconds(playTime, "play_time")
    // Where nobody noted when an impression ended, it ended when it had played.
    let playMilliseconds = Int64((min(Double(play), 1e10) * 1000).rounded())
    let time =
      try timeField.map { source throws(FieldFailure) in
        try row.time(source, table.feedbackTime == nil ? "time" : "feedback_time")
      } ?? requestTime + playMilliseconds
    var values: [Float] = []
    values.reserveCapacity(behaviors.count)
    for (name, source) in behaviors {
      values.append(try row.behavior(source, "behaviors.\(name)"))
    }
    let arrival = try table.arrivalTime.map { source throws(FieldFailure) in
      try row.time(source, "arrival_time")
    }
    let event = FeedbackEvent(
      requestID: requestID, userID: userID, itemID: try row.text(itemID, "item_id", "an id"),
      position: position, timeMilliseconds: time, arrivalTimeMilliseconds: arrival ?? time,
      playTimeSeconds: play,
      durationSeconds: try table.duration.map { source throws(FieldFailure) in
        try row.seconds(source, "duration")
      } ?? 0, behaviors: values)
    if event.arrivalTimeMilliseconds < time {
      throw FieldFailure(
        column: table.arrivalTime?.column, field: "arrival_time",
        expected: "the time of the feedback (\(time) ms) or later", found: "\(arrival ?? time)")
    }
    return event
  }
}
