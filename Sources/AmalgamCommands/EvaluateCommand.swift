import ArgumentParser
import DurableFiles
import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import SessionLogs
import TrajectoryPreparation
import UserSimulator

/// `amalgam evaluate`: how good policies are, from logged sessions alone.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Estimate what policies are worth from logged test sessions, with intervals.",
    discussion: """
      Values are discounted satisfaction per session, intervals 95 %, by user. Look at the distance \
      to the logged actions and at the temporal difference error before believing a value: no \
      estimator knows what weights do that nobody tried.

      With --against, the release gate says whether a policy may replace what runs today: release, \
      hold, or not enough evidence, with reasons. With --validate, the estimators themselves are \
      tried on a simulated platform where the truth is known.

      --propensities fitted weighs sessions by densities that were fitted to the log; whatever rests \
      on them is marked so. --health-log adds MTF-GAUC, a health metric and no causal estimate.

      Configuration keys, for --config and --set: seed, threads, estimators, rewardWeights, \
      evaluation.rounds, .batchSize, .initialStates, .discount, .learningRate, .hidden, \
      .averagedShare, .conservativeWeight, .policySamples, .fits; those of floors, gate and validation are \
      in Docs/Commands.md.
      """)

  @Option(
    name: .long, parsing: .singleValue,
    help: "The folder of a policy artifact; may be repeated. With --against one, or a version.")
  var policy: [String] = []
  @Option(name: .long, help: "A registry, all of whose versions are evaluated.")
  var registry: String?
  @Option(name: .long, help: "The folder of the test trajectories.")
  var data: String?
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Judge the policy against this: current (of --registry), logged, a version or a folder.",
      valueName: "reference"))
  var against: String?
  @Flag(name: .long, help: "End with status 1 unless the verdict is release.")
  var failUnlessRelease = false
  @Option(
    name: .long,
    help: ArgumentHelp("Which estimators: all, default, or names with commas.", valueName: "names"))
  var estimators: String?
  @Option(
    name: .long,
    help: "Intervals of weighted estimators: student_t, bootstrap or empirical_bernstein.")
  var interval: IntervalChoice?
  @Option(
    name: .long,
    help: "Densities of the logged actions: logged, or fitted to the log and marked so.")
  var propensities: PropensityChoice?
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A session log on which each policy's MTF-GAUC is counted, a health metric.",
      valueName: "log"))
  var healthLog: String?
  @Flag(name: .long, help: "Add a linear fit in closed form as a second opinion.")
  var linear = false
  @Flag(
    name: .customLong("validate"),
    help: "Try the estimators on a platform, where the truth is known.")
  var triesEstimators = false
  @Option(name: .long, help: "The platform's folder, for --validate.")
  var platform: String?
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @Option(name: .shortAndLong, help: "A file for the result as JSON.")
  var output: String?
  @OptionGroup var common: ConfigurationOptions

  func validate() throws {
    guard triesEstimators || !policy.isEmpty || registry != nil else {
      throw ValidationError("give --policy or --registry")
    }
    if against != nil, policy.count != 1 {
      throw ValidationError("--against: expected one --policy, found \(policy.count)")
    }
    if failUnlessRelease, against == nil {
      throw ValidationError(
        "--fail-unless-release: give --against too, there is no verdict without")
    }
    if triesEstimators, against != nil {
      throw ValidationError("give either --validate or --against")
    }
    for (flag, isGiven) in [
      ("--data", data != nil), ("--registry", registry != nil), ("--health-log", healthLog != nil),
    ] where triesEstimators && isGiven {
      throw ValidationError("\(flag): does not go with --validate, which logs sessions of its own")
    }
    if !triesEstimators, platform != nil {
      throw ValidationError("--platform: give --validate too")
    }
  }

  func run() throws {
    Interruption.shared.install()
    var defaults = Settings()
    if triesEstimators { defaults.evaluation = EstimatorValidation.evaluationDefaults }
    var settings = try common.configuration(defaults)
    if let seed { settings.seed = seed }
    try settings.check()
    if let estimators {
      settings.estimators = try Self.kinds(named: estimators, configured: settings.estimators)
    }
    if let interval { settings.interval = interval }
    if let propensities { settings.propensities = propensities }
    if linear { settings.estimators = (settings.estimators + [.linearFittedQ]).withoutRepeats }
    if triesEstimators { return try runValidation(settings) }
    guard let data else { throw CommandFailure.usage("give --data, a folder of test trajectories") }
    let source = try TrajectoryShards(folder: data, reward: settings.rewardWeights)
    let found = try evaluate(source, settings)
    if let output { try DurableFiles.write(MachineOutput.document(found), to: output) }
    try common.json
      ? MachineOutput.print(found) : StandardOutput.print(Self.lines(found))
    if failUnlessRelease, let gate = found.gate, gate.verdict != .release {
      throw CommandFailure.failure("\(gate.policy) against \(gate.against): \(gate.verdict.words)")
    }
  }

  /// Policies estimated from the sessions, and with `--against` the gate's verdict.
  private func evaluate(_ source: TrajectoryShards, _ settings: Settings) throws -> Found {
    let policies: [LogEvaluation.Named]
    let reference = try against.map { try ReleaseReference($0, registry: registry) }
    if reference == nil {
      policies = try loadPolicies()
    } else {
      let artifact = try ReleaseReference.artifact(policy[0], registry: registry)
      policies = [(artifact.manifest.policy.name, artifact)]
    }
    var compared = policies
    if case .policy(let name, let artifact) = reference { compared.append((name, artifact)) }
    let evaluation = try LogEvaluation(of: source, policies: compared, settings: settings)
    // Read before the fits: a log that does not fit is told at once.
    let health = try healthLog.map { path in
      try settings.rewardWeights.checkSignals(for: "--health-log", "single items have")
      let log = try SessionLogFolder(path: path)
      return try compared.map { name, artifact in
        try FusionGAUC.compute(
          log: log, policy: artifact, called: name, settings: settings.health,
          reward: settings.rewardWeights, threads: settings.threads, seed: settings.seed)
      }
    }
    var found =
      try reference.map { try evaluation.judged(policies[0], against: $0) }
      ?? evaluation.evaluated(policies)
    found.healthMetrics = health
    return found
  }

  private func runValidation(_ settings: Settings) throws {
    try settings.rewardWeights.checkSignals(for: "--validate", "a platform has")
    guard settings.estimators.contains(where: { $0.estimand == .sessionValue }) else {
      throw CommandFailure.usage(
        "--validate: expected an estimator of a session's value, whose truth is known, found "
          + settings.estimators.map(\.key).joined(separator: ", "))
    }
    guard let platform else {
      throw CommandFailure.usage("--validate: give --platform, the folder of a simulated platform")
    }
    let folder = try PlatformFolder(path: platform)
    let added = try policy.map { path in
      let artifact = try PolicyArtifact.load(path)
      try artifact.manifest.check(
        artifact.manifest.policy.name, states: folder.platform.encoder.stateSize,
        actions: folder.platform.configuration.referencePolicy.actionSize, of: platform)
      return (name: artifact.manifest.policy.name, policy: artifact.makePolicy())
    }
    let found = try EstimatorValidation(
      platform: folder, settings: settings, path: platform)(added)
    if let output { try DurableFiles.write(MachineOutput.document(found), to: output) }
    try common.json ? MachineOutput.print(found) : StandardOutput.print(found.lines)
  }

  /// Each policy with the name that reports call it: the policy's own, or the registry's version.
  private func loadPolicies() throws -> [LogEvaluation.Named] {
    var policies: [LogEvaluation.Named] = []
    for folder in policy {
      let artifact = try PolicyArtifact.load(folder)
      let name = artifact.manifest.policy.name
      let isTaken = policies.contains { $0.name == name }
      policies.append((isTaken ? folder : name, artifact))
    }
    if let registry {
      let stored = try PolicyCommand.RegistryOption.open(registry)
      for version in try stored.versions() { policies.append((version, try stored.load(version))) }
    }
    guard !policies.isEmpty else {
      throw CommandFailure.usage("\(registry ?? ""): the registry holds no policy")
    }
    return policies
  }
}
