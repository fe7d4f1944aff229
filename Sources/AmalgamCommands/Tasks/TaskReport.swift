import Foundation
import MultiTaskModels

/// Evaluations of a model beside those of the logistic regression.
struct TaskReport {
  let model: [TaskEvaluation]
  let baseline: [TaskEvaluation]

  private struct Row: Encodable {
    var task: String
    var rows: Int
    var positives: Int?
    var auc, aucLow, aucHigh, baselineAUC: Double?
    var logLoss, constantLogLoss, baselineLogLoss: Double?
    var calibrationError: Double
    var meanRatio: Double?
    var rmse, constantRMSE, baselineRMSE, spearman, baselineSpearman: Double?

    enum CodingKeys: String, CodingKey {
      case task, rows, positives, auc, rmse, spearman
      case aucLow = "auc_low"
      case aucHigh = "auc_high"
      case baselineAUC = "baseline_auc"
      case logLoss = "log_loss"
      case constantLogLoss = "constant_log_loss"
      case baselineLogLoss = "baseline_log_loss"
      case calibrationError = "calibration_error"
      case meanRatio = "mean_ratio"
      case constantRMSE = "constant_rmse"
      case baselineRMSE = "baseline_rmse"
      case baselineSpearman = "baseline_spearman"
    }
  }

  /// One object a task.
  func json() throws -> String {
    let rows = zip(model, baseline).map { own, other in
      Row(
        task: own.task, rows: own.rows, positives: own.positives, auc: own.areaUnderCurve,
        aucLow: own.low, aucHigh: own.high, baselineAUC: other.areaUnderCurve,
        logLoss: own.logLoss, constantLogLoss: own.constantLogLoss,
        baselineLogLoss: other.logLoss, calibrationError: own.calibrationError,
        meanRatio: own.meanRatio, rmse: own.rootMeanSquaredError,
        constantRMSE: own.constantRootMeanSquaredError,
        baselineRMSE: other.rootMeanSquaredError, spearman: own.rankCorrelation,
        baselineSpearman: other.rankCorrelation)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(rows), as: UTF8.self)
  }

  /// The same for a terminal.
  func table() -> String {
    var lines = [
      "task           positives  AUC   [95 % interval]  logistic | log loss  constant  logistic"
        + " | ECE     mean ratio"
    ]
    for (own, other) in zip(model, baseline) {
      let name = own.task.padding(toLength: 14, withPad: " ", startingAt: 0)
      let tail = String(format: " | %.4f  %.3f", own.calibrationError, own.meanRatio ?? .nan)
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
