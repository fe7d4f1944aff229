/// What is kept of an interaction, unpacked for people.
public struct KeptInteraction: Sendable, Equatable {
  /// The behaviors that it had.
  public let behaviors: [String]
  /// min(play time / duration, 1), in steps of 1/60,000.
  public let playIntegrity: Float
  /// exp(L) − 1 of the kept logarithm L = log(1 + play seconds), which has steps of 1/4096.
  public let roughPlaySeconds: Float
  /// The topic, or `other`, or `#3` for a bucket; nil where it is unknown or not kept.
  public let topic: String?
  /// The play time in milliseconds; nil where the definition keeps no times.
  public let playMilliseconds: Int64?
  /// When it happened, in seconds since 1970; nil where the definition keeps no times.
  public let timeSeconds: Int64?
}

extension UserContext {
  /// The kept interactions from the oldest to the latest.
  ///
  /// - Complexity: O(kept interactions).
  public func keptInteractions(using encoder: StateEncoder) -> [KeptInteraction] {
    let declared = encoder.definition.history
    let keepsTimes = encoder.layout.keepsTimes
    return history.words(encoder.layout).map { word, times in
      let integrity = Float(word >> 16 & 0xFFFF) / PackedInteraction.integrityScale
      let logWatch = Float(word >> 32 & 0xFFFF) / PackedInteraction.logScale
      return KeptInteraction(
        behaviors: declared.behaviors.enumerated()
          .filter { word >> UInt64($0.offset) & 1 == 1 }.map(\.element),
        playIntegrity: integrity, roughPlaySeconds: exponential(logWatch) - 1,
        topic: PackedInteraction.topic(of: word).flatMap { declared.topics?.word(at: $0) },
        playMilliseconds: keepsTimes ? Int64(times & 0xFFFF_FFFF) : nil,
        timeSeconds: keepsTimes ? Int64(times >> 32) : nil)
    }
  }
}

extension HistoryFeatures.Topics {
  /// What the topic of this index is called.
  fileprivate func word(at index: Int) -> String {
    if buckets != nil { return "#\(index)" }
    let words = values ?? []
    return index < words.count ? words[index] : "other"
  }
}
