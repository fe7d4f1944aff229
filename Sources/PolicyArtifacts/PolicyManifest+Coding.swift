package import FusionMDP

extension PolicyRecord: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
    case name
    case network
    case batchConstrained = "batch_constrained"
  }

  private enum Kind: String, Codable {
    case fixedWeights = "fixed_weights"
    case network
    case batchConstrained = "batch_constrained"
  }

  /// Reads the kind, then what belongs to it.
  ///
  /// - Throws: `DecodingError` for an unknown kind or a missing part.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .fixedWeights:
      self = .fixedWeights(name: try container.decode(String.self, forKey: .name))
    case .network:
      self = .network(
        name: try container.decode(String.self, forKey: .name),
        network: try container.decode(NetworkRecord.self, forKey: .network))
    case .batchConstrained:
      self = .batchConstrained(
        try container.decode(BatchConstrainedRecord.self, forKey: .batchConstrained))
    }
  }

  /// Writes the kind and what belongs to it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .fixedWeights(let name):
      try container.encode(Kind.fixedWeights, forKey: .kind)
      try container.encode(name, forKey: .name)
    case .network(let name, let network):
      try container.encode(Kind.network, forKey: .kind)
      try container.encode(name, forKey: .name)
      try container.encode(network, forKey: .network)
    case .batchConstrained(let record):
      try container.encode(Kind.batchConstrained, forKey: .kind)
      try container.encode(record, forKey: .batchConstrained)
    }
  }
}

/// A fusion definition as files hold it; the domain type knows no file format.
package struct FusionRecord: Codable, Sendable {
  /// A task with its weight's bounds.
  package struct Task: Codable, Sendable {
    var name: String
    var domain: String
    var polarity: String
    var lower: Float
    var upper: Float
    var bias: Float?
  }

  /// The formula's name.
  package enum Formula: String, Codable, Sendable {
    case logSum = "log_sum"
    case weightedSum = "weighted_sum"
    case powerProduct = "power_product"
  }

  var formula: Formula
  /// The tasks in the order of the weights.
  package var tasks: [Task]

  init(_ fusion: FusionDefinition) {
    formula =
      switch fusion.formula {
      case .logSum: .logSum
      case .weightedSum: .weightedSum
      case .powerProduct: .powerProduct
      }
    tasks = fusion.schema.tasks.enumerated().map { index, task in
      Task(
        name: task.name, domain: task.domain.rawValue, polarity: task.polarity.rawValue,
        lower: fusion.bounds.lower[index], upper: fusion.bounds.upper[index],
        bias: fusion.formula.biases?[index])
    }
  }

  /// The definition, checked.
  ///
  /// - Throws: `FusionError`.
  package func definition() throws(FusionError) -> FusionDefinition {
    var checked: [BehaviorTask] = []
    for task in tasks {
      guard let domain = BehaviorTask.Domain(rawValue: task.domain) else {
        throw .invalidSchema("task \"\(task.name)\" has the unknown domain \"\(task.domain)\"")
      }
      guard let polarity = BehaviorTask.Polarity(rawValue: task.polarity) else {
        throw .invalidSchema("task \"\(task.name)\" has the unknown polarity \"\(task.polarity)\"")
      }
      checked.append(BehaviorTask(name: task.name, domain: domain, polarity: polarity))
    }
    let schema = try TaskSchema(checked)
    let biases = tasks.compactMap(\.bias)
    let kind: FusionFormula =
      switch formula {
      case .logSum: .logSum(biases: biases)
      case .weightedSum: .weightedSum
      case .powerProduct: .powerProduct(biases: biases)
      }
    let bounds = try FusionWeightBounds(
      lower: tasks.map(\.lower), upper: tasks.map(\.upper), schema: schema)
    return try FusionDefinition(schema: schema, formula: kind, bounds: bounds)
  }
}

extension PolicyManifest: Codable {
  enum CodingKeys: String, CodingKey {
    case format
    case formatVersion = "format_version"
    case policy
    case algorithm
    case configuration
    case fusion
    case stateEncoder = "state_encoder"
    case normalizer
    case reward
    case dataWindow = "data_window"
    case seed
    case revision
    case evaluation
    case files
  }

  private enum EncoderKeys: String, CodingKey {
    case profileNames = "profile_names"
    case definition
    case names
  }

  /// Reads a manifest, without judging its format and version.
  ///
  /// - Throws: `DecodingError` or `FusionError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    policy = try container.decode(PolicyRecord.self, forKey: .policy)
    algorithm = try container.decode(String.self, forKey: .algorithm)
    configuration = try container.decode(ConfigurationValue.self, forKey: .configuration)
    do {
      fusion = try container.decode(FusionRecord.self, forKey: .fusion).definition()
    } catch let error as FusionError {
      throw DecodingError.dataCorruptedError(
        forKey: .fusion, in: container, debugDescription: error.description)
    }
    stateEncoder = try Self.decodeEncoder(container)
    normalizer = try container.decodeIfPresent(StateNormalizer.self, forKey: .normalizer)
    reward = try container.decodeIfPresent(SatisfactionReward.self, forKey: .reward)
    dataWindow = try container.decodeIfPresent(DataWindow.self, forKey: .dataWindow)
    seed = try container.decode(UInt64.self, forKey: .seed)
    revision = try container.decode(String.self, forKey: .revision)
    evaluation = try container.decode([EvaluationRecord].self, forKey: .evaluation)
    files = try container.decode([String: FileRecord].self, forKey: .files)
  }

  /// The platform's encoder is named by its profile features, any other by its definition; the names
  /// of the whole state stand beside them for people, and tell when a program would build another
  /// state of the same profile.
  private static func decodeEncoder(
    _ container: KeyedDecodingContainer<CodingKeys>
  ) throws -> StateEncoder? {
    guard container.contains(.stateEncoder), try !container.decodeNil(forKey: .stateEncoder) else {
      return nil
    }
    let nested = try container.nestedContainer(keyedBy: EncoderKeys.self, forKey: .stateEncoder)
    let encoder =
      try nested.decodeIfPresent(StateEncoder.self, forKey: .definition)
      ?? StateEncoder(profileNames: try nested.decode([String].self, forKey: .profileNames))
    let names = try nested.decode([String].self, forKey: .names)
    guard names == encoder.names else {
      throw DecodingError.dataCorruptedError(
        forKey: .names, in: nested,
        debugDescription: """
          this program builds a state of \(encoder.names.count) features, the policy reads \
          another of \(names.count)
          """)
    }
    return encoder
  }

  /// Writes the manifest with its format and version.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.format, forKey: .format)
    try container.encode(Self.formatVersion, forKey: .formatVersion)
    try container.encode(policy, forKey: .policy)
    try container.encode(algorithm, forKey: .algorithm)
    try container.encode(configuration, forKey: .configuration)
    try container.encode(FusionRecord(fusion), forKey: .fusion)
    if let stateEncoder {
      var nested = container.nestedContainer(keyedBy: EncoderKeys.self, forKey: .stateEncoder)
      if let profileNames = stateEncoder.platformProfileNames {
        try nested.encode(profileNames, forKey: .profileNames)
      } else {
        try nested.encode(stateEncoder.definition, forKey: .definition)
      }
      try nested.encode(stateEncoder.names, forKey: .names)
    }
    try container.encodeIfPresent(normalizer, forKey: .normalizer)
    try container.encodeIfPresent(reward, forKey: .reward)
    try container.encodeIfPresent(dataWindow, forKey: .dataWindow)
    try container.encode(seed, forKey: .seed)
    try container.encode(revision, forKey: .revision)
    try container.encode(evaluation, forKey: .evaluation)
    try container.encode(files, forKey: .files)
  }
}
