/// How a learner is trained; the defaults are the paper's.
package struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// Ep: the number of steps.
  package var stepCount = 300_000
  /// M: the transitions a step draws.
  package var batchSize = 256
  /// The capacity of the replay buffer.
  package var replayCapacity = 100_000
  /// The transitions put into the replay buffer after a step, when not all fit.
  package var transitionsFedPerStep = 256
  /// The steps between reports.
  package var reportInterval = 1000
  /// The steps between checkpoints.
  package var checkpointInterval = 10_000
  /// The threads of a step; they change no bit of the result.
  package var threads = 2

  /// The defaults.
  package init() {}

  /// The widest hidden layer that a network may have: 1 GiB of weights to the next such layer.
  package static let largestWidth = 16_384

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    let counts = [
      (stepCount, "stepCount"), (batchSize, "batchSize"), (replayCapacity, "replayCapacity"),
      (reportInterval, "reportInterval"), (checkpointInterval, "checkpointInterval"),
      (threads, "threads"),
    ]
    for (value, name) in counts where value < 1 {
      return "\(name) is \(value), expected at least 1"
    }
    if batchSize > 1_000_000 { return "batchSize is \(batchSize), expected at most 1000000" }
    if transitionsFedPerStep < 0 {
      return "transitionsFedPerStep is \(transitionsFedPerStep), expected at least 0"
    }
    return nil
  }
}
