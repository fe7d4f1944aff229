public import FusionMDP

/// What an artifact says about its policy: what it is, how it was made, what it was measured at.
///
/// It is the `manifest.json` of the artifact. Only `policy`, `fusion`, `stateEncoder`, `normalizer`
/// and `files` are needed to serve; the rest is provenance.
public struct PolicyManifest: Sendable, Equatable {
  /// The format's name in the file.
  public static let format = "amalgam-policy"
  /// The format version that this program writes; it reads 1 up to this.
  public static let formatVersion = 1

  /// What the policy is made of.
  public var policy: PolicyRecord
  /// Which algorithm made it.
  public var algorithm: String
  /// What the algorithm was configured with.
  public var configuration: ConfigurationValue
  /// Tasks, formula and bounds that the actions are meant for.
  public var fusion: FusionDefinition
  /// How states are built; nil where they come from elsewhere.
  public var stateEncoder: StateEncoder?
  /// What the policy's networks were trained on; nil for fixed weights.
  public var normalizer: StateNormalizer?
  /// What was maximized; nil where rewards came from elsewhere.
  public var reward: SatisfactionReward?
  /// Which data it was trained on.
  public var dataWindow: DataWindow?
  /// The root seed of the run.
  public var seed: UInt64
  /// The revision of the program's source that made it.
  public var revision: String
  /// What it was estimated or measured at.
  public var evaluation: [EvaluationRecord]
  /// The other files of the artifact by name.
  public internal(set) var files: [String: FileRecord] = [:]

  /// The span of time of the training data and how much it is.
  public struct DataWindow: Sendable, Equatable, Codable {
    /// The start of the first session, in milliseconds since 1970.
    public var fromMilliseconds: Int64
    /// The start of the last session, in milliseconds since 1970.
    public var toMilliseconds: Int64
    /// The number of sessions.
    public var sessions: Int
    /// The number of transitions.
    public var transitions: Int
    /// The mean reward of a transition: data whose rewards are of another unit show it.
    public var meanReward: Double?
    /// The standard deviation of a transition's reward.
    public var rewardDeviation: Double?

    /// A window of training data.
    public init(
      fromMilliseconds: Int64, toMilliseconds: Int64, sessions: Int, transitions: Int,
      meanReward: Double? = nil, rewardDeviation: Double? = nil
    ) {
      self.fromMilliseconds = fromMilliseconds
      self.toMilliseconds = toMilliseconds
      self.sessions = sessions
      self.transitions = transitions
      self.meanReward = meanReward
      self.rewardDeviation = rewardDeviation
    }

    /// The window of a source of transitions; nil if it has no session.
    public init?(of source: some TransitionSource) {
      guard source.sessionCount > 0 else { return nil }
      let times = (0..<source.sessionCount).map { source.startTimeMilliseconds(of: $0) }
      let rewards = Self.rewards(of: source)
      self.init(
        fromMilliseconds: times.min() ?? 0, toMilliseconds: times.max() ?? 0,
        sessions: source.sessionCount, transitions: source.transitionCount,
        meanReward: rewards?.mean, rewardDeviation: rewards?.deviation)
    }

    private static func rewards(
      of source: some TransitionSource
    ) -> (mean: Double, deviation: Double)? {
      guard source.transitionCount > 0 else { return nil }
      var (mean, squares, count) = (0.0, 0.0, 0.0)
      for start in stride(from: 0, to: source.transitionCount, by: 4096) {
        let indices = Array(start..<min(start + 4096, source.transitionCount))
        for reward in source.batch(at: indices).rewards {  // Welford's update
          count += 1
          let difference = Double(reward) - mean
          mean += difference / count
          squares += difference * (Double(reward) - mean)
        }
      }
      return (mean, (squares / count).squareRoot())
    }

    enum CodingKeys: String, CodingKey {
      case fromMilliseconds = "from_ms"
      case toMilliseconds = "to_ms"
      case sessions
      case transitions
      case meanReward = "mean_reward"
      case rewardDeviation = "reward_deviation"
    }
  }

  /// One number that the policy was evaluated at.
  public struct EvaluationRecord: Sendable, Equatable, Codable {
    /// What was computed: `fitted_q`, `conservative`, `session_return` …
    public var estimator: String
    /// The estimate.
    public var value: Double
    /// The lower end of its 95 % interval.
    public var low: Double?
    /// The upper end of its 95 % interval.
    public var high: Double?
    /// The effective sample size, where the estimator has one.
    public var effectiveSampleSize: Double?
    /// On how many sessions.
    public var sessions: Int?

    /// An evaluation result.
    public init(
      estimator: String, value: Double, low: Double? = nil, high: Double? = nil,
      effectiveSampleSize: Double? = nil, sessions: Int? = nil
    ) {
      self.estimator = estimator
      self.value = value
      self.low = low
      self.high = high
      self.effectiveSampleSize = effectiveSampleSize
      self.sessions = sessions
    }

    enum CodingKeys: String, CodingKey {
      case estimator
      case value
      case low
      case high
      case effectiveSampleSize = "effective_sample_size"
      case sessions
    }
  }

  /// The size and content hash of a file.
  public struct FileRecord: Sendable, Equatable, Codable {
    /// Its size in bytes.
    public var bytes: Int
    /// The SHA-256 of its content in lower-case hexadecimal digits.
    public var sha256: String
  }
}

/// What a stored policy is made of: its kind and the sizes of its parts.
public enum PolicyRecord: Sendable, Equatable {
  /// The same weights for all; the tensor `action` holds them.
  case fixedWeights(name: String)
  /// One network state → action; tensors `network.…`.
  case network(name: String, network: NetworkRecord)
  /// Eq. 4; tensors `encoder.…`, `decoder.…`, `perturbation.…`, `critic.…`.
  case batchConstrained(BatchConstrainedRecord)

  /// The policy's name.
  public var name: String {
    switch self {
    case .fixedWeights(let name), .network(let name, _): name
    case .batchConstrained(let record): record.name
    }
  }
}

/// The sizes and constants of a batch-constrained policy.
public struct BatchConstrainedRecord: Sendable, Equatable, Codable {
  /// The policy's name.
  public var name: String
  /// S.
  public var stateSize: Int
  /// A.
  public var actionSize: Int
  /// The size of the behavior model's latent.
  public var latentSize: Int
  /// The widths of the behavior model's hidden layers.
  public var behaviorHidden: [Int]
  /// The network P_ω.
  public var perturbation: NetworkRecord
  /// The network Q_φ1.
  public var critic: NetworkRecord
  /// ρ.
  public var perturbationBound: Float
  /// n.
  public var actionCandidates: Int

  enum CodingKeys: String, CodingKey {
    case name
    case stateSize = "state_size"
    case actionSize = "action_size"
    case latentSize = "latent_size"
    case behaviorHidden = "behavior_hidden"
    case perturbation
    case critic
    case perturbationBound = "perturbation_bound"
    case actionCandidates = "action_candidates"
  }
}

/// The sizes and activations of a fully connected network.
public struct NetworkRecord: Sendable, Equatable, Codable {
  /// The number of inputs.
  public var inputs: Int
  /// The widths of the hidden layers.
  public var hidden: [Int]
  /// The number of outputs.
  public var outputs: Int
  /// `identity`, `relu`, `tanh` or `sigmoid`.
  public var hiddenActivation: String
  /// `identity`, `relu`, `tanh` or `sigmoid`.
  public var outputActivation: String

  enum CodingKeys: String, CodingKey {
    case inputs
    case hidden
    case outputs
    case hiddenActivation = "hidden_activation"
    case outputActivation = "output_activation"
  }
}
