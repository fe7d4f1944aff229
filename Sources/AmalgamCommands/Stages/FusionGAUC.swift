import Foundation
package import FusionMDP
import OffPolicyEvaluation
package import PolicyArtifacts
import SeededRandom
package import SessionLogs

/// MTF-GAUC of a policy on a session log: does its fused score put what users consumed above what
/// they did not? A health metric, not a causal estimate (see `GroupedAUC`).
package enum FusionGAUC {
  /// What is set before it is computed.
  package struct Settings: Codable, Equatable, Sendable {
    /// Signals whose sum above 0 is a valid consumption; of those that the log declares or that
    /// follow from play time, the first one counts.
    package var consumption = ["long_view", "click"]
    /// Feedback that arrives later than this after its request is left out, in minutes.
    package var feedbackDeadlineMinutes = 60.0

    package init() {}

    /// What is wrong, in words, or nil.
    var problem: String? {
      if consumption.isEmpty { return "consumption: expected at least one signal, found none" }
      return feedbackDeadlineMinutes > 0 && feedbackDeadlineMinutes.isFinite
        ? nil
        : "feedbackDeadlineMinutes: expected a number above 0, found \(feedbackDeadlineMinutes)"
    }
  }

  /// The metric with what it was counted on.
  package struct Result: Codable, Equatable, Sendable {
    /// Always "health metric, not a causal estimate".
    package var label: String
    /// The policy's name.
    package var policy: String
    /// Σ w_u·AUC_u / Σ w_u; nil where no user has both labels.
    package var value: Double?
    /// The signal that was taken for consumption.
    package var consumption: String
    /// Users with both labels.
    package var users: Int
    /// Users with one label only, or with rewards that are all 0: left out.
    package var usersLeftOut: Int
    /// Items of the users that count.
    package var items: Int
    /// Consumed items among them.
    package var consumedItems: Int
    /// Shown items without usable feedback: left out.
    package var itemsWithoutFeedback: Int
  }

  /// Reads the log user by user, asks the policy about each logged state, and fuses the logged scores.
  ///
  /// - Parameters:
  ///   - name: what the result calls the policy; its own name if nil.
  ///   - reward: its weights make the weight of an item.
  ///   - threads: of the analytics engine.
  ///   - seed: of a policy that draws.
  /// - Throws: `CommandFailure.usage` for a log without states or scores, for lines that do not fit the
  ///   schema, for other tasks than the policy's and for a consumption signal that the log does not know;
  ///   `PolicyArtifactError` for a state that the policy cannot read; the engine's errors.
  package static func compute(
    log: SessionLogFolder, policy: PolicyArtifact, called name: String? = nil,
    settings: Settings = Settings(), reward: SatisfactionReward = .standard, threads: Int = 2,
    seed: UInt64 = 1
  ) throws -> Result {
    let fusion = policy.manifest.fusion
    for part in [LogSchema.Part.state, .taskScores] where log.schema.unknown.contains(part) {
      throw CommandFailure.usage(
        "\(log.path): expected a log that knows \(part.rawValue), found it among the unknown parts "
          + "of its schema")
    }
    guard log.schema.tasks == fusion.schema else {
      throw CommandFailure.usage(
        "\(log.path): expected scores of the policy's tasks \(fusion.schema.names), found "
          + "\(log.schema.tasks.names)")
    }
    let scan = try LineValidation.scan(log, threads: threads)
    if let finding = scan.findings.first { throw CommandFailure.usage("\(finding)") }
    let shown = try ShownItems(
      of: log, window: LogWindow(feedbackDeadlineMinutes: settings.feedbackDeadlineMinutes),
      threads: threads)
    let consumption = try consumptionSignal(of: log, settings)
    guard let place = shown.signals.firstIndex(of: consumption) else {
      throw CommandFailure.usage("\(log.path): no signal '\(consumption)'")
    }
    var stream = RandomStream(seed: seed, name: "fusion-gauc")
    var metric = GroupedAUC()
    var itemsWithFeedback = 0
    try shown.forEachUser { requests in
      try Interruption.shared.check("stopped while reading \(log.path)")
      var items: [GroupedAUC.Item] = []
      for request in requests {
        let weights = try policy.weights(
          forState: request.state, userHash: stableHash(request.userID), using: &stream)
        let scores = fusion.formula.fusedScores(candidates: request.taskScores, weights: weights)
        let width = shown.signals.count
        for item in 0..<request.itemCount {
          let signals = Array(request.signals[item * width..<(item + 1) * width])
          items.append(
            GroupedAUC.Item(
              prediction: Double(scores[item]), isPositive: signals[place] > 0,
              reward: Double(reward(Array(signals[..<FeedbackSignal.count])))))
        }
      }
      itemsWithFeedback += items.count
      metric.add(user: items)
    }
    return Result(
      label: GroupedAUC.label, policy: name ?? policy.manifest.policy.name, value: metric.value,
      consumption: consumption, users: metric.users, usersLeftOut: metric.usersLeftOut,
      items: metric.items, consumedItems: metric.positiveItems,
      itemsWithoutFeedback: shown.shownItems - itemsWithFeedback)
  }

  /// The first of the signals asked for that the log really holds: a standard signal that it does not
  /// declare reads as 0 and would make nobody a consumer.
  private static func consumptionSignal(
    of log: SessionLogFolder, _ settings: Settings
  ) throws -> String {
    let derived: [FeedbackSignal] = [.playMinutes, .playIntegrity, .finished, .skip]
    let known = log.schema.behaviors + derived.map(\.rawValue)
    guard let signal = settings.consumption.first(where: known.contains) else {
      throw CommandFailure.usage(
        "\(log.path): expected one of the signals \(settings.consumption) for valid consumption, "
          + "found \(known)")
    }
    return signal
  }
}

extension FusionGAUC.Result {
  /// The metric for a terminal.
  var line: String {
    let found = value.map { String(format: "%.4f", $0) } ?? "none"
    return "MTF-GAUC of \(policy): \(found) (\(label)); \(consumption) of \(users) users with both "
      + "kinds of items, \(usersLeftOut) left out"
  }
}
