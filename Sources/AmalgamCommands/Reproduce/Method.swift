import FusionMDP

extension Reproduction {
  /// Which methods a run compares.
  enum MethodSet: String, Codable, CaseIterable {
    /// The paper's method beside its reference, its control without rewards, and the oracle.
    case main
    /// Every method of the paper's table 1, the usual baselines beside them, and the controls.
    case all

    /// The methods, in the order of every table; the first is the reference.
    var methods: [Method] {
      switch self {
      case .main: [.staticWeights, .behaviorCloning, .batchRLMTF, .oracle]
      case .all: Method.allCases
      }
    }
  }

  /// A policy of the comparison.
  enum Method: String, CaseIterable {
    case staticWeights = "best_static"
    case evolutionStrategy = "evolution_strategy"
    case crossEntropy = "cross_entropy"
    case grid
    case behaviorCloning = "behavior_cloning"
    case td3
    case uwacTD3 = "uwac_td3"
    case td3BC = "td3_bc"
    case cqlSAC = "cql_sac"
    case iql
    case batchRLMTF = "batch_rl_mtf"
    case randomOnly = "batch_rl_mtf_re"
    case emphasizingTime = "batch_rl_mtf_rtime"
    case emphasizingIntegrity = "batch_rl_mtf_rintegrity"
    case emphasizingInteraction = "batch_rl_mtf_rinteraction"
    case myopic = "batch_rl_mtf_gamma_0"
    case shuffled = "batch_rl_mtf_shuffled"
    case oracle
  }

  /// How the sessions that a method learns from explore (paper, 3.3).
  enum ExplorationKind: String, CaseIterable {
    /// Mixed Multi-Exploration.
    case mixed
    /// Random exploration alone.
    case random

    /// What the names of its stages and folders end in.
    var suffix: String { self == .mixed ? "" : "-random" }
  }

  /// How a method learns from logged sessions.
  struct Recipe {
    var algorithm: LearningAlgorithm
    /// What it learns from.
    var exploration = ExplorationKind.mixed
    /// The part of the reward that weighs more.
    var emphasis: SatisfactionReward.Emphasis?
    /// Whether the next state counts at all.
    var looksAhead = true

    /// The reward that it learns by (eq. 2).
    var reward: SatisfactionReward {
      emphasis.map { SatisfactionReward.standard.emphasizing($0) } ?? .standard
    }
  }

  /// Where a method's policy comes from.
  enum Origin {
    /// A search on the platform under the session budget.
    case search(SearchMethod)
    /// Logged sessions.
    case learning(Recipe)
    /// The decisions of another method, each given to another user.
    case shuffling(Method)
    /// The users' hidden truth.
    case truth
  }
}

extension Reproduction.Method {
  /// Where the policy comes from.
  var origin: Reproduction.Origin {
    switch self {
    case .staticWeights: .search(.bayesianOptimization)
    case .evolutionStrategy: .search(.evolutionStrategy)
    case .crossEntropy: .search(.crossEntropy)
    case .grid: .search(.grid)
    case .behaviorCloning: .learning(.init(algorithm: .behaviorCloning))
    case .td3: .learning(.init(algorithm: .td3))
    case .uwacTD3: .learning(.init(algorithm: .uwacTD3))
    case .td3BC: .learning(.init(algorithm: .td3BC))
    case .cqlSAC: .learning(.init(algorithm: .cqlSAC))
    case .iql: .learning(.init(algorithm: .iql))
    case .batchRLMTF: .learning(.init(algorithm: .batchRLMTF))
    case .randomOnly: .learning(.init(algorithm: .batchRLMTF, exploration: .random))
    case .emphasizingTime: .learning(.init(algorithm: .batchRLMTF, emphasis: .time))
    case .emphasizingIntegrity: .learning(.init(algorithm: .batchRLMTF, emphasis: .integrity))
    case .emphasizingInteraction: .learning(.init(algorithm: .batchRLMTF, emphasis: .interaction))
    case .myopic: .learning(.init(algorithm: .batchRLMTF, looksAhead: false))
    case .shuffled: .shuffling(.batchRLMTF)
    case .oracle: .truth
    }
  }

  /// How it learns from logged sessions; nil for what does not.
  var recipe: Reproduction.Recipe? {
    if case .learning(let recipe) = origin { recipe } else { nil }
  }

  /// The stage that searches it; nil for what no search finds.
  var searchStage: String? {
    guard case .search = origin else { return nil }
    return self == .staticWeights ? "search" : "search-\(rawValue)"
  }

  /// Whether it has an artifact.
  var isStored: Bool {
    switch origin {
    case .search, .learning: true
    case .shuffling, .truth: false
    }
  }

  /// Whether the logged test sessions are asked about it: the reference and what learns by the
  /// reward that they are valued by, looking ahead (the paper's table has no estimate of the rest).
  var isEvaluatedOffline: Bool {
    guard let recipe else { return self == .staticWeights }
    return recipe.emphasis == nil && recipe.looksAhead
  }
}
