import Foundation
import MultiTaskModels

/// Evaluations of a model beside those of the logistic regression.
struct TaskReport {
  let model: [TaskEvaluation]
  let baseline: [TaskEvaluation]

  /// A measure of a task; null where it is undefined, as a curve without positives.
  private struct Measure: Encodable {
    var value: Double?

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
  }

  /// One task; what is nil does not belong to its domain and is left out.
  private struct Row: Encodable {
    var task: String
    var rows: Int
    var positives: Int?
    var auc, aucLow, aucHigh, baselineAUC: Measure?
    var logLoss, constantLogLoss, baselineLogLoss: Measure?
    var calibrationError, meanRatio: Measure
    var rmse, constantRMSE, baselineRMSE, spearman, baselineSpearman: Measure?
  }

  /// One object a task.
  func json() throws -> String {
    let rows = zip(model, baseline).map { own, other in
      let isProbability = own.positives != nil
      func chance(_ value: Double?) -> Measure? { isProbability ? Measure(value: value) : nil }
      func time(_ value: Double?) -> Measure? { isProbability ? nil : Measure(value: value) }
      return Row(
        task: own.task, rows: own.rows, positives: own.positives,
        auc: chance(own.areaUnderCurve), aucLow: chance(own.low), aucHigh: chance(own.high),
        baselineAUC: chance(other.areaUnderCurve), logLoss: chance(own.logLoss),
        constantLogLoss: chance(own.constantLogLoss), baselineLogLoss: chance(other.logLoss),
        calibrationError: Measure(value: own.calibrationError),
        meanRatio: Measure(value: own.meanRatio), rmse: time(own.rootMeanSquaredError),
        constantRMSE: time(own.constantRootMeanSquaredError),
        baselineRMSE: time(other.rootMeanSquaredError), spearman: time(own.rankCorrelation),
        baselineSpearman: time(other.rankCorrelation))
    }
    return try MachineOutput.document(rows)
  }

  /// The same for a terminal.
  func table() -> String {
    var lines = [
      "task           positives  AUC   [95 % interval]  logistic | log loss  constant  logistic"
        + " | ECE     mean ratio"
    ]
    for (own, other) in zip(model, baseline) {
      let name = own.task.padding(toLength: 14, withPad: " ", startingAt: 0)
      let tail = String(
        format: " | %.4f  %.3f", own.calibrationError ?? .nan, own.meanRatio ?? .nan)
      if let rmse = own.rootMeanSquaredError {
        lines.append(
          name
            + String(
              format: " RMSE %.4f (constant %.4f, logistic %.4f), Spearman %.4f (logistic %.4f)",
              rmse, own.constantRootMeanSquaredError ?? .nan,
              other.rootMeanSquaredError ?? .nan, own.rankCorrelation ?? .nan,
              other.rankCorrelation ?? .nan) + tail)
        continue
      }
      lines.append(
        name
          + String(
            format: " %8d  %.4f [%.4f, %.4f]  %.4f   | %.5f   %.5f   %.5f", own.positives ?? 0,
            own.areaUnderCurve ?? .nan, own.low ?? .nan, own.high ?? .nan,
            other.areaUnderCurve ?? .nan, own.logLoss ?? .nan, own.constantLogLoss ?? .nan,
            other.logLoss ?? .nan) + tail)
    }
    return lines.joined(separator: "\n")
  }
}
