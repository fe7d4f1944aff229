import DurableFiles
import FusionMDP
import SeededRandom

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Checkpoints of a training run: one safetensors file, written in full or not at all.
///
/// Tensors: all that `BatchLearner.tensors()` gives, under `learner.`. Metadata: `format`,
/// `algorithm`, `seed`, `data` (a fingerprint), `learner_configuration`,
/// `training_configuration` and `progress`, the last three as JSON. The replay buffer is stored
/// as the number of transitions fed so far, from which its contents follow (`TransitionFeed`);
/// generators as the seed and the step, from which every stream follows.
package enum TrainingCheckpoint {
  static let format = "amalgam training checkpoint 1"

  /// How far a run has come.
  struct Progress: Codable, Equatable {
    var step: Int
    var fedCount: Int
    var reports: [TrainingReport]
    var average: MetricsAverage
  }

  /// Writes a run's state to `path`.
  ///
  /// - Throws: `DurableFileError`; then what stood at `path` is untouched.
  package static func write<Learner>(_ run: TrainingRun<Learner>, to path: String) throws {
    let progress = Progress(
      step: run.step, fedCount: run.feed.fedCount, reports: run.reports, average: run.average)
    var metadata = try identity(of: run)
    metadata["progress"] = try json(progress)
    try Safetensors.write(
      run.learner.tensors().map { ("learner." + $0.0, $0.1) }, metadata: metadata, to: path)
  }

  /// Makes a run that has not begun go on from a checkpoint.
  ///
  /// The number of steps, the intervals and the threads may differ from the run that was stored;
  /// nothing else may.
  ///
  /// - Throws: `DurableFileError` on a bad file, `TrainingRunError.otherRun` when the checkpoint
  ///   is of another algorithm, configuration, seed or data; the run is then unchanged.
  package static func resume<Learner>(
    _ run: inout TrainingRun<Learner>, from path: String
  ) throws {
    let file = try Safetensors.read(path)
    for (field, expected) in try identity(of: run).sorted(by: { $0.key < $1.key }) {
      let found = file.metadata[field] ?? "missing"
      guard found == expected else {
        throw TrainingRunError.otherRun(
          path: path, field: field, expected: expected, found: found)
      }
    }
    let progress = try JSONFile.decode(
      Progress.self, from: Array((file.metadata["progress"] ?? "").utf8),
      path: "\(path), progress")
    guard progress.step >= 0 && progress.fedCount > 0 else {
      throw DurableFileError.malformed(
        path: path, reason: "progress: step \(progress.step), fed \(progress.fedCount)")
    }
    var learner = run.learner
    try learner.load { try file.tensor("learner." + $0) }
    run.resume(at: progress, learner: learner)
  }

  /// What must be the same for a run to go on.
  private static func identity<Learner>(of run: TrainingRun<Learner>) throws -> [String: String] {
    var training = run.configuration
    let defaults = TrainingConfiguration()
    training.stepCount = defaults.stepCount
    training.checkpointInterval = defaults.checkpointInterval
    training.reportInterval = defaults.reportInterval
    training.threads = defaults.threads
    return [
      "format": format, "algorithm": Learner.algorithm, "seed": String(run.seed),
      "data": fingerprint(of: run.source, normalizer: run.normalizer),
      "learner_configuration": try json(run.learner.configuration),
      "training_configuration": try json(training),
    ]
  }

  /// Sizes, counts and a hash of up to 1000 transitions, evenly spaced, and of the normalizer.
  private static func fingerprint(
    of source: any TransitionSource, normalizer: StateNormalizer
  ) -> String {
    let count = source.transitionCount
    let samples = min(count, 1000)
    let batch = source.batch(at: (0..<samples).map { $0 * count / samples })
    var hash: UInt64 = 0
    for values in [
      batch.states, batch.actions, batch.rewards, batch.nextStates, batch.bootstraps,
      normalizer.mean, normalizer.deviation,
    ] {
      for value in values { hash = stableHash(UInt64(value.bitPattern), seed: hash) }
    }
    return "\(count) transitions in \(source.sessionCount) sessions, states of "
      + "\(source.stateSize), actions of \(source.actionSize), hash \(String(hash, radix: 16))"
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
