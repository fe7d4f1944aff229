/// What an estimator says something about.
package enum Estimand: String, Sendable, CaseIterable {
  /// The mean discounted return of a session, in reward units.
  case sessionValue = "session value"
  /// The mean reward of a request in the states that the log visited, as if it were the only one.
  case requestValue = "request value"
}

/// All estimators, by their names in results.
package enum EstimatorKind: String, Sendable, CaseIterable {
  /// `FittedQEvaluation`.
  case fittedQ = "fitted Q"
  /// `ConservativeEstimator`.
  case conservative = "conservative"
  /// `LinearFittedQ`.
  case linearFittedQ = "linear fitted Q"
  /// `ImportanceSampling`.
  case importanceSampling = "importance sampling"
  /// `SelfNormalizedImportanceSampling`.
  case selfNormalizedImportanceSampling = "self-normalized importance sampling"
  /// `PerDecisionImportanceSampling`.
  case perDecisionImportanceSampling = "per-decision importance sampling"
  /// `SelfNormalizedPerDecision`.
  case selfNormalizedPerDecision = "self-normalized per-decision importance sampling"
  /// `CappedImportanceSampling`, NCIS.
  case cappedImportanceSampling = "normalized capped importance sampling"
  /// `DoublyRobust` over sessions.
  case doublyRobust = "doubly robust"
  /// `OneStepImportanceSampling`.
  case oneStepImportanceSampling = "one-step importance sampling"
  /// `OneStepImportanceSampling`, self-normalized: SNIPS.
  case oneStepSelfNormalized = "one-step self-normalized importance sampling"
  /// `DoublyRobust` over requests.
  case oneStepDoublyRobust = "one-step doubly robust"
  /// `OneStepDirectMethod`.
  case oneStepDirectMethod = "one-step direct method"

  /// Whether it needs the densities of the logged actions.
  package var needsPropensities: Bool {
    switch self {
    case .fittedQ, .conservative, .linearFittedQ, .oneStepDirectMethod: false
    default: true
    }
  }

  /// What it estimates.
  package var estimand: Estimand {
    switch self {
    case .oneStepImportanceSampling, .oneStepSelfNormalized, .oneStepDoublyRobust,
      .oneStepDirectMethod:
      .requestValue
    default: .sessionValue
    }
  }

  /// Whether it takes the return of a session that the log's window cut as the logged part of it,
  /// with nothing in the place of the rest.
  package var stopsAtTruncation: Bool {
    switch self {
    case .importanceSampling, .selfNormalizedImportanceSampling, .perDecisionImportanceSampling,
      .selfNormalizedPerDecision, .cappedImportanceSampling:
      true
    default: false
    }
  }

  /// The estimator with these constants.
  package func make(
    _ configuration: EstimatorConfiguration = EstimatorConfiguration()
  ) -> any PolicyValueEstimator {
    let fit = configuration.fittedQ
    let weighted = configuration.weighted
    let model = LinearFittedQ(configuration: fit)
    switch self {
    case .fittedQ: return FittedQEvaluation(configuration: fit)
    case .conservative:
      return ConservativeEstimator(
        configuration: fit, conservativeWeight: configuration.conservativeWeight)
    case .linearFittedQ: return model
    case .importanceSampling: return ImportanceSampling(configuration: weighted)
    case .selfNormalizedImportanceSampling:
      return SelfNormalizedImportanceSampling(configuration: weighted)
    case .perDecisionImportanceSampling:
      return PerDecisionImportanceSampling(configuration: weighted)
    case .selfNormalizedPerDecision: return SelfNormalizedPerDecision(configuration: weighted)
    case .cappedImportanceSampling:
      return CappedImportanceSampling(cap: configuration.cap, configuration: weighted)
    case .doublyRobust, .oneStepDoublyRobust:
      return DoublyRobust(
        estimand: estimand, model: model, folds: configuration.folds, configuration: weighted)
    case .oneStepImportanceSampling, .oneStepSelfNormalized:
      return OneStepImportanceSampling(
        isSelfNormalized: self == .oneStepSelfNormalized, configuration: weighted)
    case .oneStepDirectMethod: return OneStepDirectMethod(model: model)
    }
  }
}

/// The constants of all estimators; γ of weighted ones is that of the sessions.
package struct EstimatorConfiguration: Sendable, Equatable {
  /// Of the fits; its confidence and unit of resampling hold for all estimators.
  package var fittedQ = FittedQConfiguration()
  /// α of the conservative estimator, in the unit of the rewards.
  package var conservativeWeight = 0.5e-3
  /// c of NCIS.
  package var cap = 20.0
  /// Parts of the users for cross-fitting.
  package var folds = 5
  /// How weighted estimators make their intervals.
  package var interval = IntervalMethod.studentT

  /// The defaults of each estimator.
  package init() {}

  /// What is wrong, in words, or nil.
  package var problem: String? {
    if !(conservativeWeight >= 0 && conservativeWeight.isFinite) {
      return "conservativeWeight: expected a number of at least 0, found \(conservativeWeight)"
    }
    if !(cap > 0) { return "cap: expected a number above 0, found \(cap)" }
    if folds < 2 { return "folds: expected at least 2, found \(folds)" }
    return fittedQ.problem ?? interval.problem
  }

  /// Interval, confidence and clusters of the weighted estimators.
  package var weighted: WeightedConfiguration {
    var configuration = WeightedConfiguration()
    configuration.interval = interval
    configuration.confidence = fittedQ.confidence
    configuration.resampling = fittedQ.resampling
    return configuration
  }
}
