import ArgumentParser
import BatchRL

/// The algorithms that learn a policy from logged sessions.
enum LearningAlgorithm: String, Codable, CaseIterable, ExpressibleByArgument {
  case batchRLMTF = "batch_rl_mtf"
  case behaviorCloning = "behavior_cloning"
}

/// The settings of every learner, under the key `learners` of a configuration.
struct LearnerSettings: Codable, Equatable {
  var batchRLMTF = BatchRLMTFConfiguration()
  var behaviorCloning = BehaviorCloning.Configuration()

  /// The first setting that is out of its range, in words and with its key; nil when all are fine.
  var problem: String? {
    let parts: [(String, any LearnerConfiguration)] = [
      ("batchRLMTF", batchRLMTF), ("behaviorCloning", behaviorCloning),
    ]
    for (key, part) in parts {
      if let problem = part.problem { return "learners.\(key).\(problem)" }
    }
    return nil
  }
}

extension PolicyTraining {
  /// Trains an algorithm to the end.
  ///
  /// - Throws: as `train(_:_:)`.
  func callAsFunction(
    _ algorithm: LearningAlgorithm, _ settings: LearnerSettings
  ) throws -> TrainedPolicy {
    switch algorithm {
    case .batchRLMTF: try train(BatchRLMTF.self, settings.batchRLMTF)
    case .behaviorCloning: try train(BehaviorCloning.self, settings.behaviorCloning)
    }
  }
}
