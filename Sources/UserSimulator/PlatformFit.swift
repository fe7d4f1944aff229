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

extension PlatformFit {
  /// Checks lengths and ranges; the ranges are far beyond what a fit finds, and keep times finite.
  ///
  /// - Parameter types: how many types of users there are.
  /// - Throws: `PlatformError.setting` for the first list or number that is wrong.
  func check(types: Int) throws(PlatformError) {
    let tasks = ResponseTask.allCases.count
    let lists: [(String, [Double], Int, ClosedRange<Double>)] = [
      ("intercepts", intercepts, tasks, -50...50),
      ("userDeviations", userDeviations, tasks, 0...50),
      ("videoDeviations", videoDeviations, tasks, 0...50),
      ("playCorrelations", playCorrelations, ResponseTask.added.count, -0.999...0.999),
      ("satisfactionMeans", satisfactionMeans, types, -1e6...1e6),
      ("satisfactionDeviations", satisfactionDeviations, types, 1e-6...1e6),
      ("arrivalShares", arrivalShares, 24, 0...1e6),
    ]
    for (name, values, count, range) in lists {
      guard values.count == count else {
        throw .setting(
          name: "fit.\(name)", expected: "\(count) numbers", found: "\(values.count)")
      }
      for (index, value) in values.enumerated() where !range.contains(value) {
        throw .setting(
          name: "fit.\(name)[\(index)]", expected: "a number in \(range)", found: "\(value)")
      }
    }
    guard arrivalShares.contains(where: { $0 >= 1e-6 }) else {
      throw .setting(
        name: "fit.arrivalShares", expected: "an hour with a share above 0", found: "none")
    }
    let numbers: [(String, Double, ClosedRange<Double>)] = [
      ("exitIntercept", exitIntercept, -50...50), ("listSeconds", listSeconds, 1e-3...1e6),
      ("gapLocation", gapLocation, -50...50), ("gapDeviation", gapDeviation, 0...50),
      ("returnLocation", returnLocation, -50...50),
      ("returnDeviation", returnDeviation, 0...50),
    ]
    for (name, value, range) in numbers where !range.contains(value) {
      throw .setting(name: "fit.\(name)", expected: "a number in \(range)", found: "\(value)")
    }
  }
}
