/// Why a policy could not be evaluated.
package enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// There is no session to evaluate on.
  case noSessions
  /// The policy's actions have another size than the logged ones.
  case actionSize(policy: String, expected: Int, found: Int)
  /// The normalizer was fitted on states of another size.
  case stateSize(expected: Int, found: Int)
  /// The policy decided on something outside the box.
  case invalidAction(policy: String, row: Int, dimension: Int, found: Float)
  /// A logged reward is not finite.
  case invalidReward(transition: Int, found: Float)
  /// The fit left every plausible range.
  case diverged(estimator: String, round: Int, loss: Double, qMean: Double, bound: Double)
  /// The normal equations have no unique solution.
  case singular(features: Int, column: Int)
  /// The log does not say how likely these actions were.
  case unknownPropensities(unknown: Int, transitions: Int)
  /// As many fitted densities as transitions are needed.
  case propensityCount(expected: Int, found: Int)
  /// A density of a logged action that no density can be.
  case invalidPropensity(transition: Int, found: Double)
  /// The policy's own density of a logged action is not one.
  case invalidDensity(policy: String, transition: Int, found: Double)
  /// No logged session has any weight under the policy.
  case noOverlap(policy: String, estimator: String)

  /// One line with what was expected and what was found.
  package var description: String {
    switch self {
    case .noSessions:
      "off-policy evaluation: expected at least one session, found none"
    case .actionSize(let policy, let expected, let found):
      "policy \"\(policy)\": expected actions of \(expected) weights as logged, found \(found)"
    case .stateSize(let expected, let found):
      "off-policy evaluation: expected a normalizer of \(expected) features, found \(found)"
    case .invalidAction(let policy, let row, let dimension, let found):
      "policy \"\(policy)\", decision \(row), weight \(dimension): expected a number in [-1, 1], "
        + "found \(found)"
    case .invalidReward(let transition, let found):
      "transition \(transition): expected a finite reward, found \(found)"
    case .diverged(let estimator, let round, let loss, let qMean, let bound):
      "\(estimator), round \(round): the fit diverged: loss \(loss), mean Q \(qMean), bound "
        + "±\(bound) (scaled rewards)"
    case .singular(let features, let column):
      "linear fitted Q: \(features) features, but the sessions determine no more than \(column)"
    case .unknownPropensities(let unknown, let transitions):
      "propensities: expected the log density of every logged action, found \(unknown) of "
        + "\(transitions) unknown; fit a density to the log, or read an estimator that needs none "
        + "(fitted Q, conservative, linear fitted Q, one-step direct method)"
    case .propensityCount(let expected, let found):
      "fitted propensities: expected one log density for each of \(expected) transitions, "
        + "found \(found)"
    case .invalidPropensity(let transition, let found):
      "transition \(transition): expected a finite log density of the logged action, found \(found)"
    case .invalidDensity(let policy, let transition, let found):
      "policy \"\(policy)\", transition \(transition): expected a log density below infinity, "
        + "found \(found)"
    case .noOverlap(let policy, let estimator):
      "\(estimator): expected logged sessions that policy \"\(policy)\" could have lived, found "
        + "none: its density is zero at some action of each"
    }
  }
}
