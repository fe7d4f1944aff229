import BatchRL
import DenseKernels
import FusionMDP
import SeededRandom
import Testing

/// Every algorithm, with what most tests set alike.
enum EveryLearner: String, CaseIterable, Sendable {
  case batchRLMTF, behaviorCloning, td3, td3BC, uwacTD3, cqlSAC, iql

  /// The actor-critics that learn a policy network from values.
  static let actorCritics: [EveryLearner] = [.td3, .td3BC, .uwacTD3, .cqlSAC, .iql]

  /// What tests change from the defaults.
  struct Settings {
    var hidden = [16, 12]
    var discount: Float = 0.95
    /// Of every network; the defaults when nil.
    var learningRate: Float?
    var explosionFactor: Float = 10
    var perturbationBound: Float = 0.15
    var divergenceWeight: Float = 1
    var targetNoise: Float = 0.2
    var valueWeight: Float = 2.5
    var uncertaintyScale: Float = 0.5
    var conservatism: Float = 5
    var expectile: Float = 0.7
    var inverseTemperature: Float = 3
    var softUpdateRate: Float = 0.005
  }

  func make(
    stateSize: Int, actionSize: Int, _ settings: Settings = Settings(), from stream: RandomStream
  ) -> any BatchLearner {
    func learner<Learner: BatchLearner>(
      _ type: Learner.Type, _ configuration: Learner.Configuration
    ) -> any BatchLearner {
      Learner(
        stateSize: stateSize, actionSize: actionSize, configuration: configuration,
        initializedFrom: stream)
    }
    switch self {
    case .batchRLMTF: return learner(BatchRLMTF.self, batchRLMTF(settings))
    case .behaviorCloning:
      var configuration = BehaviorCloning.Configuration()
      configuration.hidden = settings.hidden
      if let rate = settings.learningRate { configuration.learningRate = rate }
      return learner(BehaviorCloning.self, configuration)
    case .td3: return learner(TD3.self, td3(settings))
    case .td3BC:
      var configuration = TD3BCConfiguration()
      configuration.td3 = td3(settings)
      configuration.valueWeight = settings.valueWeight
      return learner(TD3BC.self, configuration)
    case .uwacTD3:
      var configuration = UWACTD3Configuration()
      configuration.td3 = td3(settings)
      configuration.dropoutSamples = 10
      configuration.uncertaintyScale = settings.uncertaintyScale
      return learner(UWACTD3.self, configuration)
    case .cqlSAC: return learner(CQLSAC.self, cqlSAC(settings))
    case .iql: return learner(IQL.self, iql(settings))
    }
  }

  private func batchRLMTF(_ settings: Settings) -> BatchRLMTFConfiguration {
    var configuration = BatchRLMTFConfiguration()
    configuration.hidden = settings.hidden
    configuration.discount = settings.discount
    configuration.perturbationBound = settings.perturbationBound
    configuration.divergenceWeight = settings.divergenceWeight
    configuration.explosionFactor = settings.explosionFactor
    if let rate = settings.learningRate {
      configuration.criticLearningRate = rate
      configuration.perturbationLearningRate = rate
    }
    return configuration
  }

  private func td3(_ settings: Settings) -> TD3Configuration {
    var configuration = TD3Configuration()
    configuration.hidden = settings.hidden
    configuration.discount = settings.discount
    configuration.targetNoise = settings.targetNoise
    configuration.explosionFactor = settings.explosionFactor
    configuration.softUpdateRate = settings.softUpdateRate
    if let rate = settings.learningRate {
      configuration.actorLearningRate = rate
      configuration.criticLearningRate = rate
    }
    return configuration
  }

  private func cqlSAC(_ settings: Settings) -> CQLSACConfiguration {
    var configuration = CQLSACConfiguration()
    configuration.hidden = settings.hidden
    configuration.discount = settings.discount
    configuration.sampledActions = 4
    configuration.conservatism = settings.conservatism
    configuration.explosionFactor = settings.explosionFactor
    configuration.softUpdateRate = settings.softUpdateRate
    if let rate = settings.learningRate {
      configuration.actorLearningRate = rate
      configuration.criticLearningRate = rate
    }
    return configuration
  }

  private func iql(_ settings: Settings) -> IQLConfiguration {
    var configuration = IQLConfiguration()
    configuration.hidden = settings.hidden
    configuration.discount = settings.discount
    configuration.expectile = settings.expectile
    configuration.inverseTemperature = settings.inverseTemperature
    configuration.explosionFactor = settings.explosionFactor
    configuration.softUpdateRate = settings.softUpdateRate
    if let rate = settings.learningRate { configuration.learningRate = rate }
    return configuration
  }
}

/// Trains on raw states unless told otherwise, one thread.
func trained(
  _ learner: any BatchLearner, _ source: TrajectoryArrays, steps: Int, batchSize: Int = 64,
  normalizer: StateNormalizer? = nil, seed: UInt64 = 12
) throws -> (learner: any BatchLearner, policy: any FusionPolicy, reports: [TrainingReport]) {
  func run<Learner: BatchLearner>(
    _ learner: Learner
  ) throws -> (any BatchLearner, any FusionPolicy, [TrainingReport]) {
    KernelThreads.set(1)
    var training = TrainingConfiguration()
    training.stepCount = steps
    training.batchSize = batchSize
    training.reportInterval = max(1, steps / 10)
    training.threads = 1
    var run = try TrainingRun(
      learner: learner, source: source,
      normalizer: normalizer ?? .identity(stateSize: source.stateSize), configuration: training,
      seed: seed)
    _ = try run.run()
    return (run.learner, run.policy(), run.reports)
  }
  return try run(learner)
}
