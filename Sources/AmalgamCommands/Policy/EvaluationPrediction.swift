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
  /// The part of the file that is read.
  private struct File: Decodable {
    struct Estimate: Decodable {
      let method: String
      let estimator: String
      let value: Double
      let low: Double
      let high: Double
    }
    struct Gate: Decodable {
      struct Difference: Decodable {
        let estimator: String
        let value: Double
        let low: Double
        let high: Double
      }
      let verdict: ReleaseVerdict
      let against: String
      let differences: [Difference]
    }
    let policies: [EvaluateCommand.Found.Policy]
    let estimates: [Estimate]
    let gate: Gate?
  }

  /// As the ledger keeps it.
  let ledgered: PolicyLedger.Prediction
  /// The gate's verdict on the version, if it was asked.
  let verdict: ReleaseVerdict?
  /// The hash of the manifest of the policy that the verdict compares with; nil where that is the log.
  let referenceSHA256: String?

  /// Reads a file and finds the version in it, by the hash of its manifest: names may repeat.
  ///
  /// - Throws: `CommandFailure.usage` where the file tells of other policies only;
  ///   `DurableFileError` where it cannot be read.
  init(_ file: String, version: String, in registry: PolicyRegistry) throws {
    let found = try JSONFile.read(File.self, from: file, inSnakeCase: true)
    let hash = try registry.load(version).manifestSHA256 ?? ""
    let same = found.policies.filter { $0.manifestSHA256 == hash }
    guard let method = (same.first { $0.method == version } ?? same.first)?.method else {
      let known = found.policies.map { "\($0.method) (\($0.manifestSHA256.prefix(12)))" }
      throw CommandFailure.usage(
        "\(file): expected estimates of \(version), whose manifest has the hash \(hash.prefix(12)), "
          + "found those of \(known.joined(separator: ", "))")
    }
    // The gate judges the first policy against the last one, or against the log where there is one alone:
    // by place, as names may repeat.
    let gate = found.policies.first?.manifestSHA256 == hash ? found.gate : nil
    verdict = gate?.verdict
    referenceSHA256 =
      gate != nil && found.policies.count > 1 ? found.policies.last?.manifestSHA256 : nil
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
