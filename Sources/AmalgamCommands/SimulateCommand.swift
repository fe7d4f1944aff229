import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import UserSimulator

/// `amalgam simulate`: what a simulated platform does.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Serve sessions on a simulated platform, compare it with the log, fit it again.",
    discussion: "The users are simulated; Docs/SimulatedPlatform.md says what is assumed of them.",
    subcommands: [Run.self, Check.self, Fit.self, SimulateHeadroom.self])

  /// `amalgam simulate run`: a policy's sessions as a session log.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serve sessions with a policy and write them as a session log.")

    @Option(help: "A platform's folder, as `reproduce` and `simulate fit` write it.")
    var platform: String
    @Option(help: "reference, random, mixed, or the folder of a policy.")
    var policy = "reference"
    @Option(help: "What mixed explores around: reference, or the folder of a policy.")
    var around = "reference"
    @Option(help: "Standard deviation of random exploration.") var randomDeviation = 0.5
    @Option(help: "Standard deviation of action noise (paper, eq. 8).") var noiseDeviation = 0.1
    @Option(help: "Users served, the platform's first; all if absent.") var users: Int?
    @Option(help: "Days served.") var days = 2
    @Option(help: "Days under the reference weights before.") var warmupDays = 1
    @Option(help: "Decides what happens; the platform's own seed decides who users are.")
    var seed: UInt64 = 1
    @Option(help: "Threads.") var threads = 2
    @Option(name: .shortAndLong, help: "The folder of the log, written whole or not at all.")
    var output: String
    @Flag(help: "Print the result as JSON for machines.") var json = false

    /// The result for machines.
    private struct Result: Encodable {
      let log: String
      let requests: Int
      let sessions: Int
      let feedback: Int
      let bytes: Int
    }

    func validate() throws {
      try CountRange.days.check(flag: "--days", days)
      try CountRange.optionalDays.check(flag: "--warmup-days", warmupDays)
      try CountRange.threads.check(flag: "--threads", threads)
      try CountRange.things.check(flag: "--users", users ?? 1)
      for (name, value) in [
        ("--random-deviation", randomDeviation), ("--noise-deviation", noiseDeviation),
      ] where !(value > 0 && value.isFinite) {
        throw ValidationError("\(name) \(value): expected a number above 0")
      }
    }

    func run() throws {
      Interruption.shared.install()
      let folder = try PlatformFolder(path: platform)
      let simulated = folder.platform
      if let users, users > simulated.allUsers.count {
        throw CommandFailure.usage(
          "--users \(users): expected at most \(simulated.allUsers.count), the platform's users")
      }
      let members = Array(simulated.allUsers.prefix(users ?? simulated.allUsers.count))
      let serving = try policy(on: simulated)
      let recorder = SessionRecorder(
        folder: folder, policyVersion: serving.policy.name, experiment: serving.experiment,
        arm: serving.arm)
      let progress = ProgressLine("simulate", total: members.count * days * 65)
      let counts = try recorder.record(
        policy: serving.policy, users: members,
        from: simulated.warmedState(days: warmupDays, seed: seed &+ 1, threads: threads),
        days: days, seed: seed, threads: threads, to: output, progress: progress)
      progress.finish()
      let result = Result(
        log: output, requests: counts.requests, sessions: counts.sessions,
        feedback: counts.feedback, bytes: counts.bytes)
      if json { return try MachineOutput.print(result) }
      try StandardOutput.print(
        "\(output): \(result.sessions) sessions, \(result.requests) requests, "
          + "\(result.feedback) responses (simulated users)")
    }

    private struct Serving {
      let policy: any FusionPolicy
      var experiment: String?
      var arm: (UInt64) -> String? = { _ in nil }
    }

    private func policy(on platform: SimulatedPlatform) throws -> Serving {
      let size = platform.configuration.bounds.count
      let random = RandomExploration(actionSize: size, deviation: randomDeviation)
      switch policy {
      case "random": return Serving(policy: random)
      case "mixed":
        let base = try platform.policy(named: around)
        let mixed = MixedExploration(
          random: random,
          actionNoise: ActionNoiseExploration(base: base, deviation: noiseDeviation), salt: seed)
        return Serving(
          policy: mixed, experiment: "exploration",
          arm: { mixed.group(ofUser: $0) == .random ? "random" : "action_noise" })
      default: return Serving(policy: try platform.policy(named: policy))
      }
    }
  }

  /// `amalgam simulate check`: the platform beside the log.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare a platform under the reference weights with the log's anchors.")

    @Option(help: "A platform's folder, as `reproduce` and `simulate fit` write it.")
    var platform: String
    @Option(help: "Users simulated.") var users = 512
    @Option(help: "Days simulated.") var days = 3
    @Option(help: "Decides what happens.") var seed: UInt64 = 1
    @Option(help: "Threads.") var threads = 2
    @Flag(help: "Print the comparisons as JSON for machines.") var json = false

    func validate() throws {
      try CountRange.days.check(flag: "--days", days)
      try CountRange.threads.check(flag: "--threads", threads)
      try CountRange.things.check(flag: "--users", users)
    }

    func run() throws {
      let check = try PlatformFolder(path: platform).platform
        .check(users: users, days: days, seed: seed, threads: threads)
      if json { return try MachineOutput.print(check) }
      let passed = check.rows.count - check.failures.count
      try StandardOutput.print(
        ["what                              log       simulated tolerance std. error"] + check.lines
          + ["\(passed) of \(check.rows.count) within tolerance"])
    }
  }

  /// `amalgam simulate fit`: the tables of a platform, fitted again.
  struct Fit: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fit a platform's tables again, with other assumptions or another seed.",
      discussion: """
        Configuration keys, for --config and --set, are those of Assumptions: \
        satisfactionDrivesStaying, stayingSlope, timeIsLimited, topicSatiation, types and others; \
        absent keys keep the platform's.
        """)

    @Option(help: "The platform's folder whose users, videos and tables are taken.")
    var platform: String
    @Option(name: .shortAndLong, help: "The folder to write, whole or not at all.")
    var output: String
    @Option(help: "Decides who users are.") var seed: UInt64 = 1
    @Option(help: "Users simulated to fit.") var users = 512
    @Option(help: "Threads.") var threads = 2
    @OptionGroup var common: ConfigurationOptions

    func validate() throws {
      try CountRange.threads.check(flag: "--threads", threads)
      try CountRange.things.check(flag: "--users", users)
    }

    func run() throws {
      Interruption.shared.install()
      // An unknown key is told before anything is read; what is absent keeps the platform's value.
      _ = try common.configuration(Assumptions())
      let folder = try PlatformFolder(path: platform)
      let old = folder.platform
      var budget = SimulatedPlatform.FitBudget()
      budget.users = users
      let fitted = try SimulatedPlatform.fitted(
        data: old.data, configuration: old.configuration,
        assumptions: common.configuration(old.assumptions), budget: budget, seed: seed,
        threads: threads)
      try DurableFiles.writeFolder(at: output) { path in
        try FileManager.default.copyItem(
          atPath: "\(platform)/tables.safetensors", toPath: "\(path)/tables.safetensors")
        try PlatformFolder.writeDescription(
          of: fitted, userIDs: folder.userIDs, videoIDs: folder.videoIDs, seed: seed, to: path)
      }
      if common.json { return try MachineOutput.print(fitted.fit) }
      try StandardOutput.print("\(output): fitted, \(fitted.allUsers.count) simulated users")
    }
  }
}

extension SimulatedPlatform {
  /// The reference policy by the name `reference`, any other from its folder.
  ///
  /// - Throws: `CommandFailure.usage` for one with another number of weights; what reading throws.
  func policy(named name: String) throws -> any FusionPolicy {
    if name == "reference" { return configuration.referencePolicy }
    let policy = try PolicyArtifact.load(name).makePolicy()
    guard policy.actionSize == configuration.bounds.count else {
      throw CommandFailure.usage(
        "\(name): expected \(configuration.bounds.count) weights, found \(policy.actionSize)")
    }
    return policy
  }
}
