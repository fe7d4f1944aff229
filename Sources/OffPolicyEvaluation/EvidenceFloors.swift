/// What an estimate must have behind it before its number is believed.
///
/// Below any of these the verdict is "not enough evidence". They are conventions, chosen so that a
/// healthy estimate on a few hundred users passes, and not derived from a loss.
package struct EvidenceFloors: Sendable, Equatable {
  /// Least number of users.
  package var leastUsers = 30
  /// Least number of sessions.
  package var leastSessions = 100
  /// Least effective number of sessions (of requests for one-step estimators), of the weights.
  package var leastEffectiveSampleSize = 50.0
  /// Largest share of one session (or request) in all weights.
  package var largestWeightShare = 0.1
  /// Largest share of all weight that a cap took off.
  package var largestRemovedShare = 0.1
  /// Largest |mean of π/μ − 1| that is put down to chance, in standard errors; both this and
  /// `largestMeanWeightDeviation` must be passed for a shortcoming.
  package var largestMeanWeightZ = 3.0
  /// Largest |mean of π/μ − 1| that does no harm however certain it is.
  package var largestMeanWeightDeviation = 0.1
  /// Largest root mean squared distance between the policy's and the logged weights, in [−1, 1].
  package var largestActionDistance = 0.8
  /// Least root mean squared deviation of the logged weights from their mean.
  package var leastActionSpread = 0.01
  /// Largest share of sessions that the log's window cut, for estimators that stop there.
  package var largestTruncatedShare = 0.1
  /// Whether a fit that has not converged is a shortcoming.
  package var requiresConvergence = true

  /// The defaults.
  package init() {}

  /// What is wrong, in words, or nil.
  package var problem: String? {
    for (name, value) in [
      ("leastEffectiveSampleSize", leastEffectiveSampleSize),
      ("largestWeightShare", largestWeightShare),
      ("largestRemovedShare", largestRemovedShare), ("largestMeanWeightZ", largestMeanWeightZ),
      ("largestMeanWeightDeviation", largestMeanWeightDeviation),
      ("largestActionDistance", largestActionDistance), ("leastActionSpread", leastActionSpread),
      ("largestTruncatedShare", largestTruncatedShare), ("leastUsers", Double(leastUsers)),
      ("leastSessions", Double(leastSessions)),
    ] where !(value >= 0) {
      return "\(name): expected a number of at least 0, found \(value)"
    }
    return nil
  }
}

/// One floor that an estimate lies below.
package struct EvidenceShortcoming: Sendable, Equatable, CustomStringConvertible {
  /// What is missing.
  package enum Kind: String, Sendable, CaseIterable {
    /// Too few users.
    case users
    /// Too few sessions.
    case sessions
    /// Weights so unequal that few sessions decide.
    case effectiveSampleSize = "effective sample size"
    /// A single session decides.
    case weightShare = "weight share"
    /// A cap took off too much of the weight.
    case removedShare = "removed share"
    /// E[π/μ] is not 1: wrong propensities.
    case meanWeight = "mean weight"
    /// The policy does what nobody has tried.
    case actionDistance = "action distance"
    /// The log holds one action.
    case actionSpread = "action spread"
    /// Too many sessions end with the log.
    case truncatedShare = "truncated share"
    /// A fit that stopped too early.
    case convergence
    /// Value or interval is no number.
    case notFinite = "not finite"
  }

  /// What is missing.
  package let kind: Kind
  /// The number found.
  package let found: Double
  /// The floor, or the ceiling.
  package let floor: Double
  /// One sentence for people: what was found, what is asked for, what it means.
  package let description: String

  /// A shortcoming of the given kind.
  package init(kind: Kind, found: Double, floor: Double, description: String) {
    self.kind = kind
    self.found = found
    self.floor = floor
    self.description = description
  }
}
