import Foundation
import FusionMDP
import OffPolicyEvaluation

/// What logged sessions say that policies are worth: FQE and the Conservative-OPEstimator.
struct PolicyEvaluation {
  /// What is set before an evaluation (paper, Algorithm 2).
  struct Settings: Codable, Equatable {
    /// K: rounds of a fit.
    var rounds = 5000
    /// m: transitions a round.
    var batchSize = 512
    /// n: initial states.
    var initialStates = 5000
    /// γ.
    var discount = 0.95
    /// Adam's step size.
    var learningRate: Float = 1e-4
    /// Widths of the hidden layers.
    var hidden = [256, 256]
    /// Share of the last rounds whose iterates are averaged.
    var averagedShare = 0.2
    /// α of eq. 10.
    var conservativeWeight = 0.5e-3
    /// Draws of the policy a state.
    var policySamples = 1
    /// Fits on resampled sessions that the interval is made of.
    var fits = 4

    init() {}

    /// The configuration of the estimators.
    func fittedQ(threads: Int) -> FittedQConfiguration {
      var fit = FittedQConfiguration()
      fit.rounds = rounds
      fit.batchSize = batchSize
      fit.initialStates = initialStates
      fit.discount = discount
      fit.learningRate = learningRate
      fit.hidden = hidden
      fit.averagedShare = averagedShare
      fit.policySamples = policySamples
      fit.intervalFits = fits
      fit.threads = threads
      return fit
    }

    /// What is wrong, in words, or nil.
    var problem: String? {
      if !(conservativeWeight >= 0 && conservativeWeight.isFinite) {
        return "conservativeWeight: expected a number of at least 0, found \(conservativeWeight)"
      }
      return fittedQ(threads: 1).problem?.replacing("intervalFits", with: "fits")
    }
  }

  /// One estimator's word on one policy, as stages keep it and `evaluate --json` prints it.
  struct Estimate: Codable, Equatable {
    var method: String
    var estimator: String
    var value: Double
    var low: Double
    var high: Double
    var effectiveSampleSize: Double?
    var initialStates: Int
    var standardErrorOfInitialStates: Double
    var standardErrorOfFits: Double
    var temporalDifferenceError: Double
    var regularizer: Double
    var actionDistance: Double
    /// See `FitConvergence`; nil for a fit without rounds, and in records of older versions.
    var valueDrift: Double?
    var bellmanResidual: Double?
    var hasConverged: Bool?

    init(_ estimate: PolicyValueEstimate, method: String) {
      self.method = method
      estimator = estimate.estimator
      value = estimate.value
      low = estimate.low
      high = estimate.high
      effectiveSampleSize = estimate.effectiveSampleSize
      initialStates = estimate.n
      standardErrorOfInitialStates = estimate.standardErrors.initialStates
      standardErrorOfFits = estimate.standardErrors.fits
      temporalDifferenceError = estimate.fit?.temporalDifferenceError ?? 0
      regularizer = estimate.fit?.regularizer ?? 0
      actionDistance = estimate.fit?.actionDistance ?? 0
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

  /// The constants.
  let settings: Settings
  /// Fits that run side by side.
  let threads: Int

  /// Evaluates `policy`, called `method` in the result, on test sessions.
  ///
  /// - Parameter linear: adds the linear fit, a second opinion in closed form.
  /// - Throws: `CommandFailure.failure` when the sessions and the policy do not fit or a fit
  ///   diverges; `.interrupted` on Ctrl-C.
  func estimates(
    of policy: any FusionPolicy, method: String, data: any TransitionSource,
    normalizer: StateNormalizer, linear: Bool = false, seed: UInt64
  ) throws -> [Estimate] {
    let fit = settings.fittedQ(threads: threads)
    do {
      let sessions = try EvaluationSessions(
        policy: policy, data: data, normalizer: normalizer, discount: fit.discount,
        samples: fit.policySamples, seed: seed)
      let plain = try watched("fitted Q of \(method)", fit) {
        try FittedQEvaluation(configuration: fit).estimate(on: sessions, seed: seed, progress: $0)
      }
      let cautious = try watched("conservative Q of \(method)", fit) {
        try ConservativeEstimator(
          configuration: fit, conservativeWeight: settings.conservativeWeight
        ).estimate(on: sessions, seed: seed, progress: $0)
      }
      var found = [plain, cautious]
      if linear {
        found.append(try LinearFittedQ(configuration: fit).estimate(on: sessions, seed: seed))
      }
      return found.map { Estimate($0, method: method) }
    } catch let error as EvaluationError {
      throw CommandFailure.failure("\(method): \(error)")
    }
  }

  private func watched(
    _ label: String, _ fit: FittedQConfiguration,
    _ body: (EvaluationProgress) throws -> PolicyValueEstimate
  ) throws -> PolicyValueEstimate {
    let line = ProgressLine(label, total: fit.rounds * (fit.intervalFits + 1))
    let estimate = try body(
      EvaluationProgress { round, rounds, fit in
        guard round.isMultiple(of: 50) else { return }
        try Interruption.shared.check("stopped in off-policy evaluation")
        line.update(fit * rounds + round)
      })
    line.finish()
    return estimate
  }
}
