/// What the state knows of the running session and the moment of the request.
public struct SessionContext: Sendable, Equatable {
  /// Requests that were answered in this session before this one.
  public private(set) var requestsSoFar: Int
  /// Items shown in this session so far.
  public private(set) var impressionsSoFar: Int
  /// The feedback signals [V] summed over this session so far.
  public private(set) var signalSums: [Float]
  /// Local hour of the day in [0, 24), fractions included.
  public var hourOfDay: Float
  /// Hours from the end of the user's last session to the start of this one; nil in the first.
  public var hoursSinceLastSession: Float?

  /// The context of a session's first request.
  public init(hourOfDay: Float, hoursSinceLastSession: Float?) {
    requestsSoFar = 0
    impressionsSoFar = 0
    signalSums = [Float](repeating: 0, count: FeedbackSignal.count)
    self.hourOfDay = hourOfDay
    self.hoursSinceLastSession = hoursSinceLastSession
  }

  /// Adds an answered request: its signals summed over the shown list [V], and the list's length.
  public mutating func record(signals: [Float], impressions: Int) {
    precondition(
      signals.count == FeedbackSignal.count && impressions >= 0,
      "\(signals.count) signals over \(impressions) impressions")
    requestsSoFar += 1
    impressionsSoFar += impressions
    for index in signals.indices { signalSums[index] += signals[index] }
  }
}
