import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import OnlineExperiments
import PolicyArtifacts
import UserSimulator

/// `amalgam experiment`: an A/B test of policies on a simulated platform.
struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "A/B test of policies on a simulated platform, all arms together.",
    discussion: """
      Users are assigned by a salted hash. ADTime is minutes in the app per user and day, UPIRate \
      the share of plays with a positive interaction; lifts are over the first arm, intervals are \
      95 % and clustered by user. The users are simulated.
      """)

  @Option(help: "A platform's folder, as `reproduce` and `simulate` write it.")
  var platform: String
  @Option(
    name: .customLong("arm"), parsing: .singleValue,
    help: ArgumentHelp(
      "An arm and the folder of its policy; the first is the reference.",
      valueName: "name=folder"))
  var arms: [String] = []
  @Option(help: "Days of the test.") var days = 4
  @Option(help: "Days before it under the reference, for the baselines.") var baselineDays = 2
  @Option(help: "Days under the platform's reference weights before all that.")
  var warmupDays = ReproduceConfiguration.Platform().warmupDays
  @Flag(
    inversion: .prefixedNo, help: "Take out what the baselines already explain (CUPED).")
  var baseline = true
  @Option(help: "Salts the assignment and seeds the users.") var seed: UInt64 = 1
  @Option(help: "Threads.") var threads = 2
  @Option(help: "A file for the result as JSON.") var output: String?
  @Flag(help: "Print JSON for machines.") var json = false

  func validate() throws {
    guard arms.count >= 2 else {
      throw ValidationError("--arm: expected at least 2 arms, found \(arms.count)")
    }
    for arm in arms where arm.split(separator: "=", maxSplits: 1).count != 2 {
      throw ValidationError("--arm \(arm): expected name=folder")
    }
    try CountRange.days.check(flag: "--days", days)
    try CountRange.days.check(flag: "--baseline-days", baselineDays)
    try CountRange.optionalDays.check(flag: "--warmup-days", warmupDays)
    try CountRange.threads.check(flag: "--threads", threads)
  }

  func run() throws {
    Interruption.shared.install()
    let folder = try PlatformFolder(path: platform)
    let policies = try arms.map { arm in
      let parts = arm.split(separator: "=", maxSplits: 1).map(String.init)
      return PlatformExperiment.Arm(
        name: parts[0], policy: try PolicyArtifact.load(parts[1]).makePolicy())
    }
    var settings = PlatformExperiment.Settings()
    settings.days = days
    settings.baselineDays = baselineDays
    settings.adjustsForBaseline = baseline
    let progress = ProgressLine("A/B test", total: policies.count + 1)
    let state = folder.platform.warmedState(
      days: warmupDays, seed: stableSeed(seed, "warm-up"), threads: threads)
    let summary = ExperimentSummary(
      try PlatformExperiment(
        platform: folder.platform, state: state, threads: threads
      ).run(name: "experiment", arms: policies, settings: settings, seed: seed, progress: progress))
    progress.finish()
    if let output { try DurableFiles.write(MachineOutput.document(summary), to: output) }
    if json { return try MachineOutput.print(summary) }
    try StandardOutput.print(summary.lines)
  }
}
