extension SatisfactionReward: Codable {
  /// A signal's weight as a file holds it: a number, or an object with a transform.
  private struct Entry: Codable {
    /// Any key that a file may hold.
    private struct AnyKey: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    var weight: Float
    var transform: SignalTransform?

    enum CodingKeys: String, CodingKey {
      case weight, lower, upper
      case logScale = "log"
    }

    init(weight: Float, transform: SignalTransform?) {
      self.weight = weight
      self.transform = transform
    }

    init(from decoder: any Decoder) throws {
      guard let container = try? decoder.container(keyedBy: CodingKeys.self) else {
        weight = try decoder.singleValueContainer().decode(Float.self)
        return
      }
      let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
      if let unknown = given.sorted().first(where: { CodingKeys(stringValue: $0) == nil }) {
        throw DecodingError.dataCorruptedError(
          forKey: .weight, in: container,
          debugDescription: "unknown key '\(unknown)'; expected weight, lower, upper, log")
      }
      weight = try container.decode(Float.self, forKey: .weight)
      let lower = try container.decodeIfPresent(Float.self, forKey: .lower)
      let upper = try container.decodeIfPresent(Float.self, forKey: .upper)
      let logScale = try container.decodeIfPresent(Float.self, forKey: .logScale)
      if let problem = SignalTransform.problem(lower: lower, upper: upper, logScale: logScale) {
        throw DecodingError.dataCorrupted(
          DecodingError.Context(codingPath: decoder.codingPath, debugDescription: problem))
      }
      if lower != nil || upper != nil || logScale != nil {
        transform = SignalTransform(lower: lower, upper: upper, logScale: logScale)
      }
    }

    func encode(to encoder: any Encoder) throws {
      guard let transform else {
        var container = encoder.singleValueContainer()
        return try container.encode(weight)
      }
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(weight, forKey: .weight)
      try container.encodeIfPresent(transform.lower, forKey: .lower)
      try container.encodeIfPresent(transform.upper, forKey: .upper)
      try container.encodeIfPresent(transform.logScale, forKey: .logScale)
    }
  }

  /// Reads an object of weights by signal name; signals left out weigh nothing. A weight is a
  /// number, or an object of `weight` and any of `lower`, `upper` and `log`.
  ///
  /// - Throws: `DecodingError` for an unknown signal, a weight that is not finite or a transform
  ///   that cannot be.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    var weights: [FeedbackSignal: Float] = [:]
    var transforms: [FeedbackSignal: SignalTransform] = [:]
    var playQuantile: Float?
    for (name, entry) in try container.decode([String: Entry].self) {
      guard entry.weight.isFinite else {
        throw DecodingError.dataCorruptedError(
          in: container,
          debugDescription:
            "reward weight of \"\(name)\": expected a number, found \(entry.weight)")
      }
      if let signal = FeedbackSignal(rawValue: name) {
        weights[signal] = entry.weight
        transforms[signal] = entry.transform
      } else if name == Self.playQuantileName, entry.transform == nil {
        playQuantile = entry.weight
      } else if name == Self.playQuantileName {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "reward weights: \"\(name)\" takes a weight alone")
      } else {
        throw DecodingError.dataCorruptedError(
          in: container,
          debugDescription: "reward weights: unknown feedback signal \"\(name)\"")
      }
    }
    self.init(weights: weights, transforms: transforms, playQuantileWeight: playQuantile)
  }

  /// Writes an object of the weights by signal name.
  public func encode(to encoder: any Encoder) throws {
    var entries: [String: Entry] = [:]
    for signal in FeedbackSignal.allCases {
      entries[signal.rawValue] = Entry(
        weight: self[signal], transform: transforms[signal.index])
    }
    if let playQuantileWeight {
      entries[Self.playQuantileName] = Entry(weight: playQuantileWeight, transform: nil)
    }
    var container = encoder.singleValueContainer()
    try container.encode(entries)
  }
}
