/// What a user's response to one impression is counted in: the V = 13 parts of v (paper, eq. 2).
///
/// The order of the cases is the order of every `signals` vector and of the `feedback` tensor.
public enum FeedbackSignal: String, CaseIterable, Sendable, Codable {
  /// Play time in minutes.
  case playMinutes = "play_minutes"
  /// min(play time / duration, 1).
  case playIntegrity = "play_integrity"
  case click
  case longView = "long_view"
  case like
  case follow
  case comment
  case forward
  case hate
  case profileEnter = "profile_enter"
  case commentStay = "comment_stay"
  /// Played to the end or beyond.
  case finished
  /// Played for less than 3 seconds.
  case skip

  /// Which of the paper's two goals a signal speaks of.
  public enum Part: String, CaseIterable, Sendable, Codable {
    /// The user stays: time, integrity and the behaviors derived from them.
    case stickiness
    /// The user acts: interactions.
    case activeness
  }

  /// The number of signals, V.
  public static let count = allCases.count

  /// The position in a `signals` vector.
  public var index: Int {
    switch self {
    case .playMinutes: 0
    case .playIntegrity: 1
    case .click: 2
    case .longView: 3
    case .like: 4
    case .follow: 5
    case .comment: 6
    case .forward: 7
    case .hate: 8
    case .profileEnter: 9
    case .commentStay: 10
    case .finished: 11
    case .skip: 12
    }
  }

  /// The goal that the signal belongs to.
  public var part: Part {
    switch self {
    case .playMinutes, .playIntegrity, .click, .longView, .finished, .skip: .stickiness
    case .like, .follow, .comment, .forward, .hate, .profileEnter, .commentStay: .activeness
    }
  }
}
