import FusionMDP
import OffPolicyEvaluation

extension EvaluateCommand {
  /// The configuration file's keys.
  struct Settings: Codable {
    var seed: UInt64 = 1
    var threads = 2
    /// The estimators asked; with a gate, those that must agree come to them.
    var estimators: [EstimatorKind] = [.fittedQ, .conservative]
    /// How the intervals of weighted estimators are made.
    var interval = IntervalChoice.bootstrap
    /// What is independent of each other: intervals rest on the spread between these.
    var clusters = FittedQConfiguration.ResamplingUnit.users
    /// The largest weight of normalized capped importance sampling.
    var cap = EstimatorConfiguration().cap
    /// Parts of the users for the cross-fitted model of the doubly robust estimators.
    var folds = EstimatorConfiguration().folds
    /// How policies without a density of their own are smoothed for the estimators that weigh.
    var bandwidth = KernelBandwidth.automatic
    /// Where the densities of the logged actions come from.
    var propensities = PropensityChoice.logged
    /// How they are fitted.
    var density = DensitySettings()
    /// What `--health-log` counts.
    var health = FusionGAUC.Settings()
    /// The reward's weight of each feedback signal (eq. 2), for shards that hold feedback.
    var rewardWeights = SatisfactionReward.standard
    var evaluation = PolicyEvaluation.Settings()
    var floors = FloorSettings()
    var gate = GateSettings()
    var validation = EstimatorValidation.Settings()

    init() {}

    /// Checks what no module checks for itself.
    ///
    /// - Throws: `CommandFailure.usage` naming the key, what was expected and found.
    func check() throws {
      if let problem = evaluation.problem { throw CommandFailure.usage("evaluation.\(problem)") }
      if let problem = floors.floors.problem { throw CommandFailure.usage("floors.\(problem)") }
      if let problem = gate.problem { throw CommandFailure.usage("gate.\(problem)") }
      if estimators.isEmpty {
        throw CommandFailure.usage("estimators: expected at least one, found none")
      }
      if let problem = policyEvaluation.problem { throw CommandFailure.usage(problem) }
      if let problem = bandwidth.problem { throw CommandFailure.usage(problem) }
      if let problem = density.configuration.problem {
        throw CommandFailure.usage("density.\(problem)")
      }
      if let problem = health.problem { throw CommandFailure.usage("health.\(problem)") }
      try validation.check()
      try CountRange.threads.check("threads", threads)
    }
  }

  /// The estimators that `--estimators` names.
  ///
  /// - Throws: `CommandFailure.usage` for an unknown name.
  static func kinds(named text: String, configured: [EstimatorKind]) throws -> [EstimatorKind] {
    var kinds: [EstimatorKind] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      switch name {
      case "all": kinds += EstimatorKind.allCases
      case "default": kinds += configured
      default:
        guard let kind = EstimatorKind(key: name) else {
          throw CommandFailure.usage(
            "--estimators: expected all, default or some of \(EstimatorKind.keys); found '\(name)'")
        }
        kinds.append(kind)
      }
    }
    return kinds.withoutRepeats
  }
}

extension EvaluateCommand.Settings {
  /// Estimators with these settings.
  var policyEvaluation: PolicyEvaluation {
    PolicyEvaluation(
      settings: evaluation, threads: threads, floors: floors.floors, interval: interval,
      bandwidth: bandwidth, clusters: clusters, cap: cap, folds: folds)
  }
}

extension SatisfactionReward {
  /// A weighed signal that comes into being only when a log is prepared, as `play_quantile` does.
  var preparedSignal: String? {
    weighedNames.first { FeedbackSignal(rawValue: $0) == nil }
  }

  /// Refuses a signal that comes into being only when a log is prepared.
  ///
  /// - Throws: `CommandFailure.usage` naming `flag`, the key, and `place`, which has no such signal.
  func checkSignals(for flag: String, _ place: String) throws {
    guard let other = preparedSignal else { return }
    let known = FeedbackSignal.allCases.map(\.rawValue)
    throw CommandFailure.usage(
      "\(flag): rewardWeights.\(other): expected signals of \(known.joined(separator: ", ")); "
        + "\(place) no other")
  }
}

extension [EstimatorKind] {
  /// Each kind once, in the order of first mention.
  var withoutRepeats: [EstimatorKind] {
    reduce(into: []) { known, kind in if !known.contains(kind) { known.append(kind) } }
  }
}
