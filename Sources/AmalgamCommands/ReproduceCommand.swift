import ArgumentParser
import DurableFiles
import ExperimentReports
import Foundation

/// `amalgam reproduce`: the main job, end to end.
struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "From a real log to a fused, evaluated, released policy and its A/B test.",
    discussion: """
      Trains the multi-task model on the log, builds and fits the simulated platform, explores, \
      prepares, trains, evaluates, releases, and tests beside the alternatives. Truth and online \
      numbers come from a simulated platform.
      """)

  @Option(help: "tiny (under a minute), small (minutes) or paper (days).")
  var preset = "small"
  @Option(
    help: "main (BatchRL-MTF, its reference, its control, the oracle) or all (every method).")
  var methods: Reproduction.MethodSet?
  @Option(help: "The root seed; overrides the configuration.") var seed: UInt64?
  @Option(
    help:
      "Runs with this many seeds, in folders seed-N of the output, and compares over them."
  )
  var seeds = 1
  @Option(help: "The folder with the KuaiRand data; overrides the configuration.")
  var data: String?
  @Option(help: "The run's folder.") var output: String
  @Flag(help: "Go on with the run in the folder, if there is one.") var resume = false
  @OptionGroup var common: ConfigurationOptions

  func validate() throws {
    guard ReproduceConfiguration.Preset(rawValue: preset) != nil else {
      throw ValidationError("--preset \(preset): expected tiny, small or paper")
    }
    guard seeds > 0 else { throw ValidationError("--seeds \(seeds): expected 1 or more") }
  }

  func run() throws {
    Interruption.shared.install()
    guard let preset = ReproduceConfiguration.Preset(rawValue: preset) else { return }
    var configuration = try common.configuration(ReproduceConfiguration.preset(preset))
    if let methods { configuration.methods = methods }
    if let seed { configuration.seed = seed }
    if let data { configuration.data = data }
    try configuration.check()
    let runs = try (0..<seeds).map { index in
      var seeded = configuration
      seeded.seed &+= UInt64(index)
      let path = seeds == 1 ? output : "\(output)/seed-\(seeded.seed)"
      return Reproduction(
        configuration: seeded,
        run: try RunFolder(
          path: path, configuration: seeded, resume: resume, ignoring: ["threads"]))
    }
    if seeds > 1, configuration.threads > 1 { try runSideBySide(runs) }
    // What ran side by side is finished and only read here.
    let study = try runs.map { run in
      let results = try run()
      if common.json {
        try StandardOutput.write(ResultsFile.text(of: results))
      } else {
        try StandardOutput.print(
          TerminalTable(results).lines + ["results: \(run.run.file("results.json"))"])
      }
      return SeedStudy.Run(
        seed: run.configuration.seed, truth: try run.finishedTruth(), online: results.online)
    }
    if seeds > 1 { try conclude(study, configuration.methods.methods) }
  }

  /// Runs what is not finished, several seeds at a time.
  private func runSideBySide(_ runs: [Reproduction]) throws {
    let unfinished = runs.filter { !DurableFiles.exists($0.run.file("results.json")) }
    guard unfinished.count > 1 else { return }
    let asked =
      ["reproduce", "--preset", preset]
      + (common.config.map { ["--config", $0] } ?? [])
      + common.assignments.flatMap { ["--set", $0] }
    try SeedProcesses(
      runs: unfinished.map { run in
        let settings = run.configuration
        return SeedProcesses.Run(
          seed: settings.seed, folder: run.run.path,
          log: "\(output)/seed-\(settings.seed).log",
          arguments: { threads in
            asked + [
              "--set", "threads=\(threads)", "--methods", settings.methods.rawValue, "--seed",
              "\(settings.seed)", "--data", settings.data, "--output", run.run.path, "--resume",
            ]
          })
      }, threads: runs[0].configuration.threads)()
  }

  private func conclude(_ runs: [SeedStudy.Run], _ methods: [Reproduction.Method]) throws {
    let study = SeedStudy(
      runs, reference: Reproduction.Method.staticWeights.rawValue,
      methods: methods.map(\.rawValue))
    let path = "\(output)/seeds.json"
    try study.write(to: path)
    guard !common.json else { return }
    try StandardOutput.print([""] + study.lines + ["seeds: \(path)"])
  }
}

extension Reproduction.MethodSet: ExpressibleByArgument {}
