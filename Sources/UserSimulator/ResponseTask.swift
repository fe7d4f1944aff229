/// The tasks that a response answers, numbered as in `TaskSchema.standard`.
///
/// The twelfth task, watch time, is no yes-or-no answer: its column holds the mean of
/// log(1 + seconds) in the answering model's rows and expected seconds in the ranker's.
package enum ResponseTask: Int, CaseIterable, Sendable, Codable {
  case click, longView, like, follow, comment, forward, hate, profileEnter, commentStay, finished,
    skip

  /// The number of columns of a row, watch time included: K.
  package static let columns = 12
  /// The column of watch time.
  package static let watchTimeColumn = 11

  /// The behaviors that follow from how long the video plays.
  package static let play: [ResponseTask] = [.skip, .click, .longView, .finished]

  /// The behaviors that a user adds to a play, rare all of them.
  package static let added: [ResponseTask] = [
    .like, .follow, .comment, .forward, .hate, .profileEnter, .commentStay,
  ]

  /// Whether the behavior follows from how long the video plays.
  package var isPlay: Bool {
    switch self {
    case .skip, .click, .longView, .finished: true
    default: false
    }
  }
}
