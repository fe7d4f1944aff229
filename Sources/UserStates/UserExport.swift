public import Foundation
internal import FusionMDP

/// All that is kept of one user, for the user to read.
public struct UserExport: Sendable, Equatable, Codable {
  /// One of the latest interactions.
  public struct KeptInteraction: Sendable, Equatable, Codable {
    /// The behaviors that it had.
    public var behaviors: [String]
    /// min(play time / duration, 1).
    public var playIntegrity: Float
    /// The play time, to about 1/4096 of it.
    public var playSeconds: Float
    /// The topic; absent where it is not kept.
    public var topic: String?
    /// When it happened, in seconds since 1970; absent where the state keeps no times.
    public var timeSeconds: Int64?
  }

  /// The running session.
  public struct Session: Sendable, Equatable, Codable {
    /// When it began, in milliseconds since 1970.
    public var startMs: Int64?
    /// Requests.
    public var requests: Int
    /// Items shown.
    public var impressions: Int
    /// Feedback summed, by signal.
    public var signals: [String: Float]
    /// Hours from the end of the session before; absent in the first.
    public var hoursSinceLast: Float?
  }

  /// The version of this layout, 1.
  public var schema: Int
  /// The user.
  public var userId: String
  /// The latest change, in milliseconds since 1970.
  public var lastActivityMs: Int64
  /// The encoded profile, by feature.
  public var profile: [String: Float]
  /// How many interactions there ever were.
  public var interactionCount: Int
  /// The latest event time, in milliseconds since 1970.
  public var latestInteractionMs: Int64?
  /// The kept interactions, from the oldest to the latest.
  public var interactions: [KeptInteraction]
  /// The running session.
  public var session: Session
  /// The 64-bit hashes of the latest feedback events' names, in hexadecimal digits.
  public var eventHashes: [String]
  /// The state of a request at `lastActivityMs`, by feature.
  public var state: [String: Float]

  init(_ user: String, _ record: UserRecord, _ encoder: StateEncoder) {
    var context = record.context
    schema = 1
    userId = user
    lastActivityMs = record.lastActivity
    profile = Self.named(encoder.names.prefix(encoder.profileSize), context.profile[...])
    interactionCount = context.history.totalCount
    latestInteractionMs = context.history.latestMilliseconds
    interactions = context.keptInteractions(using: encoder).map { kept in
      KeptInteraction(
        behaviors: kept.behaviors, playIntegrity: kept.playIntegrity,
        playSeconds: kept.playMilliseconds.map { Float(Double($0) / 1000) }
          ?? kept.roughPlaySeconds,
        topic: kept.topic, timeSeconds: kept.timeSeconds)
    }
    session = Session(
      startMs: context.sessionStartMilliseconds, requests: context.session.requestsSoFar,
      impressions: context.session.impressionsSoFar,
      signals: Self.named(
        encoder.definition.session.signals[...], context.session.signalSums[...]),
      hoursSinceLast: context.session.hoursSinceLastSession)
    eventHashes = record.events.ordered.map { String($0, radix: 16) }
    var features: [Float] = []
    context.appendState(at: record.lastActivity, using: encoder, to: &features)
    state = Self.named(encoder.names[...], features[...])
  }

  /// The export as JSON: keys in snake case and in order, a line each.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(self)
  }

  private static func named(
    _ names: ArraySlice<String>, _ values: ArraySlice<Float>
  ) -> [String: Float] {
    Dictionary(zip(names, values)) { first, _ in first }
  }
}
