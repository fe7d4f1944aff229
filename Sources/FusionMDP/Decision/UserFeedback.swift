/// A user's response to one impression.
///
/// `finished`, `skip` and play integrity follow from play time and duration, so that they cannot
/// contradict them.
public struct UserFeedback: Sendable, Equatable {
  /// An impression played for less than this many seconds counts as skipped.
  public static let skipSeconds: Float = 3

  /// How long the item was played.
  public var playSeconds: Float
  /// How long the item is; 0 if unknown.
  public var durationSeconds: Float
  /// The user played the item (or clicked it, where a click starts it).
  public var click: Bool
  /// The item was watched long for its duration.
  public var longView: Bool
  /// The user liked the item.
  public var like: Bool
  /// The user followed the author.
  public var follow: Bool
  /// The user wrote a comment.
  public var comment: Bool
  /// The user shared the item.
  public var forward: Bool
  /// The user said that such items are not wanted.
  public var hate: Bool
  /// The user opened the author's profile.
  public var profileEnter: Bool
  /// The user stayed in the comments.
  public var commentStay: Bool

  /// A response; behaviors not named did not happen. Times are finite and at least 0.
  public init(
    playSeconds: Float, durationSeconds: Float, click: Bool = false, longView: Bool = false,
    like: Bool = false, follow: Bool = false, comment: Bool = false, forward: Bool = false,
    hate: Bool = false, profileEnter: Bool = false, commentStay: Bool = false
  ) {
    precondition(
      playSeconds >= 0 && playSeconds.isFinite && durationSeconds >= 0 && durationSeconds.isFinite,
      "play \(playSeconds) s of \(durationSeconds) s: both must be finite and at least 0")
    self.playSeconds = playSeconds
    self.durationSeconds = durationSeconds
    self.click = click
    self.longView = longView
    self.like = like
    self.follow = follow
    self.comment = comment
    self.forward = forward
    self.hate = hate
    self.profileEnter = profileEnter
    self.commentStay = commentStay
  }

  /// min(play / duration, 1), and 0 where the duration is unknown.
  public var playIntegrity: Float {
    durationSeconds > 0 ? min(playSeconds / durationSeconds, 1) : 0
  }

  /// Played to the end or beyond; never where the duration is unknown.
  public var finished: Bool { durationSeconds > 0 && playSeconds >= durationSeconds }

  /// Played for less than `skipSeconds`.
  public var skip: Bool { playSeconds < Self.skipSeconds }

  /// The signals v [V] in the order of `FeedbackSignal`.
  public var signals: [Float] {
    [
      playSeconds / 60, playIntegrity, click ? 1 : 0, longView ? 1 : 0, like ? 1 : 0,
      follow ? 1 : 0, comment ? 1 : 0, forward ? 1 : 0, hate ? 1 : 0, profileEnter ? 1 : 0,
      commentStay ? 1 : 0, finished ? 1 : 0, skip ? 1 : 0,
    ]
  }

  /// The signals of one request: summed over the list that was shown.
  ///
  /// Shapes: l responses → [V].
  public static func summedSignals(_ responses: [UserFeedback]) -> [Float] {
    var sum = [Float](repeating: 0, count: FeedbackSignal.count)
    for response in responses {
      for (index, value) in response.signals.enumerated() { sum[index] += value }
    }
    return sum
  }
}
