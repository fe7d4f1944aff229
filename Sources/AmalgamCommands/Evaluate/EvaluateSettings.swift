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
      settings: evaluation, threads: threads, floors: floors.floors, interval: interval)
  }
}

extension [EstimatorKind] {
  /// Each kind once, in the order of first mention.
  var withoutRepeats: [EstimatorKind] {
    reduce(into: []) { known, kind in if !known.contains(kind) { known.append(kind) } }
  }
}
