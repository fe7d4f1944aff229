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
  @Option(help: "The root seed; overrides the configuration.") var seed: UInt64?
  @Option(help: "Runs with this many seeds in a row, in folders seed-N of the output.")
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
    if let seed { configuration.seed = seed }
    if let data { configuration.data = data }
    try configuration.check()
    for index in 0..<seeds {
      var seeded = configuration
      seeded.seed &+= UInt64(index)
      let path = seeds == 1 ? output : "\(output)/seed-\(seeded.seed)"
      let run = try RunFolder(path: path, configuration: seeded, resume: resume)
      let results = try Reproduction(configuration: seeded, run: run)()
      if common.json {
        try StandardOutput.write(ResultsFile.text(of: results))
      } else {
        try StandardOutput.print(
          TerminalTable(results).lines + ["results: \(run.file("results.json"))"])
      }
    }
  }
}
