import DurableFiles
import ExperimentReports
import Foundation
import FusionMDP
import PolicyArtifacts
import UserSimulator

/// The main job, end to end: a real log becomes a multi-task model, the model a simulated platform,
/// its exploration sessions a log, the log trajectories, those a policy, and the policy is
/// evaluated, released and tested beside its alternatives.
///
/// Each stage writes into the run's folder and is recorded there, so that `--resume` goes on.
struct Reproduction {
  let configuration: ReproduceConfiguration
  let run: RunFolder

  /// The methods, in the order of every table; the first is the reference.
  var methods: [Method] { configuration.methods.methods }

  /// Runs what is not yet done and writes `results.json`.
  ///
  /// - Throws: the stages' errors; `CommandFailure.interrupted` on Ctrl-C, with everything that
  ///   was finished kept.
  func callAsFunction() throws -> ReproductionResults {
    let tasks = try trainTaskModels()
    try buildPlatform()
    let folder = try PlatformFolder(path: run.file("platform"))
    let state = folder.platform.warmedState(
      days: configuration.platform.warmupDays, seed: seed("warm-up"),
      threads: configuration.threads)
    let world = World(folder: folder, state: state)
    try checkPlatform(world)
    let staticAction = try search(world)
    let training = try learn(world)
    let offline = try evaluate()
    try release()
    let oracle = try findOracle(world, staticAction: staticAction)
    let measured = try measure(world, oracle: oracle)
    let results = ReproductionResults(
      preset: configuration.preset.rawValue, seed: configuration.seed, dataset: tasks.dataset,
      multiTask: tasks.qualities, training: training, offline: offline, truth: measured.truth,
      online: measured.online, actions: measured.actions)
    try ResultsFile.write(results, to: run.file("results.json"))
    return results
  }

  /// The platform and where its users are after the warm-up.
  struct World {
    let folder: PlatformFolder
    let state: PlatformState
    var platform: SimulatedPlatform { folder.platform }

    /// The first `count` users of a hash order that depends on nothing else.
    func someUsers(_ count: Int) -> [Int] {
      let hashes = platform.data.users.hashes
      return Array(hashes.indices.sorted { hashes[$0] < hashes[$1] }.prefix(count)).sorted()
    }
  }

  /// A seed of its own for each named part.
  func seed(_ part: String) -> UInt64 { stableSeed(configuration.seed, part) }

  /// The policy of a method that has an artifact, read back from it.
  func policy(of method: Method) throws -> any FusionPolicy {
    try PolicyArtifact.load(run.file("policies/\(method.rawValue)")).makePolicy()
  }
}
