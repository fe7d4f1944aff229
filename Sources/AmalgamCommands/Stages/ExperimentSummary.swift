import ExperimentReports
import Foundation
import OnlineExperiments

/// What an A/B test found, as stages keep it and `experiment --json` prints it.
struct ExperimentSummary: Codable {
  /// A lift over the reference arm, as a fraction, with its 95 % interval.
  struct Lift: Codable {
    var value: Double
    var low: Double?
    var high: Double?
    var p: Double

    init?(_ lift: RelativeLift?) {
      guard let lift else { return nil }
      value = lift.fraction
      low = lift.low
      high = lift.high
      p = lift.pValue
    }

    static func result(_ lift: Lift?) -> LiftResult {
      guard let lift else { return .undefined }
      return LiftResult(lift: lift.value, low: lift.low, high: lift.high, pValue: lift.p)
    }
  }

  /// One arm.
  struct Arm: Codable {
    var name: String
    var users: Int
    var adTimeMinutes: Double
    var adTime: Lift?
    var upiRate: Double?
    var upi: Lift?

    /// The arm as `results.json` holds it.
    var result: OnlineResult {
      OnlineResult(
        method: name, adTimeMinutes: adTimeMinutes, adTime: Lift.result(adTime),
        upiRate: upiRate, upi: Lift.result(upi))
    }
  }

  /// The arms, the reference first.
  var arms: [Arm]
  /// The p-value of the check that users were split as promised.
  var sampleRatioP: Double
  /// Whether that check raises an alarm (p < 0.001): then no lift is to be trusted.
  var sampleRatioMismatch: Bool

  /// A summary of a readout.
  init(_ readout: ExperimentReadout) {
    arms = readout.arms.map { arm in
      Arm(
        name: arm.name, users: arm.users, adTimeMinutes: arm.adTime.estimate.value ?? 0,
        adTime: Lift(arm.adTime.lift), upiRate: arm.upiRate.estimate.value,
        upi: Lift(arm.upiRate.lift))
    }
    sampleRatioP = readout.sampleRatio.pValue
    sampleRatioMismatch = readout.sampleRatio.isMismatch
  }

  /// The summary for a terminal.
  var lines: [String] {
    func percent(_ lift: Lift?) -> String {
      guard let lift else { return "reference" }
      guard let low = lift.low, let high = lift.high else {
        return String(format: "%+.2f %% (p %.4f)", 100 * lift.value, lift.p)
      }
      return String(
        format: "%+.2f %% [%+.2f, %+.2f] (p %.4f)", 100 * lift.value, 100 * low, 100 * high,
        lift.p)
    }
    var lines = ["SIMULATED USERS; lifts over \(arms.first?.name ?? "") [95 % interval]"]
    for arm in arms {
      lines.append("\(arm.name): \(arm.users) users")
      lines.append(
        String(format: "  ADTime  %.3f min a user and day  ", arm.adTimeMinutes)
          + percent(arm.adTime))
      let rate = arm.upiRate.map { String(format: "%.4f of plays  ", $0) } ?? "no plays  "
      lines.append("  UPIRate " + rate + percent(arm.upi))
    }
    let verdict = sampleRatioMismatch ? "MISMATCH: trust no lift above" : "as promised"
    lines.append(String(format: "split of users: p %.4f, %@", sampleRatioP, verdict))
    return lines
  }
}
