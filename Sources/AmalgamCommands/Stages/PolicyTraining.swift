import BatchRL
import DurableFiles
import FusionMDP
import PolicyArtifacts
import SeededRandom

/// A training run at the command line: progress, checkpoints, and Ctrl-C that keeps one.
struct PolicyTraining {
  /// What the progress line calls it.
  let label: String
  /// The data.
  let source: any TransitionSource
  /// How it is trained.
  let settings: TrainingConfiguration
  /// The seed of everything that training draws.
  let seed: UInt64
  /// What the networks are drawn from.
  let initialization: RandomStream
  /// Where the checkpoint is; one that is there already is gone on from.
  let checkpoint: String
  /// Whether a divergence is a finding and no failure: then the policy is the last checkpoint's.
  var keepsDivergence = false

  /// What came of it.
  struct TrainedPolicy {
    var policy: any FusionPolicy
    var configuration: ConfigurationValue
    var steps: Int
    var stepsPerSecond: Double
    var reports: [TrainingReport]
    /// What went wrong at which step, if it did; the policy is older.
    var divergence: String?
  }

  /// Trains a learner to the end.
  ///
  /// - Throws: `CommandFailure.interrupted` on Ctrl-C, with the checkpoint kept; `.failure` when
  ///   training diverges, unless that is to be kept; what reading and writing the checkpoint throws.
  func train<Learner: BatchLearner>(
    _ type: Learner.Type, _ configuration: Learner.Configuration
  ) throws -> TrainedPolicy {
    let normalizer = StateNormalizer.fit(on: source)
    func begin() throws -> TrainingRun<Learner> {
      var run = try TrainingRun(
        learner: Learner(
          stateSize: source.stateSize, actionSize: source.actionSize,
          configuration: configuration, initializedFrom: initialization),
        source: source, normalizer: normalizer, configuration: settings, seed: seed)
      if DurableFiles.exists(checkpoint) {
        try TrainingCheckpoint.resume(&run, from: checkpoint)
      }
      return run
    }
    var training = try begin()
    let first = training.step
    let start = ContinuousClock.now
    let divergence = try finish(&training)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return TrainedPolicy(
      policy: try divergence == nil ? training.policy() : begin().policy(),
      configuration: try ConfigurationValue(encoding: configuration), steps: training.step,
      stepsPerSecond: seconds > 0 ? Double(training.step - first) / seconds : 0,
      reports: training.reports, divergence: divergence.map { "\($0)" })
  }

  /// Runs to the end, or to a divergence that is to be kept.
  private func finish<Learner>(
    _ training: inout TrainingRun<Learner>
  ) throws -> TrainingDivergence? {
    let stepCount = training.configuration.stepCount
    // Counts from where this process began, so that the time left is right after a resumption.
    let progress = ProgressLine(label, total: stepCount - training.step)
    var (done, note) = (0, "")
    let finished: Bool
    do {
      finished = try training.run(
        onReport: { note = Self.note($0) },
        onCheckpoint: { try TrainingCheckpoint.write($0, to: checkpoint) },
        shouldStop: {
          done += 1
          progress.update(done, note: note)
          return Interruption.shared.isRequested
        })
    } catch let divergence as TrainingDivergence {
      if keepsDivergence {
        progress.finish("\(divergence)")
        return divergence
      }
      let kept = DurableFiles.exists(checkpoint) ? "; the last checkpoint is \(checkpoint)" : ""
      throw CommandFailure.failure("\(divergence)\(kept)")
    }
    guard finished else {
      throw CommandFailure.interrupted(
        "stopped at step \(training.step) of \(stepCount); \(checkpoint) is kept, --resume goes on "
          + "from it")
    }
    progress.finish(note)
    return nil
  }

  private static func note(_ report: TrainingReport) -> String {
    func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
    var parts: [String] = []
    if let values = report.decisionValues {
      parts.append("Q \(short(values.mean)) ± \(short(values.deviation))")
    }
    if let error = report.metrics.temporalDifferenceError {
      parts.append("TD error \(short(error))")
    }
    parts.append("distance to data \(short(report.decisions.distanceFromData))")
    return parts.joined(separator: ", ")
  }
}
