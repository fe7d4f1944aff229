/// Fits what a ``StateDefinition`` leaves to the data: the mean that a missing number becomes, the
/// most frequent words of categories and topics.
///
/// Whoever fits hands over the training window only: the profile as of each decision before its
/// end, and the topics of the interactions known by then. What the definition gives already stays.
/// The scale of the features takes a second pass over the states, with ``StateMoments``.
public struct StateFit: Sendable {
  private let definition: StateDefinition
  private var sums: [Double]
  private var counts: [Int]
  private var words: [[String: Int]]
  private var topics: [String: Int] = [:]

  /// A fit on no data yet.
  public init(_ definition: StateDefinition) {
    self.definition = definition
    let columns = definition.profile.count
    sums = [Double](repeating: 0, count: columns)
    counts = [Int](repeating: 0, count: columns)
    words = [[String: Int]](repeating: [:], count: columns)
  }

  /// Adds the profile [columns] as of one decision.
  /// - Throws: `StateDefinitionError` for a word where a number is declared.
  public mutating func add(profile: [ProfileValue]) throws(StateDefinitionError) {
    for (column, feature) in definition.profile.enumerated() where !feature.isFitted {
      if feature.type == .category {
        if let word = ProfileFeature.word(of: profile[column]) {
          words[column][word, default: 0] += 1
        }
      } else if let number = try feature.transformed(profile[column]) {
        sums[column] += Double(number)
        counts[column] += 1
      }
    }
  }

  /// Adds the topic of one interaction.
  public mutating func add(topic: String?) {
    guard let topic, definition.history.topics?.top != nil else { return }
    topics[topic, default: 0] += 1
  }

  /// The definition with what was fitted: a mean over no value is 0.
  public var fitted: StateDefinition {
    var result = definition
    for (column, feature) in definition.profile.enumerated() where !feature.isFitted {
      if feature.type == .category {
        result.profile[column].values = Self.mostFrequent(words[column], feature.top ?? 0)
      } else {
        let count = counts[column]
        result.profile[column].mean = count > 0 ? Float(sums[column] / Double(count)) : 0
      }
    }
    if let declared = definition.history.topics, declared.values == nil, let top = declared.top {
      result.history.topics?.values = Self.mostFrequent(topics, top)
    }
    return result
  }

  /// The most frequent words, ties in the order of the words.
  private static func mostFrequent(_ counts: [String: Int], _ top: Int) -> [String] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(top).map(\.key)
  }
}
