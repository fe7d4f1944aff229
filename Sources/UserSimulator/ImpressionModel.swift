/// What two models say of one user and every video.
///
/// Shapes: [V·K], video after video, columns as in `TaskSchema.standard`.
package struct ImpressionRow: Sendable, Equatable {
  /// What the ranker's model predicts: probabilities, and expected seconds of watch time.
  package var scores: [Float]
  /// What the answering model holds true before the effects that no model sees: probabilities, and
  /// in the last column the mean of log(1 + watch seconds).
  package var responses: [Float]

  /// A row of one user.
  package init(scores: [Float], responses: [Float]) {
    self.scores = scores
    self.responses = responses
  }

  /// Checks the row of one user.
  ///
  /// - Throws: `PlatformError.count` or `.impression` for the first value out of range.
  func check(user: Int, videoCount: Int) throws(PlatformError) {
    let columns = ResponseTask.columns
    for (values, field) in [(scores, "score"), (responses, "response")] {
      guard values.count == videoCount * columns else {
        throw .count(
          what: "\(field)s of user \(user)", expected: videoCount * columns, found: values.count)
      }
      for (index, value) in values.enumerated() {
        let isTime = index % columns == ResponseTask.watchTimeColumn
        guard value >= 0, value.isFinite, isTime || value <= 1 else {
          throw .impression(
            user: user, video: index / columns, field: "\(field) of task \(index % columns)",
            expected: isTime ? "a finite number, at least 0" : "a probability in [0, 1]",
            found: "\(value)")
        }
      }
    }
  }
}

/// The two models behind a platform: the ranker's, which predicts, and the answering one.
///
/// They are never the same model: a platform whose ranker knows the truth would flatter every
/// policy. Rows are asked for once a user and run, so they may be computed on demand.
package protocol ImpressionModel: Sendable {
  /// The number of users, U.
  var userCount: Int { get }
  /// The number of videos, V.
  var videoCount: Int { get }
  /// The row of one user; the same whenever asked.
  func row(user: Int) -> ImpressionRow
}

/// Rows held in memory: 96 bytes a user and video.
package struct ImpressionTable: ImpressionModel {
  /// The rows [U].
  package let rows: [ImpressionRow]
  /// The number of videos, V.
  package let videoCount: Int

  /// A table of checked rows.
  ///
  /// - Throws: `PlatformError` for the first row, column or value out of range.
  package init(rows: [ImpressionRow], videoCount: Int) throws(PlatformError) {
    for (user, row) in rows.enumerated() { try row.check(user: user, videoCount: videoCount) }
    self.rows = rows
    self.videoCount = videoCount
  }

  /// The number of users, U.
  package var userCount: Int { rows.count }

  /// The row of one user.
  package func row(user: Int) -> ImpressionRow { rows[user] }
}
