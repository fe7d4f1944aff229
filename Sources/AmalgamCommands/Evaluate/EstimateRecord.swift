import Foundation
import OffPolicyEvaluation

extension PolicyEvaluation {
  /// One estimator's word on one policy, as stages keep it and `evaluate --json` prints it.
  struct Estimate: Codable, Equatable {
    /// Whether the estimate stands above its floors.
    enum Evidence: String, Codable {
      case enough
      case notEnough = "not_enough"
    }

    /// How the sessions were weighted; see `WeightDiagnostics`.
    struct Weights: Codable, Equatable {
      /// What a cap took; see `CapDiagnostics`.
      struct Cap: Codable, Equatable {
        var cap: Double
        var cappedShare: Double
        var removedShare: Double
        var shift: Double
      }

      var effectiveSampleSize: Double
      var largestShare: Double
      var meanWeight: Double
      var meanWeightError: Double
      var bandwidth: Double?
      var propensitiesAreFitted: Bool
      /// Nil of an estimator without a cap.
      var cap: Cap?

      init(_ weights: WeightDiagnostics) {
        effectiveSampleSize = weights.effectiveSampleSize
        largestShare = weights.largestShare
        meanWeight = weights.meanWeight
        meanWeightError = weights.meanWeightError
        bandwidth = weights.bandwidth
        propensitiesAreFitted = weights.propensitiesAreFitted
        cap = weights.cap.map {
          Cap(
            cap: $0.cap, cappedShare: $0.cappedShare, removedShare: $0.removedShare,
            shift: $0.shift)
        }
      }
    }

    var method: String
    var estimator: String
    /// What is estimated; nil in records of older versions.
    var estimand: String?
    var value: Double
    var low: Double
    var high: Double
    /// Whether the value says anything, and what it lacks; nil in records of older versions.
    var evidence: Evidence?
    var shortcomings: [String]?
    var effectiveSampleSize: Double?
    var initialStates: Int
    var standardErrorOfInitialStates: Double
    var standardErrorOfFits: Double
    /// Nil of an estimator that fits nothing.
    var temporalDifferenceError: Double?
    var regularizer: Double?
    /// Mean Q of the logged actions; nil of an estimator that fits nothing, and in records of older
    /// versions.
    var qMean: Double?
    var actionDistance: Double?
    /// Nil of an estimator that weighs no sessions.
    var weights: Weights?
    /// See `FitConvergence`; nil for a fit without rounds, and in records of older versions.
    var valueDrift: Double?
    var bellmanResidual: Double?
    var hasConverged: Bool?

    init(_ estimate: PolicyValueEstimate, method: String, shortcomings: [String]) {
      self.method = method
      estimator = estimate.estimator
      estimand = EstimatorKind(rawValue: estimate.estimator)?.estimand.key
      value = estimate.value
      low = estimate.low
      high = estimate.high
      evidence = shortcomings.isEmpty ? .enough : .notEnough
      self.shortcomings = shortcomings
      effectiveSampleSize = estimate.effectiveSampleSize
      initialStates = estimate.n
      standardErrorOfInitialStates = estimate.standardErrors.initialStates
      standardErrorOfFits = estimate.standardErrors.fits
      temporalDifferenceError = estimate.fit?.temporalDifferenceError
      regularizer = estimate.fit?.regularizer
      qMean = estimate.fit?.qMean
      actionDistance = estimate.fit?.actionDistance
      weights = estimate.weights.map(Weights.init)
      valueDrift = estimate.fit?.convergence?.drift
      bellmanResidual = estimate.fit?.convergence?.residual
      hasConverged = estimate.hasConverged
    }

    /// What a user should know and can do if the fit has not converged, else nil.
    var warning: String? {
      guard hasConverged == false, let valueDrift, let bellmanResidual else { return nil }
      return "\(estimator) of \(method) has not converged: its value moved by "
        + String(format: "%+.3f over the last tenth of the rounds and ", valueDrift)
        + String(format: "is about %+.3f short of its own equation; ", bellmanResidual)
        + "raise evaluation.rounds or evaluation.learningRate"
    }
  }
}
