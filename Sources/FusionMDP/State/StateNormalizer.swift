/// Scales states to mean 0 and deviation 1 a feature, clipped to ±5, with the statistics of the
/// training data.
///
///     normalized = clip((s − mean) / deviation, ±5)
///
/// Shapes: `mean`, `deviation` [S].
public struct StateNormalizer: Sendable, Equatable {
  /// Normalized features lie within ± this.
  public static let clip: Float = 5

  /// The mean of each feature [S].
  public let mean: [Float]
  /// The standard deviation of each feature [S]; 1 for a feature that does not vary.
  public let deviation: [Float]

  /// A normalizer with known statistics; deviations are finite and above 0.
  public init(mean: [Float], deviation: [Float]) {
    precondition(
      mean.count == deviation.count, "\(mean.count) means and \(deviation.count) deviations")
    for index in mean.indices {
      precondition(
        mean[index].isFinite && deviation[index].isFinite && deviation[index] > 0,
        "feature \(index): mean \(mean[index]), deviation \(deviation[index])")
    }
    self.mean = mean
    self.deviation = deviation
  }

  /// The normalizer that changes nothing but clips.
  public static func identity(stateSize: Int) -> StateNormalizer {
    StateNormalizer(
      mean: [Float](repeating: 0, count: stateSize),
      deviation: [Float](repeating: 1, count: stateSize))
  }

  /// The statistics of all states of a source, one pass, accumulated in `Double` (Welford).
  public static func fit(on source: some TransitionSource) -> StateNormalizer {
    var moments = StateMoments(stateSize: source.stateSize)
    var start = 0
    while start < source.transitionCount {
      let end = min(start + 4096, source.transitionCount)
      moments.add(source.batch(at: Array(start..<end)).states)
      start = end
    }
    return moments.normalizer
  }

  /// The size of a state, S.
  public var stateSize: Int { mean.count }

  /// Normalized states.
  ///
  /// Shapes: [B·S] → [B·S].
  public func normalized(_ states: [Float]) -> [Float] {
    let width = stateSize
    precondition(
      width > 0 && states.count.isMultiple(of: width),
      "\(states.count) numbers do not divide into states of \(width)")
    var result = states
    for row in stride(from: 0, to: states.count, by: width) {
      for feature in 0..<width {
        let value = (states[row + feature] - mean[feature]) / deviation[feature]
        result[row + feature] = min(max(value, -Self.clip), Self.clip)
      }
    }
    return result
  }
}

/// The running mean and spread of states, one pass, accumulated in `Double` (Welford).
public struct StateMoments: Sendable {
  private var mean: [Double]
  private var squares: [Double]
  private var count = 0.0

  /// The moments of no state.
  public init(stateSize: Int) {
    mean = [Double](repeating: 0, count: stateSize)
    squares = mean
  }

  /// Adds states.
  ///
  /// Shapes: [B·S].
  public mutating func add(_ states: [Float]) {
    let width = mean.count
    precondition(
      width > 0 && states.count.isMultiple(of: width),
      "\(states.count) numbers do not divide into states of \(width)")
    for row in stride(from: 0, to: states.count, by: width) {
      count += 1
      for feature in 0..<width {
        let value = Double(states[row + feature])
        let difference = value - mean[feature]
        mean[feature] += difference / count
        squares[feature] += difference * (value - mean[feature])
      }
    }
  }

  /// What scales the states that were added; changes nothing but clips where there were none.
  public var normalizer: StateNormalizer {
    let deviation = squares.map { sum in
      let value = count > 0 ? (sum / count).squareRoot() : 0
      return value > 1e-6 ? Float(value) : 1
    }
    return StateNormalizer(mean: mean.map { Float($0) }, deviation: deviation)
  }
}

extension StateNormalizer: Codable {
  private enum CodingKeys: String, CodingKey {
    case mean
    case deviation
  }

  /// Reads statistics and checks them.
  ///
  /// - Throws: `DecodingError` if the lengths differ, or a statistic is not usable.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let mean = try container.decode([Float].self, forKey: .mean)
    let deviation = try container.decode([Float].self, forKey: .deviation)
    guard mean.count == deviation.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .deviation, in: container,
        debugDescription: "\(mean.count) means and \(deviation.count) deviations")
    }
    for index in mean.indices
    where !(mean[index].isFinite && deviation[index].isFinite && deviation[index] > 0) {
      throw DecodingError.dataCorruptedError(
        forKey: .deviation, in: container,
        debugDescription: """
          feature \(index): expected a finite mean and a deviation above 0, \
          found \(mean[index]) and \(deviation[index])
          """)
    }
    self.init(mean: mean, deviation: deviation)
  }

  /// Writes the statistics.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(mean, forKey: .mean)
    try container.encode(deviation, forKey: .deviation)
  }
}
