import ArgumentParser
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
      "Runs with this many seeds in a row, in folders seed-N of the output, and compares over them."
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
    var study: [SeedStudy.Run] = []
    for index in 0..<seeds {
      var seeded = configuration
      seeded.seed &+= UInt64(index)
      let path = seeds == 1 ? output : "\(output)/seed-\(seeded.seed)"
      let run = try RunFolder(path: path, configuration: seeded, resume: resume)
      let reproduction = Reproduction(configuration: seeded, run: run)
      let results = try reproduction()
      study.append(
        SeedStudy.Run(
          seed: seeded.seed, truth: try reproduction.finishedTruth(), online: results.online))
      if common.json {
        try StandardOutput.write(ResultsFile.text(of: results))
      } else {
        try StandardOutput.print(
          TerminalTable(results).lines + ["results: \(run.file("results.json"))"])
      }
    }
    if seeds > 1 { try conclude(study, configuration.methods.methods) }
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
