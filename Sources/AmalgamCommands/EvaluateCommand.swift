import ArgumentParser
import DurableFiles
import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import TrajectoryPreparation

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
    if linear { settings.estimators = (settings.estimators + [.linearFittedQ]).withoutRepeats }
    if triesEstimators { return try runValidation(settings) }
    guard let data else { throw CommandFailure.usage("give --data, a folder of test trajectories") }
    let source = try TrajectoryShards(folder: data, reward: settings.rewardWeights)
    let found =
      try against.map { try judged(against: $0, source, settings) }
      ?? evaluated(source, settings)
    if let output { try DurableFiles.write(MachineOutput.document(found), to: output) }
    try common.json
      ? MachineOutput.print(found) : StandardOutput.print(Self.lines(found))
    if failUnlessRelease, let gate = found.gate, gate.verdict != .release {
      throw CommandFailure.failure("\(gate.policy) against \(gate.against): \(gate.verdict.words)")
    }
  }

  /// Each policy by each estimator.
  private func evaluated(_ source: TrajectoryShards, _ settings: Settings) throws -> Found {
    let policies = try loadPolicies()
    let normalizer = StateNormalizer.fit(on: source)
    let evaluation = settings.policyEvaluation
    let findings = try DataFindings(settings: settings, source: source)
      .found(expecting: policies.map(\.artifact))
    let judged = try policies.map { name, artifact in
      try evaluation.judge(
        artifact.makePolicy(), method: name, data: source, normalizer: normalizer,
        kinds: settings.estimators, seed: settings.seed)
    }
    return try found(judged, findings, source, settings)
  }

  /// A policy beside its reference, and the gate's verdict.
  private func judged(
    against: String, _ source: TrajectoryShards, _ settings: Settings
  ) throws -> Found {
    let reference = try ReleaseReference(against, registry: registry)
    let artifact = try ReleaseReference.artifact(policy[0], registry: registry)
    let kinds = (settings.estimators + settings.gate.estimators).withoutRepeats
    let normalizer = StateNormalizer.fit(on: source)
    let evaluation = settings.policyEvaluation
    var artifacts = [artifact]
    if case .policy(_, let other) = reference { artifacts.append(other) }
    let findings = try DataFindings(settings: settings, source: source)
      .found(expecting: artifacts)
    func judge(_ artifact: PolicyArtifact, _ name: String) throws -> PolicyEvaluation.Judged {
      try evaluation.judge(
        artifact.makePolicy(), method: name, data: source, normalizer: normalizer, kinds: kinds,
        seed: settings.seed)
    }
    let own = try judge(artifact, artifact.manifest.policy.name)
    var other: (policy: any FusionPolicy, judged: PolicyEvaluation.Judged)?
    if case .policy(let name, let artifact) = reference {
      other = (artifact.makePolicy(), try judge(artifact, name))
    }
    let decision = ReleaseDecision(
      settings: settings.gate, evaluation: evaluation, data: source, normalizer: normalizer,
      seed: settings.seed, dataFindings: findings.filter(\.forbids).map(\.text))
    var found = try found([own] + (other.map { [$0.judged] } ?? []), findings, source, settings)
    found.gate = try decision.decide(artifact.makePolicy(), own, against: other)
    return found
  }

  private func found(
    _ judged: [PolicyEvaluation.Judged], _ findings: [Found.Finding], _ source: TrajectoryShards,
    _ settings: Settings
  ) throws -> Found {
    let logged: LoggedValue
    do {
      logged = try LoggedValue(of: source, discount: settings.evaluation.discount)
    } catch {
      throw CommandFailure.failure("\(source.folder): \(error)")
    }
    var estimates = judged.flatMap(\.records)
    let forbidding = findings.filter(\.forbids)
    if !forbidding.isEmpty {
      for index in estimates.indices {
        estimates[index].evidence = .notEnough
        estimates[index].shortcomings =
          forbidding.map(\.text) + (estimates[index].shortcomings ?? [])
      }
    }
    let failures = judged.flatMap { policy in
      policy.failures.values.sorted().map { "\(policy.method): \($0)" }
    }
    return Found(
      data: source.folder, sessions: source.sessionCount, transitions: source.transitionCount,
      loggedReturn: logged.value, truncatedShare: logged.truncatedShare, seed: settings.seed,
      findings: findings, estimates: estimates,
      failures: failures.isEmpty ? nil : failures)
  }

  private func runValidation(_ settings: Settings) throws {
    guard let platform else {
      throw CommandFailure.usage("--validate: give --platform, the folder of a simulated platform")
    }
    let folder = try PlatformFolder(path: platform)
    let added = try policy.map { path in
      let artifact = try PolicyArtifact.load(path)
      return (name: artifact.manifest.policy.name, policy: artifact.makePolicy())
    }
    let found = try EstimatorValidation(
      platform: folder, settings: settings, path: platform)(added)
    if let output { try DurableFiles.write(MachineOutput.document(found), to: output) }
    try common.json ? MachineOutput.print(found) : StandardOutput.print(found.lines)
  }

  /// Each policy with the name that reports call it: the policy's own, or the registry's version.
  private func loadPolicies() throws -> [(name: String, artifact: PolicyArtifact)] {
    var policies: [(name: String, artifact: PolicyArtifact)] = []
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
