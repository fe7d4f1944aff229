import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import SessionLogs
import TrajectoryPreparation

extension PolicyCommand {
  /// `amalgam policy observe`
  struct Observe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Note in the ledger what a released version was seen to do.",
      discussion: """
        From a log of its sessions: their mean discounted return with a 95 % interval by user, under \
        the reward that the policy was trained for. From the readout of an A/B test: the lifts of its \
        arm over the reference.
        """)
    @OptionGroup var registry: RegistryOption
    @Option(name: .long, help: "What `amalgam experiment --output` wrote.")
    var experiment: String?
    @Option(name: .long, help: "A session log that the version served.")
    var log: String?
    @Option(name: .long, help: "The version's arm in either; in a readout its name by default.")
    var arm: String?
    @Option(name: .long, help: "γ of the session return of --log; 0.95 by default.")
    var discount: Double?
    @Option(name: .long, help: "Threads for --log; 2 by default.") var threads: Int?
    @Argument(help: "The version.") var version: String

    func validate() throws {
      guard (experiment == nil) != (log == nil) else {
        throw ValidationError("give either --experiment or --log")
      }
      if experiment != nil, discount != nil || threads != nil {
        throw ValidationError(
          "\(discount != nil ? "--discount" : "--threads"): goes with --log, a readout holds results"
        )
      }
      if let discount, !(discount >= 0 && discount < 1) {
        throw ValidationError("--discount \(discount): expected a number in [0, 1)")
      }
      if let threads { try CountRange.threads.check(flag: "--threads", threads) }
    }

    func run() throws {
      Interruption.shared.install()
      let stored = try registry.open()
      let manifest = try stored.load(version).manifest
      let source = experiment ?? log ?? ""
      let observations =
        experiment == nil
        ? [try observation(ofLog: source, manifest)]
        : try observations(ofExperiment: source, manifest)
      let now = Clock.milliseconds
      for observation in observations {
        try stored.observe(observation, of: version, source: source, recordedMilliseconds: now)
      }
      try StandardOutput.print(
        observations.map { "\(version): observed \(LedgerReport.words(of: $0))" })
    }

    private func observations(
      ofExperiment file: String, _ manifest: PolicyManifest
    ) throws -> [PolicyLedger.Observation] {
      let readout = try JSONFile.read(ExperimentSummary.self, from: file, inSnakeCase: true)
      let names = arm.map { [$0] } ?? [version, manifest.policy.name]
      guard let found = readout.arms.first(where: { names.contains($0.name) }) else {
        throw CommandFailure.usage(
          "\(file): expected an arm \(names.joined(separator: " or ")), found "
            + readout.arms.map(\.name).joined(separator: ", "))
      }
      let lifts: [(PolicyLedger.Observation.Metric, ExperimentSummary.Lift?)] = [
        (.appTimeLift, found.adTime), (.positiveRateLift, found.upi),
      ]
      let observations = lifts.compactMap { metric, lift in
        lift.map {
          PolicyLedger.Observation(
            metric: metric,
            observed: PolicyLedger.Estimate(value: $0.value, low: $0.low, high: $0.high),
            count: found.users)
        }
      }
      guard !observations.isEmpty else {
        throw CommandFailure.usage(
          "\(file): arm \(found.name) has no lift; is it the reference?")
      }
      guard !readout.sampleRatioMismatch else {
        throw CommandFailure.failure(
          "\(file): users were not split as promised (p \(readout.sampleRatioP)); no lift counts")
      }
      return observations
    }

    private func observation(
      ofLog path: String, _ manifest: PolicyManifest
    ) throws -> PolicyLedger.Observation {
      let (discount, threads) = (discount ?? 0.95, threads ?? 2)
      let folder = try SessionLogFolder(path: path)
      let reward = manifest.reward ?? .standard
      if let other = reward.preparedSignal {
        throw CommandFailure.usage(
          "\(version): its reward weighs \(other), which is fitted to the log that is prepared: sessions of "
            + "another log would be measured by another rule; give --experiment")
      }
      let scratch = FileManager.default.temporaryDirectory
        .appendingPathComponent("amalgam-observe-\(UUID().uuidString)").path
      try DurableFiles.makeFolders(scratch)
      defer { try? DurableFiles.remove(scratch) }
      if arm == nil { try checkPolicies(of: folder, manifest, threads, spillFolder: scratch) }
      let report = try TrajectoryPreparation.run(
        log: folder, output: "\(scratch)/trajectories",
        configuration: PreparationConfiguration(
          trainFraction: 1, arms: arm.map { [$0] }, threads: threads))
      let sessions = try TrajectoryShards(
        folder: report.trainFolder, reward: reward)
      do {
        let value = try LoggedValue(of: sessions, discount: discount)
        guard value.low.isFinite else {
          throw CommandFailure.failure("\(path): one user's sessions have no interval")
        }
        return PolicyLedger.Observation(
          metric: .sessionReturn,
          observed: PolicyLedger.Estimate(value: value.value, low: value.low, high: value.high),
          count: value.sessions, discount: discount)
      } catch let error as EvaluationError {
        throw CommandFailure.failure("\(path): \(error)")
      }
    }

    /// A log that other policies served too observes none of them.
    private func checkPolicies(
      of folder: SessionLogFolder, _ manifest: PolicyManifest, _ threads: Int,
      spillFolder: String
    ) throws {
      let lines = try LineValidation.scan(folder, threads: threads, findingLimit: 1)
      if let finding = lines.findings.first {
        throw CommandFailure.failure("\(finding) (\(lines.errorCount) bad lines)")
      }
      let found = try LogDescription(of: folder, threads: threads, spillFolder: spillFolder)
        .policyVersions.map(\.name)
      let expected = [version, manifest.policy.name]
      let others = found.filter { !expected.contains($0) }
      guard others.isEmpty else {
        throw CommandFailure.usage(
          "\(folder.path): expected decisions of \(expected.joined(separator: " or ")) only, found "
            + "those of \(others.joined(separator: ", ")); --arm takes the sessions of one arm")
      }
    }
  }

  /// `amalgam policy ledger`
  struct Ledger: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What was predicted of released versions, beside what was observed.")
    @OptionGroup var registry: RegistryOption
    @Flag(name: .long, help: "Print JSON for machines.") var json = false

    func run() throws {
      let registry = try registry.open()
      let report = LedgerReport(
        try registry.ledger.entries(), released: Set(try registry.events.map(\.version)))
      if json { return try MachineOutput.print(report) }
      try StandardOutput.print(report.lines)
    }
  }
}
