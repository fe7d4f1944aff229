import ArgumentParser
import DurableFiles
import FusionMDP
import FusionSearch
import PolicyArtifacts
import UserSimulator

/// `amalgam search`: the best static weights on a simulated platform.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search the best static weights on a simulated platform and store them as a policy.",
    discussion: """
      Bayesian optimization: a Gaussian process of the mean satisfaction per session, asked where it \
      could be highest. The users are simulated; before the search they live warmupDays under the \
      platform's reference weights.

      Configuration keys, for --config and --set: seed, threads, warmupDays, search.sessionBudget, \
      .usersPerPoint.
      """)

  @Option(name: .long, help: "A platform's folder, as `reproduce` and `simulate` write it.")
  var platform: String
  @Option(name: .shortAndLong, help: "The folder to write the policy's artifact to.")
  var output: String
  @Option(name: .long, help: "The policy's name.")
  var name = "best_static"
  @Option(name: .long, help: "The seed of everything that is drawn.")
  var seed: UInt64?
  @OptionGroup var common: ConfigurationOptions

  /// The configuration file's keys.
  struct Settings: Codable {
    var seed: UInt64 = 1
    var threads = 2
    /// Days under the platform's reference weights before the search.
    var warmupDays = ReproduceConfiguration.Platform().warmupDays
    var search = StaticWeightSearch.Settings()

    init() {}
  }

  func run() throws {
    Interruption.shared.install()
    var settings = try common.configuration(Settings())
    if let seed { settings.seed = seed }
    try CountRange.threads.check("threads", settings.threads)
    try CountRange.optionalDays.check("warmupDays", settings.warmupDays)
    try CountRange.things.check("search.sessionBudget", settings.search.sessionBudget)
    try CountRange.things.check("search.usersPerPoint", settings.search.usersPerPoint)
    guard !DurableFiles.exists(output) else {
      throw CommandFailure.usage("\(output) is there already; artifacts are written once")
    }
    let folder = try PlatformFolder(path: platform)
    let state = folder.platform.warmedState(
      days: settings.warmupDays, seed: stableSeed(settings.seed, "warm-up"),
      threads: settings.threads)
    let progress = ProgressLine("search", total: settings.search.sessionBudget)
    let found: StaticWeightSearch.Found
    do {
      found = try StaticWeightSearch(
        platform: folder.platform, state: state, threads: settings.threads
      ).run(settings.search, seed: settings.seed, progress: progress)
    } catch let error as SearchError {
      throw CommandFailure.failure("\(error)")
    }
    progress.finish("\(found.points) points, \(found.sessions) sessions")
    try PolicyArtifact(
      policy: FixedWeightsPolicy(name: name, action: found.action),
      algorithm: "bayesian_optimization", configuration: ConfigurationValue(encoding: settings),
      stateEncoder: StateEncoder(profileNames: folder.platform.data.users.profileNames),
      seed: settings.seed, revision: Revision.current
    ).write(to: output)
    if common.json { return try MachineOutput.print(found) }
    let bounds = FusionWeightBounds.standard(for: .standard)
    let weights = zip(TaskSchema.standard.names, bounds.denormalized(found.action))
    try StandardOutput.print(
      [
        "best of \(found.points) points over \(found.sessions) simulated sessions: satisfaction per "
          + "session \(Self.short(found.mean)) ± \(Self.short(found.deviation)), in \(output)"
      ] + weights.map { "  \($0): \(Self.short(Double($1)))" })
  }

  private static func short(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
