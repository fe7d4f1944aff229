import ArgumentParser
import BatchRL
import DurableFiles
import FusionMDP
import PolicyArtifacts
import SeededRandom
import TrajectoryPreparation
import UserSimulator

/// `amalgam sweep`: the same training with other settings, point after point of a grid.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Train and evaluate at every point of a grid of settings.",
    discussion: """
      Each point trains on DATA/train as `train` would with its settings, and is evaluated on DATA/test \
      by fitted Q evaluation and the Conservative-OPEstimator; with --platform also by roll-out, on \
      simulated users. All points draw from the same seed. A point that diverges is a finding. Ctrl-C \
      keeps the finished points and the checkpoint of the current one, --resume goes on.
      """)

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp(
      "A configuration key and the values to try; several make the full grid.",
      valueName: "key.path=value,value"))
  var over: [String] = []
  @Option(name: .long, help: "The folder of trajectory shards with train/ and test/ in it.")
  var data: String
  @Option(name: .long, help: "A platform's folder, for true values by roll-out.")
  var platform: String?
  @Option(
    name: .long,
    help: "What learns: \(LearningAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
  var algorithm: LearningAlgorithm?
  @Option(name: .long, help: "The sweep's folder.")
  var output: String
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @Flag(name: .long, help: "Go on with the sweep in the folder.")
  var resume = false
  @OptionGroup var common: ConfigurationOptions

  /// What a sweep's folder keeps of what was asked.
  private struct Asked: Encodable {
    var over: [SweepAxis]
    var data: String
    var platform: String?
    var settings: SweepSettings
  }

  func run() throws {
    Interruption.shared.install()
    var settings = try common.configuration(SweepSettings())
    if let algorithm { settings.algorithm = algorithm }
    if let seed { settings.seed = seed }
    let axes = try over.map { try SweepAxis($0) }
    try SweepSettings.check(axes)
    let points = try SweepAxis.grid(axes).map { try settings.with($0, of: axes) }
    let sweep = Sweep(
      data: data, world: try world(settings), settings: settings, keys: axes.map(\.key))
    try sweep.check()
    let folder = try RunFolder(
      path: output,
      configuration: Asked(over: axes, data: data, platform: platform, settings: settings),
      resume: resume)
    try DurableFiles.makeFolders(folder.file("training"))
    var found: [SweepResults.Point] = []
    for (number, point) in points.enumerated() {
      found.append(try sweep.point(number, of: points.count, point, folder))
    }
    let results = SweepResults(
      algorithm: settings.algorithm.rawValue, seed: settings.seed, keys: axes.map(\.key),
      points: found)
    let path = folder.file("sweep.json")
    try DurableFiles.write(MachineOutput.document(results), to: path)
    if common.json { return try MachineOutput.print(results) }
    try StandardOutput.print(results.lines + ["sweep: \(path)"])
  }

  /// The platform after its warm-up, if there is one.
  private func world(_ settings: SweepSettings) throws -> Reproduction.World? {
    guard let platform else { return nil }
    let folder = try PlatformFolder(path: platform)
    let state = folder.platform.warmedState(
      days: settings.truth.warmupDays, seed: stableSeed(settings.seed, "warm-up"),
      threads: settings.threads)
    return Reproduction.World(folder: folder, state: state)
  }
}

/// What all points of a sweep share.
private struct Sweep {
  let data: String
  let world: Reproduction.World?
  let settings: SweepSettings
  let keys: [String]

  private func shards(_ part: String, _ settings: SweepSettings) throws -> TrajectoryShards {
    try TrajectoryShards(folder: "\(data)/\(part)", reward: settings.rewardWeights)
  }

  /// Whether the data can be read and fit each other and the platform.
  ///
  /// - Throws: `CommandFailure.usage`, `PreparationError`.
  func check() throws {
    let train = try shards("train", settings)
    let test = try shards("test", settings)
    guard train.stateSize == test.stateSize, train.actionSize == test.actionSize else {
      throw CommandFailure.usage(
        "\(data): states and actions of train/ are \(train.stateSize) and \(train.actionSize) "
          + "numbers, those of test/ \(test.stateSize) and \(test.actionSize)")
    }
    guard let platform = world?.platform else { return }
    let sizes = (platform.encoder.stateSize, platform.configuration.bounds.count)
    guard sizes == (train.stateSize, train.actionSize) else {
      throw CommandFailure.usage(
        "the platform has states of \(sizes.0) numbers and \(sizes.1) weights; \(data) has "
          + "\(train.stateSize) and \(train.actionSize)")
    }
  }

  /// Trains and values one point, once.
  ///
  /// - Throws: what reading the data, training and evaluation throw; `CommandFailure.interrupted`.
  func point(
    _ number: Int, of count: Int, _ point: SweepSettings, _ folder: RunFolder
  ) throws -> SweepResults.Point {
    let checkpoint = folder.file("training/point-\(number).safetensors")
    let found = try folder.stage("point-\(number)") {
      let train = try shards("train", point)
      let trained = try PolicyTraining(
        label: "point \(number + 1) of \(count)", source: train, settings: point.training,
        seed: point.seed, initialization: RandomStream(seed: point.seed, name: "train"),
        checkpoint: checkpoint, keepsDivergence: true)(point.algorithm, point.learners)
      let values = trained.reports.last?.decisionValues
      let isUsable = trained.divergence == nil
      return SweepResults.Point(
        number: number, settings: try named(point), steps: trained.steps,
        divergence: trained.divergence, qMean: values?.mean, qDeviation: values?.deviation,
        offline: isUsable ? try offline(trained.policy, point, on: train) : [],
        truth: isUsable ? try truth(of: trained.policy) : nil)
    }
    if DurableFiles.exists(checkpoint) { try DurableFiles.remove(checkpoint) }
    return found
  }

  /// The point's value of each key that is varied.
  private func named(_ point: SweepSettings) throws -> [String: ConfigurationValue] {
    let whole = try ConfigurationValue(encoding: point)
    return Dictionary(uniqueKeysWithValues: keys.map { ($0, whole.value(at: $0) ?? .null) })
  }

  private func offline(
    _ policy: any FusionPolicy, _ point: SweepSettings, on train: TrajectoryShards
  ) throws -> [SweepResults.Offline] {
    let estimates = try PolicyEvaluation(settings: point.evaluation, threads: settings.threads)
      .estimates(
        of: policy, method: point.algorithm.rawValue, data: shards("test", point),
        normalizer: StateNormalizer.fit(on: train), seed: stableSeed(settings.seed, "evaluate"))
    for warning in estimates.compactMap(\.warning) { StandardError.write(warning + "\n") }
    return estimates.map { SweepResults.Offline($0) }
  }

  /// The same users and the same random numbers at every point.
  private func truth(of policy: any FusionPolicy) throws -> SweepResults.Truth? {
    guard let world else { return nil }
    try Interruption.shared.check("stopped before a roll-out; --resume goes on")
    let value = world.platform.run(
      policy: policy, users: world.someUsers(settings.truth.users), from: world.state,
      days: settings.truth.days, seed: stableSeed(settings.seed, "truth"),
      threads: settings.threads
    ).trueValue(.sessionReturn)
    return SweepResults.Truth(sessionReturn: value.value, low: value.low, high: value.high)
  }
}
