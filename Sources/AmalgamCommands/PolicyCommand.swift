import ArgumentParser
import DurableFiles
import Foundation
import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import SeededRandom

/// `amalgam policy`: the registry of policy versions.
struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "List, release, roll back, observe and explain policies.",
    subcommands: [
      List.self, Add.self, Release.self, Rollback.self, Observe.self, Ledger.self, Explain.self,
    ])

  /// Where the registry lies.
  struct RegistryOption: ParsableArguments {
    @Option(name: .long, help: "The registry's folder.")
    var registry: String

    /// The registry, which must exist.
    func open() throws -> PolicyRegistry { try Self.open(registry) }

    /// The registry in a folder, which must exist: reading creates nothing.
    static func open(_ folder: String) throws -> PolicyRegistry {
      guard DurableFiles.exists("\(folder)/policies") else {
        throw CommandFailure.usage("\(folder): no policy registry (no folder policies in it)")
      }
      return try PolicyRegistry(folder: folder)
    }
  }

  /// `amalgam policy list`
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "All versions, with the current one marked.")
    @OptionGroup var registry: RegistryOption
    @Flag(name: .long, help: "Print JSON for machines.") var json = false

    private struct Row: Encodable {
      let version: String
      let current: Bool
      let policy: String
      let algorithm: String
      let seed: UInt64
      let evaluation: [PolicyManifest.EvaluationRecord]
    }

    func run() throws {
      let rows = try registry.open().list().map { entry in
        Row(
          version: entry.version, current: entry.isCurrent, policy: entry.manifest.policy.name,
          algorithm: entry.manifest.algorithm, seed: entry.manifest.seed,
          evaluation: entry.manifest.evaluation)
      }
      if json { return try MachineOutput.print(rows) }
      let lines = rows.map { row in
        let estimates = row.evaluation.map { record in
          let interval = record.low.flatMap { low in
            record.high.map { String(format: " [%.3f, %.3f]", low, $0) }
          }
          return String(format: "%@ %.3f%@", record.estimator, record.value, interval ?? "")
        }
        return "\(row.current ? "*" : " ") \(row.version)  \(row.policy)  (\(row.algorithm), seed "
          + "\(row.seed))  \(estimates.joined(separator: "; "))"
      }
      try StandardOutput.print(lines)
    }
  }

  /// `amalgam policy add`
  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Store an artifact in the registry, without releasing it.")
    @Option(name: .long, help: "The registry's folder; created if it is not there.")
    var registry: String
    @Option(name: .customLong("as"), help: "The version's name; v1, v2 … by default.")
    var version: String?
    @Argument(help: "The artifact's folder.") var artifact: String

    func run() throws {
      let stored = try PolicyArtifact.load(artifact)
      try StandardOutput.print(PolicyRegistry(folder: registry).add(stored, as: version))
    }
  }

  /// `amalgam policy release`
  struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a version the current one.",
      discussion: """
        What is predicted of it goes into the registry's ledger: what `amalgam evaluate --output` \
        wrote, if --prediction names it, else what its artifact says.
        """)
    @OptionGroup var registry: RegistryOption
    @Option(name: .long, help: "What `amalgam evaluate --output` wrote about the policy.")
    var prediction: String?
    @Flag(name: .long, help: "Refuse unless the verdict in --prediction is release.")
    var gated = false
    @Argument(help: "The version.") var version: String

    func validate() throws {
      if gated, prediction == nil {
        throw ValidationError("--gated: give --prediction too, the verdict stands there")
      }
    }

    func run() throws {
      let stored = try registry.open()
      let predicted = try prediction.map { file in
        (try EvaluationPrediction(file, version: version, in: stored), source: file)
      }
      if gated, let (prediction, file) = predicted {
        guard prediction.verdict == .release else {
          let found = prediction.verdict?.words ?? "none (evaluate it with --against)"
          throw CommandFailure.failure("\(file): expected the verdict release, found \(found)")
        }
        if let reference = prediction.referenceSHA256,
          let current = try stored.currentManifestSHA256, reference != current
        {
          throw CommandFailure.failure(
            "\(file): expected a verdict against \(try stored.current ?? "") or against logged, "
              + "found one against \(prediction.ledgered.against ?? "")")
        }
      }
      try stored.release(
        version, prediction: predicted.map { ($0.0.ledgered, source: $0.source) },
        recordedMilliseconds: Clock.milliseconds)
      try StandardOutput.print("\(version) is current")
    }
  }

  /// `amalgam policy rollback`
  struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Go back to the release before the current one.")
    @OptionGroup var registry: RegistryOption

    func run() throws {
      try StandardOutput.print("\(try registry.open().rollback()) is current")
    }
  }

  /// `amalgam policy explain`
  struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The weights that a policy gives a state, and each task's part in the ranking.")
    @OptionGroup var source: PolicySource
    @Argument(help: "A ranking request as JSON (see Docs/FileFormats.md).") var request: String

    func run() throws {
      let artifact = try source.load()
      let request = try RankingRequest(file: request, schema: artifact.manifest.fusion.schema)
      let explanation = try request.explain(by: artifact, count: nil)
      var lines = [
        "policy \(artifact.manifest.policy.name) (\(artifact.manifest.algorithm))",
        "task             action    weight",
      ]
      for weight in explanation.weights {
        let name = weight.task.padding(toLength: 16, withPad: " ", startingAt: 0)
        lines.append(name + String(format: "%7.3f  %8.4f", weight.action, weight.weight))
      }
      for (rank, candidate) in explanation.ranking.enumerated() {
        lines.append("\(rank + 1). \(request.itemIDs[candidate.index])  score \(candidate.score)")
        let parts = zip(explanation.weights, candidate.contributions).map { ($0.task, $1) }
        for (task, part) in parts.sorted(by: { abs($0.1) > abs($1.1) }) {
          lines.append("     " + String(format: "%+9.4f  %@", part, task))
        }
      }
      try StandardOutput.print(lines)
    }
  }
}

/// Which policy to use: an artifact's folder, or the current version of a registry.
struct PolicySource: ParsableArguments {
  @Option(name: .long, help: "The folder of a policy artifact.")
  var policy: String?

  @Option(name: .long, help: "A registry, whose current version is used.")
  var registry: String?

  func validate() throws {
    guard (policy == nil) != (registry == nil) else {
      throw ValidationError("give either --policy or --registry")
    }
  }

  /// Loads the artifact.
  ///
  /// - Throws: `PolicyArtifactError`, `DurableFileError`, `CommandFailure.usage`.
  func load() throws -> PolicyArtifact {
    if let policy { return try PolicyArtifact.load(policy) }
    return try PolicyCommand.RegistryOption.open(registry ?? "").loadCurrent()
  }
}
