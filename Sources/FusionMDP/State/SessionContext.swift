/// What the state knows of the running session and the moment of the request.
public struct SessionContext: Sendable, Equatable {
  /// Requests of this session before this one.
  public private(set) var requestsSoFar: Int
  /// Items shown in this session so far.
  public private(set) var impressionsSoFar: Int
  /// The feedback signals [V] summed over this session so far.
  public private(set) var signalSums: [Float]
  /// Local hour of the day in [0, 24], fractions included.
  public var hourOfDay: Float
  /// Minutes since the session's first request.
  public var minutesSinceStart: Float = 0
  /// Hours from the end of the user's last session to the start of this one; nil in the first.
  public var hoursSinceLastSession: Float?

  /// The context of a session's first request.
  public init(
    hourOfDay: Float, hoursSinceLastSession: Float?, signalCount: Int = FeedbackSignal.count
  ) {
    requestsSoFar = 0
    impressionsSoFar = 0
    signalSums = [Float](repeating: 0, count: signalCount)
    self.hourOfDay = hourOfDay
    self.hoursSinceLastSession = hoursSinceLastSession
  }

  /// Adds an answered request: its signals summed over the shown list [V], and the list's length.
  public mutating func record(signals: [Float], impressions: Int) {
    recordRequest(impressions: impressions)
    record(signals: signals)
  }

  /// Adds a request whose feedback comes later.
  public mutating func recordRequest(impressions: Int) {
    precondition(impressions >= 0, "\(impressions) impressions")
    requestsSoFar += 1
    impressionsSoFar += impressions
  }

  /// Adds the signals [V] of feedback on a request of this session.
  public mutating func record(signals: [Float]) {
    precondition(
      signals.count == signalSums.count, "\(signals.count) signals, \(signalSums.count) expected")
    for index in signals.indices { signalSums[index] += signals[index] }
  }
}

extension SessionContext {
  func write(to writer: inout ByteWriter) {
    writer.write(UInt64(requestsSoFar))
    writer.write(UInt64(impressionsSoFar))
    writer.write(hourOfDay)
    writer.write(minutesSinceStart)
    writer.write(UInt8(hoursSinceLastSession == nil ? 0 : 1))
    if let hoursSinceLastSession { writer.write(hoursSinceLastSession) }
    writer.write(signalSums.count, as: UInt32.self)
    for sum in signalSums { writer.write(sum) }
  }

  /// Reads what ``write(to:)`` wrote of a session with so many signals.
  init(_ reader: inout ByteReader, signalCount: Int) throws(StoredBytesError) {
    let requests = try reader.readTotal("session.requests")
    let impressions = try reader.readTotal("session.impressions")
    let hourOfDay = try reader.readFloat("session.hour_of_day")
    let minutes = try reader.readFloat("session.minutes")
    let isLater = try reader.readPresence("session.hours_since_last")
    self.init(
      hourOfDay: hourOfDay,
      hoursSinceLastSession: isLater ? try reader.readFloat("session.hours_since_last") : nil,
      signalCount: signalCount)
    requestsSoFar = requests
    impressionsSoFar = impressions
    minutesSinceStart = minutes
    _ = try reader.readCount("session.signals", in: signalCount...signalCount)
    for place in signalSums.indices {
      signalSums[place] = try reader.readFloat("session.signals")
    }
  }
}
