/// What an estimator says a policy is worth: the mean discounted satisfaction of a session.
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
  /// estimate: Var(discounted return of a logged session) / (standard error)². No estimator here
  /// weighs sessions, so this is not the effective size of importance weights. Nil when the
  /// estimate has no spread at all.
  package let effectiveSampleSize: Double?
  /// Initial states that the mean is over.
  package let n: Int
  /// Where the uncertainty comes from.
  package let standardErrors: StandardErrors
  /// How the fit went.
  package let diagnostics: FitDiagnostics
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
}
