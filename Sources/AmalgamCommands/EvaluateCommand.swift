import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
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

      Configuration keys, for --config and --set: seed, threads, rewardWeights, evaluation.rounds, \
      .batchSize, .initialStates, .discount, .learningRate, .hidden, .averagedShare, \
      .conservativeWeight, .policySamples, .fits.
      """)

  @Option(
    name: .long, parsing: .singleValue, help: "The folder of a policy artifact; may be repeated.")
  var policy: [String] = []
  @Option(name: .long, help: "A registry, all of whose versions are evaluated.")
  var registry: String?
  @Option(name: .long, help: "The folder of the test trajectories.")
  var data: String
  @Flag(name: .long, help: "Add a linear fit in closed form as a second opinion.")
  var linear = false
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @Option(name: .shortAndLong, help: "A file for the result as JSON.")
  var output: String?
  @OptionGroup var common: ConfigurationOptions

  /// The configuration file's keys.
  struct Settings: Codable {
    var seed: UInt64 = 1
    var threads = 2
    /// The reward's weight of each feedback signal (eq. 2), for shards that hold feedback.
    var rewardWeights = SatisfactionReward.standard
    var evaluation = PolicyEvaluation.Settings()

    init() {}
  }

  /// The result.
  struct Found: Codable {
    var data: String
    var sessions: Int
    var transitions: Int
    /// Mean discounted return of the sessions as they were logged: the behavior's value.
    var loggedReturn: Double
    var seed: UInt64
    var estimates: [PolicyEvaluation.Estimate]
  }

  func validate() throws {
    guard !policy.isEmpty || registry != nil else {
      throw ValidationError("give --policy or --registry")
    }
  }

  func run() throws {
    Interruption.shared.install()
    var settings = try common.configuration(Settings())
    if let seed { settings.seed = seed }
    if let problem = settings.evaluation.problem {
      throw CommandFailure.usage("evaluation.\(problem)")
    }
    try CountRange.threads.check("threads", settings.threads)
    let policies = try loadPolicies()
    let source = try TrajectoryShards(folder: data, reward: settings.rewardWeights)
    let normalizer = StateNormalizer.fit(on: source)
    let evaluation = PolicyEvaluation(settings: settings.evaluation, threads: settings.threads)
    let estimates = try policies.flatMap { name, policy in
      try evaluation.estimates(
        of: policy, method: name, data: source, normalizer: normalizer, linear: linear,
        seed: settings.seed)
    }
    let found = Found(
      data: data, sessions: source.sessionCount, transitions: source.transitionCount,
      loggedReturn: Self.loggedReturn(of: source, discount: settings.evaluation.discount),
      seed: settings.seed, estimates: estimates)
    if let output { try DurableFiles.write(MachineOutput.document(found), to: output) }
    if common.json { return try MachineOutput.print(found) }
    try StandardOutput.print(Self.lines(found))
  }

  /// Each policy with the name that reports call it: the policy's own, or the registry's version.
  private func loadPolicies() throws -> [(name: String, policy: any FusionPolicy)] {
    var policies: [(name: String, policy: any FusionPolicy)] = []
    for folder in policy {
      let artifact = try PolicyArtifact.load(folder)
      let name = artifact.manifest.policy.name
      let isTaken = policies.contains { $0.name == name }
      policies.append((isTaken ? folder : name, artifact.makePolicy()))
    }
    if let registry {
      guard DurableFiles.exists("\(registry)/policies") else {
        throw CommandFailure.usage("\(registry): no policy registry (no folder policies in it)")
      }
      let stored = try PolicyRegistry(folder: registry)
      for entry in try stored.list() {
        policies.append((entry.version, try stored.load(entry.version).makePolicy()))
      }
    }
    guard !policies.isEmpty else {
      throw CommandFailure.usage("\(registry ?? ""): the registry holds no policy")
    }
    return policies
  }

  private static func loggedReturn(of source: TrajectoryShards, discount: Double) -> Double {
    let returns = (0..<source.sessionCount).map { m in
      discountedReturn(of: source.batch(at: Array(source.session(m))).rewards, discount: discount)
    }
    return returns.reduce(0, +) / Double(max(1, returns.count))
  }

  /// The result for a terminal.
  static func lines(_ found: Found) -> [String] {
    let width = max(6, found.estimates.map(\.method.count).max() ?? 0)
    func row(_ cells: [String]) -> String {
      let widths = [width, 16, 26, 9, 9, 9]
      return zip(cells, widths).enumerated().map { index, cell in
        let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
        return index < 2 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
    }
    var lines = [
      "estimated from \(found.sessions) logged sessions of \(found.data): satisfaction per session",
      String(format: "the sessions as they were logged: %.3f", found.loggedReturn),
      row(["policy", "estimator", "value [95 % interval]", "TD error", "gap", "distance"]),
    ]
    for estimate in found.estimates {
      lines.append(
        row([
          estimate.method, estimate.estimator,
          String(
            format: "%.3f [%.3f, %.3f]", estimate.value, estimate.low, estimate.high),
          String(format: "%.3f", estimate.temporalDifferenceError),
          String(format: "%.3f", estimate.regularizer),
          String(format: "%.3f", estimate.actionDistance),
        ]))
    }
    lines += found.estimates.compactMap(\.warning)
    lines.append("gap: mean Q of the policy's actions less that of the logged ones (R of eq. 10);")
    lines.append("distance: root mean square between the policy's and the logged weights")
    return lines
  }
}
