/// The constants of a platform that were fitted to the anchors.
///
/// Arrays over tasks follow `ResponseTask`, arrays over types `Assumptions.types`.
package struct PlatformFit: Sendable, Equatable, Codable {
  /// What is added to every response's log odds, a task.
  package var intercepts: [Double]
  /// The standard deviation between users of the effect that no model sees, a task.
  package var userDeviations: [Double]
  /// The standard deviation between videos of the effect that no model sees, a task.
  package var videoDeviations: [Double]
  /// Correlation of each added behavior's latent with the play latent (`ResponseTask.added`).
  package var playCorrelations: [Double]
  /// Mean of a list's raw satisfaction under the reference policy, a type.
  package var satisfactionMeans: [Double]
  /// Standard deviation of a list's raw satisfaction under the reference policy, a type.
  package var satisfactionDeviations: [Double]
  /// Log odds of leaving after a request, of a user at the mean.
  package var exitIntercept: Double
  /// Seconds that a list takes under the reference policy, geometric mean.
  package var listSeconds: Double
  /// Mean of the log of (gap to the next request / seconds that the list took).
  package var gapLocation: Double
  /// Standard deviation of that log.
  package var gapDeviation: Double
  /// What is added to the log of every gap to the next session.
  package var returnLocation: Double
  /// Standard deviation of the log of gaps to the next session within a user.
  package var returnDeviation: Double
  /// How active each local hour is for returns [24]; sessions spread it to the hours that follow.
  package var arrivalShares: [Double]

  /// Where fitting starts: no effects, round numbers near the anchors.
  package static func start(types: Int) -> PlatformFit {
    let tasks = ResponseTask.allCases.count
    return PlatformFit(
      intercepts: [Double](repeating: 0, count: tasks),
      userDeviations: [Double](repeating: 0, count: tasks),
      videoDeviations: [Double](repeating: 0, count: tasks),
      playCorrelations: [0.4, 0.4, 0.6, 0.4, 0, 0.6, 0.7],
      satisfactionMeans: [Double](repeating: 0, count: types),
      satisfactionDeviations: [Double](repeating: 0.4, count: types),
      exitIntercept: -2.5, listSeconds: 80, gapLocation: -0.5, gapDeviation: 1.2, returnLocation: 0,
      returnDeviation: 1.2, arrivalShares: [Double](repeating: 1.0 / 24, count: 24))
  }
}
