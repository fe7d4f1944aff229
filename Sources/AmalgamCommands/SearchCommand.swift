import ArgumentParser
import DurableFiles
import FusionMDP
import PolicyArtifacts
import UserSimulator

/// `amalgam search`: a policy by search on a simulated platform.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search a policy on a simulated platform and store it.",
    discussion: """
      Bayesian optimization, the cross-entropy method and the grid search the best static weights, the \
      evolution strategy a small network from state to weights. All spend the same budget of simulated \
      user sessions. The users live warmupDays under the platform's reference weights before. \
      Docs/Search.md tells the methods apart.
      """)

  @Option(
    name: .long,
    help: "How: \(SearchMethod.allCases.map(\.rawValue).joined(separator: ", ")).")
  var method: SearchMethod?
  @Option(name: .long, help: "A platform's folder, as `reproduce` and `simulate` write it.")
  var platform: String
  @Option(name: .shortAndLong, help: "The folder to write the policy's artifact to.")
  var output: String
  @Option(name: .long, help: "The policy's name; best_static or the method if absent.")
  var name: String?
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @OptionGroup var common: ConfigurationOptions

  /// The configuration file's keys.
  struct Settings: Codable {
    var method = SearchMethod.bayesianOptimization
    var seed: UInt64 = 1
    var threads = 2
    /// Days under the platform's reference weights before the search.
    var warmupDays = ReproduceConfiguration.Platform().warmupDays
    var search = SearchSettings()

    init() {}
  }

  func run() throws {
    Interruption.shared.install()
    var settings = try common.configuration(Settings())
    if let seed { settings.seed = seed }
    if let method { settings.method = method }
    try CountRange.threads.check("threads", settings.threads)
    try CountRange.optionalDays.check("warmupDays", settings.warmupDays)
    try settings.search.check()
    guard !DurableFiles.exists(output) else {
      throw CommandFailure.usage("\(output) is there already; artifacts are written once")
    }
    let folder = try PlatformFolder(path: platform)
    let state = folder.platform.warmedState(
      days: settings.warmupDays, seed: stableSeed(settings.seed, "warm-up"),
      threads: settings.threads)
    let (policy, found) = try PlatformSearch(
      platform: folder.platform, state: state, threads: settings.threads)(
        settings.method, settings.search, name: name, seed: settings.seed,
        progress: ProgressLine("search", total: settings.search.sessionBudget))
    try PolicyArtifact(
      policy: policy, algorithm: settings.method.rawValue,
      configuration: ConfigurationValue(encoding: settings), stateEncoder: folder.platform.encoder,
      seed: settings.seed, revision: Revision.current
    ).write(to: output)
    if common.json { return try MachineOutput.print(found) }
    let bounds = FusionWeightBounds.standard(for: .standard)
    let weights = found.action.map { action in
      zip(TaskSchema.standard.names, bounds.denormalized(action)).map {
        "  \($0): \(Self.short(Double($1)))"
      }
    }
    try StandardOutput.print(
      [
        "best of \(found.points) points over \(found.sessions) simulated sessions (budget "
          + "\(found.sessionBudget)): satisfaction per session \(Self.short(found.mean)) ± "
          + "\(Self.short(found.deviation)), in \(output)"
      ] + (weights ?? ["  weights differ by state: a network"]))
  }

  private static func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
