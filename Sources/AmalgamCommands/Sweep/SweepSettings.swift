import BatchRL
import FusionMDP

/// The keys of a sweep's configuration.
struct SweepSettings: Codable {
  /// True values by roll-out.
  struct Truth: Codable, Equatable {
    /// Days under the reference weights before.
    var warmupDays = ReproduceConfiguration.Platform().warmupDays
    var users = ReproduceConfiguration.Truth().users
    var days = ReproduceConfiguration.Truth().days
  }

  var algorithm = LearningAlgorithm.batchRLMTF
  var seed: UInt64 = 1
  /// Threads of evaluation and roll-out.
  var threads = 2
  /// The reward's weight of each feedback signal (eq. 2), for shards that hold feedback.
  var rewardWeights = SatisfactionReward.standard
  var training = TrainingConfiguration()
  var learners = LearnerSettings()
  var evaluation = PolicyEvaluation.Settings()
  var truth = Truth()

  /// What may be varied: what all points must share is not among it.
  private static let varied = [
    "algorithm", "seed", "rewardWeights", "training", "learners", "evaluation",
  ]

  /// These settings with one value for each axis.
  ///
  /// - Throws: `CommandFailure.usage` naming key and value.
  func with(_ values: [String], of axes: [SweepAxis]) throws -> SweepSettings {
    var settings = self
    for (axis, value) in zip(axes, values) {
      settings = try ConfigurationFile.set(settings, "\(axis.key)=\(value)", flag: "--over")
    }
    do {
      try settings.check()
    } catch let failure as CommandFailure {
      let point = zip(axes, values).map { "\($0.key)=\($1)" }.joined(separator: ", ")
      throw CommandFailure.usage(point.isEmpty ? "\(failure)" : "--over \(point): \(failure)")
    }
    return settings
  }

  /// Checks which keys are varied.
  ///
  /// - Throws: `CommandFailure.usage`.
  static func check(_ axes: [SweepAxis]) throws {
    guard !axes.isEmpty else {
      throw CommandFailure.usage("give --over key.path=value,value,… at least once")
    }
    for (index, axis) in axes.enumerated() {
      let isRepeated = axes[..<index].contains { $0.key == axis.key }
      if isRepeated { throw CommandFailure.usage("--over \(axis.key): the key stands twice") }
      let head = axis.key.prefix { $0 != "." }
      if ["threads", "truth"].contains(head) {
        throw CommandFailure.usage(
          "--over \(axis.key): expected a key of \(varied.joined(separator: ", ")); all points share "
            + "what they are measured with")
      }
    }
    let most = 10_000
    let count = axes.reduce(1) { min($0 * $1.values.count, most + 1) }
    guard count <= most else {
      throw CommandFailure.usage("--over: expected at most \(most) points, found more")
    }
  }

  private func check() throws {
    if let problem = training.problem { throw CommandFailure.usage("training.\(problem)") }
    if let problem = learners.problem { throw CommandFailure.usage(problem) }
    if let problem = evaluation.problem { throw CommandFailure.usage("evaluation.\(problem)") }
    try CountRange.threads.check("threads", threads)
    try CountRange.optionalDays.check("truth.warmupDays", truth.warmupDays)
    try CountRange.things.check("truth.users", truth.users)
    try CountRange.days.check("truth.days", truth.days)
  }
}
