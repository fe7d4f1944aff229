/// What an estimator says a policy is worth: the mean discounted satisfaction of a session, or for
/// one-step estimators (`Estimand.requestValue`) the mean reward of a request.
package struct PolicyValueEstimate: Sendable, Equatable {
  /// Name of the estimator.
  package let estimator: String
  /// V̂ in the rewards' own units.
  package let value: Double
  /// Lower end of the interval.
  package let low: Double
  /// Upper end of the interval.
  package let high: Double
  /// How many sessions lived under the policy itself would give a mean as precise as this
  /// estimate: Var(discounted return of a logged session) / (standard error)². The effective size
  /// of importance weights is another number and stands in `weights`. Nil when the estimate has no
  /// spread at all.
  package let effectiveSampleSize: Double?
  /// What the mean is over: sessions by their initial states, for one-step estimators requests.
  package let n: Int
  /// Where the uncertainty comes from.
  package let standardErrors: StandardErrors
  /// How the fit went; nil for an estimator that fits nothing.
  package let fit: FitDiagnostics?
  /// How the sessions were weighted; nil for an estimator that weighs none.
  package let weights: WeightDiagnostics?
  /// What the value is a mean of.
  package let parts: EstimateParts

  /// The same estimate with other parts.
  func replacing(parts: EstimateParts) -> PolicyValueEstimate {
    PolicyValueEstimate(
      estimator: estimator, value: value, low: low, high: high,
      effectiveSampleSize: effectiveSampleSize, n: n, standardErrors: standardErrors, fit: fit,
      weights: weights, parts: parts)
  }

  /// The same estimate with what a cap did to its weights.
  func replacing(cap: CapDiagnostics) -> PolicyValueEstimate {
    var weights = weights
    weights?.cap = cap
    return PolicyValueEstimate(
      estimator: estimator, value: value, low: low, high: high,
      effectiveSampleSize: effectiveSampleSize, n: n, standardErrors: standardErrors, fit: fit,
      weights: weights, parts: parts)
  }

  /// Whether what is left to converge is small beside the interval: ten times the drift, which as
  /// many rounds again would add at the last tenth's pace, as far as the drift is clear of its own
  /// noise (three standard errors), and the residual, each within a quarter of the interval's half
  /// width. A bias of that size takes a 95 % interval to 92 %. Nil for a fit without rounds.
  package var hasConverged: Bool? {
    let allowed = (high - low) / 8
    return fit?.convergence.map {
      10 * (abs($0.drift) - 3 * $0.driftError) <= allowed && abs($0.residual) <= allowed
    }
  }
}

/// The two sources of an estimate's uncertainty.
package struct StandardErrors: Sendable, Equatable {
  /// From which sessions happened to begin: clustered deviation of the mean over initial states.
  package let initialStates: Double
  /// From which sessions Q̂ was fitted on, and from the seed of the fit: deviation of V̂ between
  /// fits on resampled sessions, each with a seed of its own.
  package let fits: Double

  /// Both together; they are close to independent (see `FitSpread`).
  package var total: Double { (initialStates * initialStates + fits * fits).squareRoot() }
}

/// What to look at before an estimate is believed.
package struct FitDiagnostics: Sendable, Equatable {
  /// Root of the mean squared temporal difference error at the end of the fit, in reward units.
  package let temporalDifferenceError: Double
  /// R of eq. 10 at the end of the fit, in reward units: mean Q̂ of the policy's actions less that
  /// of the logged ones. Far above zero: the fit believes in actions that the log does not hold.
  package let regularizer: Double
  /// Mean Q̂ of the logged actions, in reward units.
  package let qMean: Double
  /// Root mean squared distance of the policy's actions to the logged ones, per dimension.
  package let actionDistance: Double
  /// Whether the rounds have come to their end; nil for a fit without rounds.
  package let convergence: FitConvergence?
}

/// How unequal the weights of logged sessions are, and whether they can be right at all.
///
/// The weight of a session is what multiplies its return: the product of all its ratios for
/// trajectory-wise estimators, their running product's discounted mean over its steps for
/// per-decision and doubly robust ones. Where each step has its own sum of weights (self-normalized
/// per-decision, NCIS), it is the session's share of them, discounted and summed over the steps.
/// One-step estimators weigh requests.
package struct WeightDiagnostics: Sendable, Equatable {
  /// (Σ w)² / Σ w² over sessions (requests for one-step estimators): how many of equal weight would
  /// be as many.
  package let effectiveSampleSize: Double
  /// The largest weight's share of all.
  package let largestShare: Double
  /// Mean of π(a|s)/μ(a|s) over the logged requests; 1 in expectation where propensities are right,
  /// at every request whatever came before it. Products over sessions have mean 1 too, but a few of
  /// them carry it, so that their mean in a log tells nothing.
  package let meanWeight: Double
  /// Its standard error, clustered.
  package let meanWeightError: Double
  /// Deviation of the kernel that a deterministic policy is smoothed by, in normalized weights; nil
  /// for a policy with a density of its own.
  package let bandwidth: Double?
  /// Whether propensities were fitted to the log rather than logged.
  package let propensitiesAreFitted: Bool
  /// What the cap did; nil for an estimator without one.
  package internal(set) var cap: CapDiagnostics?

  /// The diagnostics of one set of weights.
  package init(
    effectiveSampleSize: Double, largestShare: Double, meanWeight: Double,
    meanWeightError: Double, bandwidth: Double?, propensitiesAreFitted: Bool
  ) {
    self.effectiveSampleSize = effectiveSampleSize
    self.largestShare = largestShare
    self.meanWeight = meanWeight
    self.meanWeightError = meanWeightError
    self.bandwidth = bandwidth
    self.propensitiesAreFitted = propensitiesAreFitted
  }
}

/// What a cap on the weights took, which no interval knows of.
package struct CapDiagnostics: Sendable, Equatable {
  /// The largest weight.
  package let cap: Double
  /// The share of sessions with a weight above it.
  package let cappedShare: Double
  /// The share of all weight that the cap took off, discounted mean over the steps; 0 where it holds
  /// no session. What it would take off sessions that the log does not hold is not in it.
  package let removedShare: Double
  /// V̂ without the cap less V̂, on the same sessions, in reward units: the cap's bias, with the
  /// noise that the cap is there for.
  package let shift: Double
}

/// How far a fit may still be from the limit of eq. 10.
package struct FitConvergence: Sendable, Equatable {
  /// V̂ of the last tenth of the rounds' mean iterate less that of the tenth before, in reward units;
  /// the mean over all fits.
  package let drift: Double
  /// Standard error of the drift, from its spread over the fits.
  package let driftError: Double
  /// The mean Bellman residual r + γ·Q̂(s', π_e(s')) − Q̂(s, a) of the logged transitions times a
  /// logged session's discounted length Σ γ^t, in reward units: about what V̂ would still gain if Q̂
  /// were off by the same everywhere. In the limit it is 0.
  package let residual: Double
}
