import DurableFiles
import Foundation
import OffPolicyEvaluation
import PolicyArtifacts

/// The clock on the wall, which only commands read.
enum Clock {
  /// Milliseconds since 1970.
  static var milliseconds: Int64 { Int64(Date.now.timeIntervalSince1970 * 1000) }
}

/// What a file of `amalgam evaluate --output` says about one version of a registry.
struct EvaluationPrediction {
  /// As the ledger keeps it.
  let ledgered: PolicyLedger.Prediction
  /// The gate's verdict on the version, if it was asked.
  let verdict: ReleaseVerdict?

  /// Reads a file and finds the version in it, by its name in the registry or its policy's.
  ///
  /// - Throws: `CommandFailure.usage` where the file tells of other policies only;
  ///   `DurableFileError` where it cannot be read.
  init(_ file: String, version: String, in registry: PolicyRegistry) throws {
    let found = try JSONFile.read(EvaluateCommand.Found.self, from: file, inSnakeCase: true)
    let names = [version, try registry.load(version).manifest.policy.name]
    guard
      let method = names.first(where: { name in
        found.estimates.contains { $0.method == name }
      })
    else {
      let methods = Set(found.estimates.map(\.method)).sorted().joined(separator: ", ")
      throw CommandFailure.usage(
        "\(file): expected estimates of \(names[0]) or \(names[1]), found those of \(methods)")
    }
    let gate = found.gate.flatMap { $0.policy == method ? $0 : nil }
    verdict = gate?.verdict
    ledgered = PolicyLedger.Prediction(
      estimates: found.estimates.filter { $0.method == method }.map { estimate in
        let difference = gate?.differences.first { $0.estimator == estimate.estimator }
        return PolicyLedger.PredictedValue(
          estimator: estimate.estimator,
          sessionReturn: PolicyLedger.Estimate(
            value: estimate.value, low: estimate.low, high: estimate.high),
          difference: difference.map {
            PolicyLedger.Estimate(value: $0.value, low: $0.low, high: $0.high)
          })
      }, verdict: gate?.verdict.rawValue, against: gate?.against)
  }
}
