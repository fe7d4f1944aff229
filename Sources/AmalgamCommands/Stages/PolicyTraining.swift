import BatchRL
import DurableFiles
import PolicyArtifacts

/// A training run at the command line: progress, checkpoints, and Ctrl-C that keeps one.
struct PolicyTraining {
  /// What the progress line calls it.
  let label: String
  /// Where the checkpoint is; one that is there already is gone on from.
  let checkpoint: String

  /// Trains to the end.
  ///
  /// - Returns: the steps a second.
  /// - Throws: `CommandFailure.interrupted` on Ctrl-C, with the checkpoint kept; `.failure` when
  ///   training diverges; what reading and writing the checkpoint throws.
  func callAsFunction<Learner>(_ training: inout TrainingRun<Learner>) throws -> Double {
    if DurableFiles.exists(checkpoint) {
      try TrainingCheckpoint.resume(&training, from: checkpoint)
    }
    let stepCount = training.configuration.stepCount
    let (first, start) = (training.step, ContinuousClock.now)
    // Counts from where this process began, so that the time left is right after a resumption.
    let progress = ProgressLine(label, total: stepCount - first)
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
      let kept = DurableFiles.exists(checkpoint) ? "; the last checkpoint is \(checkpoint)" : ""
      throw CommandFailure.failure("\(divergence)\(kept)")
    }
    guard finished else {
      throw CommandFailure.interrupted(
        "stopped at step \(training.step) of \(stepCount); \(checkpoint) is kept, --resume goes on "
          + "from it")
    }
    progress.finish(note)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return seconds > 0 ? Double(training.step - first) / seconds : 0
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
