import ArgumentParser
import BatchRL

/// The algorithms that learn a policy from logged sessions.
enum LearningAlgorithm: String, Codable, CaseIterable, ExpressibleByArgument {
  case batchRLMTF = "batch_rl_mtf"
  case behaviorCloning = "behavior_cloning"
  case td3
  case td3BC = "td3_bc"
  case uwacTD3 = "uwac_td3"
  case cqlSAC = "cql_sac"
  case iql
}

/// The settings of every learner, under the key `learners` of a configuration.
struct LearnerSettings: Codable, Equatable {
  var batchRLMTF = BatchRLMTFConfiguration()
  var behaviorCloning = BehaviorCloning.Configuration()
  var td3 = TD3Configuration()
  var td3BC = TD3BCConfiguration()
  var uwacTD3 = UWACTD3Configuration()
  var cqlSAC = CQLSACConfiguration()
  var iql = IQLConfiguration()

  /// Makes all networks of all learners so wide.
  mutating func setHidden(_ hidden: [Int]) {
    batchRLMTF.hidden = hidden
    behaviorCloning.hidden = hidden
    td3.hidden = hidden
    td3BC.td3.hidden = hidden
    uwacTD3.td3.hidden = hidden
    cqlSAC.hidden = hidden
    iql.hidden = hidden
  }

  /// The first setting that is out of its range, in words and with its key; nil when all are fine.
  var problem: String? {
    let parts: [(String, any LearnerConfiguration)] = [
      ("batchRLMTF", batchRLMTF), ("behaviorCloning", behaviorCloning), ("td3", td3),
      ("td3BC", td3BC), ("uwacTD3", uwacTD3), ("cqlSAC", cqlSAC), ("iql", iql),
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
    case .td3: try train(TD3.self, settings.td3)
    case .td3BC: try train(TD3BC.self, settings.td3BC)
    case .uwacTD3: try train(UWACTD3.self, settings.uwacTD3)
    case .cqlSAC: try train(CQLSAC.self, settings.cqlSAC)
    case .iql: try train(IQL.self, settings.iql)
    }
  }
}
