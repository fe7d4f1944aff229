public import FusionMDP

/// What the user did with one item of a shown list.
public struct FeedbackEvent: Sendable, Equatable {
  /// The request whose list the item stood in.
  public var requestID: String
  /// The user of that request.
  public var userID: String
  /// The item.
  public var itemID: String
  /// The item's rank in the list, from 0.
  public var position: Int
  /// When it happened (the end of playing), in milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// When the service learned of it, in milliseconds since 1970.
  public var arrivalTimeMilliseconds: Int64
  /// How long the item was played.
  public var playTimeSeconds: Float
  /// How long the item is; 0 if unknown.
  public var durationSeconds: Float
  /// One number a behavior of the schema, in its order.
  public var behaviors: [Float]

  /// A response with one number a declared behavior.
  public init(
    requestID: String, userID: String, itemID: String, position: Int, timeMilliseconds: Int64,
    arrivalTimeMilliseconds: Int64, playTimeSeconds: Float, durationSeconds: Float,
    behaviors: [Float]
  ) {
    self.requestID = requestID
    self.userID = userID
    self.itemID = itemID
    self.position = position
    self.timeMilliseconds = timeMilliseconds
    self.arrivalTimeMilliseconds = arrivalTimeMilliseconds
    self.playTimeSeconds = playTimeSeconds
    self.durationSeconds = durationSeconds
    self.behaviors = behaviors
  }

  /// A response of the domain, its behaviors in the order of ``LogSchema/standardBehaviors``.
  public init(
    requestID: String, userID: String, itemID: String, position: Int, timeMilliseconds: Int64,
    arrivalTimeMilliseconds: Int64, feedback: UserFeedback
  ) {
    self.init(
      requestID: requestID, userID: userID, itemID: itemID, position: position,
      timeMilliseconds: timeMilliseconds, arrivalTimeMilliseconds: arrivalTimeMilliseconds,
      playTimeSeconds: feedback.playSeconds, durationSeconds: feedback.durationSeconds,
      behaviors: Array(feedback.signals.dropFirst(2)))
  }

  /// The fields that every line has before its behaviors.
  static let fixedFieldNames = [
    "request_id", "user_id", "item_id", "position", "time_ms", "arrival_time_ms",
    "play_time_seconds", "duration_seconds",
  ]
}
