/// What a user did with one item, as the state takes it in.
public struct Interaction: Sendable, Equatable {
  /// When it happened, in milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// When the request whose list the item stood in was decided, in milliseconds since 1970.
  public var requestTimeMilliseconds: Int64
  /// How long the item was played.
  public var playSeconds: Float
  /// min(play time / duration, 1).
  public var playIntegrity: Float
  /// One number a behavior, in the order of ``StateEncoder/behaviorNames`` [B′].
  public var behaviors: [Float]
  /// The topic or category of the item; nil if it is unknown.
  public var topic: String?

  /// An interaction: play time finite and at least 0, integrity in [0, 1].
  public init(
    timeMilliseconds: Int64, requestTimeMilliseconds: Int64, playSeconds: Float,
    playIntegrity: Float, behaviors: [Float], topic: String? = nil
  ) {
    precondition(
      playSeconds >= 0 && playSeconds.isFinite && playIntegrity >= 0 && playIntegrity <= 1,
      "play \(playSeconds) s, integrity \(playIntegrity): expected a finite time of at least 0 and "
        + "a share")
    self.timeMilliseconds = timeMilliseconds
    self.requestTimeMilliseconds = requestTimeMilliseconds
    self.playSeconds = playSeconds
    self.playIntegrity = playIntegrity
    self.behaviors = behaviors
    self.topic = topic
  }
}

/// What a service knows of one user: profile, history and running session, each updated in O(1).
///
/// Online and offline the same calls are made in the same order: ``record(_:using:)`` when feedback
/// is known, ``appendState(at:using:to:)`` at a request, ``recordRequest(at:impressions:)`` when
/// its list is shown. Feedback is *known* once its event time and its arrival time both lie before
/// the request; whoever holds a context hands over nothing earlier.
///
/// A session ends where a request comes more than the gap after all that the user is known to have
/// done. Feedback that becomes known in a later session goes into the history only.
public struct UserContext: Sendable, Equatable {
  /// The user's interactions.
  public private(set) var history: InteractionHistory
  /// The running session.
  public private(set) var session: SessionContext
  /// The encoded profile [P].
  public var profile: [Float]
  /// When the running session began, in milliseconds since 1970; nil before the first request.
  public private(set) var sessionStartMilliseconds: Int64?
  private var lastActivity: Int64?

  /// A user of whom nothing is known.
  public init(using encoder: StateEncoder) {
    history = encoder.emptyHistory()
    session = SessionContext(
      hourOfDay: 0, hoursSinceLastSession: nil, signalCount: encoder.signalCount)
    profile = encoder.missingProfile
  }

  /// Takes in an interaction that has become known.
  ///
  /// - Complexity: O(1): that of ``InteractionHistory/append(_:at:layout:)``.
  public mutating func record(_ interaction: Interaction, using encoder: StateEncoder) {
    history.append(
      encoder.packed(interaction), at: interaction.timeMilliseconds, layout: encoder.layout)
    if let start = sessionStartMilliseconds, interaction.requestTimeMilliseconds >= start {
      session.record(signals: encoder.signalValues(of: interaction))
    }
    lastActivity = max(lastActivity ?? .min, interaction.timeMilliseconds)
  }

  /// Appends the state of a request at a time in milliseconds since 1970 [S], and begins a session
  /// where the gap says so. A second call at the same time gives the same state.
  ///
  /// - Complexity: O(S).
  public mutating func appendState(
    at time: Int64, using encoder: StateEncoder, to states: inout [Float]
  ) {
    let features = encoder.definition.session
    let pause = lastActivity.map { time - $0 }
    let start: Int64
    if let running = sessionStartMilliseconds, (pause ?? 0) <= features.gapMilliseconds {
      start = running
    } else {
      start = time
      session = SessionContext(
        hourOfDay: 0, hoursSinceLastSession: pause.map { Float(Double($0) / 3_600_000) },
        signalCount: encoder.signalCount)
      sessionStartMilliseconds = time
      lastActivity = time
    }
    session.hourOfDay = features.hourOfDay(at: time)
    session.minutesSinceStart = Float(Double(max(time - start, 0)) / 60_000)
    encoder.encode(profile: profile, history: history, session: session, at: time, into: &states)
  }

  /// Takes in that a list was shown for a request at this time.
  public mutating func recordRequest(at time: Int64, impressions: Int) {
    session.recordRequest(impressions: impressions)
    lastActivity = max(lastActivity ?? .min, time)
  }
}

extension UserContext {
  /// The memory that the context takes, in bytes, without what the allocator adds.
  public var memoryBytes: Int {
    history.memoryBytes + 4 * (profile.count + session.signalSums.count)
      + MemoryLayout<UserContext>.size
  }

  func write(to writer: inout ByteWriter) {
    writer.write(sessionStartMilliseconds)
    writer.write(lastActivity)
    writer.write(profile.count, as: UInt32.self)
    for feature in profile { writer.write(feature) }
    session.write(to: &writer)
    history.write(to: &writer)
  }

  /// Reads what ``write(to:)`` wrote of a user of this encoder.
  init(_ reader: inout ByteReader, using encoder: StateEncoder) throws(StoredBytesError) {
    self.init(using: encoder)
    sessionStartMilliseconds = try reader.readOptionalTime("session.start")
    lastActivity = try reader.readOptionalTime("last_activity")
    _ = try reader.readCount("profile", in: encoder.profileSize...encoder.profileSize)
    for place in profile.indices { profile[place] = try reader.readFloat("profile") }
    session = try SessionContext(&reader, signalCount: encoder.signalCount)
    history = try InteractionHistory(&reader, encoder.layout)
  }
}
