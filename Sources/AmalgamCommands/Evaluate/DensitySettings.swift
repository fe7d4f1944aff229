import ArgumentParser
import FusionMDP
import OffPolicyEvaluation
import SeededRandom

/// Where the densities of logged actions come from, by the names that flags and configurations call
/// them.
enum PropensityChoice: String, Codable, CaseIterable, ExpressibleByArgument {
  /// The log's own.
  case logged
  /// A density fitted to the log (see `BehaviorDensityModel`).
  case fitted
}

/// How a density is fitted to the logged actions, under the key `density` of a configuration; see
/// `BehaviorDensityConfiguration`.
struct DensitySettings: Codable, Equatable {
  var componentCounts = BehaviorDensityConfiguration().componentCounts
  var hidden = BehaviorDensityConfiguration().hidden
  var steps = BehaviorDensityConfiguration().steps
  var batchSize = BehaviorDensityConfiguration().batchSize
  var learningRate = BehaviorDensityConfiguration().learningRate
  var folds = BehaviorDensityConfiguration().folds
  var heldOutShare = BehaviorDensityConfiguration().heldOutShare

  init() {}

  /// The configuration.
  var configuration: BehaviorDensityConfiguration {
    var configuration = BehaviorDensityConfiguration()
    configuration.componentCounts = componentCounts
    configuration.hidden = hidden
    configuration.steps = steps
    configuration.batchSize = batchSize
    configuration.learningRate = learningRate
    configuration.folds = folds
    configuration.heldOutShare = heldOutShare
    return configuration
  }
}

/// The densities of logged actions that estimators weigh by, with what speaks against them.
struct JudgedPropensities {
  /// The densities.
  let propensities: BehaviorPropensities
  /// The judgement, as results hold it.
  let found: EvaluateCommand.Found.Propensities

  /// The log's own, which checks of the data object to or do not.
  init(logged findings: [DataFinding]) {
    propensities = .logged
    found = EvaluateCommand.Found.Propensities(
      source: .logged,
      objections: findings.filter { $0.check == .propensities && $0.severity == .error }
        .map(\.summary))
  }

  /// A density fitted to the actions of `source`.
  ///
  /// - Throws: `CommandFailure.failure` where none can be fitted; `.interrupted` on Ctrl-C.
  init(
    fittedTo source: any TransitionSource, called name: String, normalizer: StateNormalizer,
    settings: EvaluateCommand.Settings
  ) throws {
    let configuration = settings.density.configuration
    let fits = configuration.folds * configuration.componentCounts.count
    let line = ProgressLine("densities of the logged actions", total: 100)
    do {
      let fitted = try BehaviorDensityModel.fit(
        on: source, normalizer: normalizer, configuration: configuration,
        seed: stableSeed(settings.seed, "behavior density"), threads: settings.threads,
        progress: EvaluationProgress { round, rounds, fit in
          try Interruption.shared.check("stopped while fitting densities")
          line.update(100 * (fit * rounds + round) / (rounds * fits))
        })
      line.finish()
      propensities = .fitted(fitted.logDensities)
      found = EvaluateCommand.Found.Propensities(
        source: .fitted, objections: fitted.calibration.reasons, calibration: fitted.calibration)
    } catch let error as BehaviorDensityError {
      throw CommandFailure.failure("\(name): \(error)")
    }
  }
}
