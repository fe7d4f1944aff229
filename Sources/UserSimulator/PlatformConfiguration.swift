package import FusionMDP

/// How requests are served on a platform: what an operator sets, not what users are.
package struct PlatformConfiguration: Sendable, Equatable {
  /// The fusion formula of the ranker.
  package var formula = FusionFormula.standard
  /// The bounds that turn actions into weights.
  package var bounds = FusionWeightBounds.standard(for: .standard)
  /// Candidates a request. The full log does not tell; 40 keep about seven to choose one from.
  package var candidateCount = 40
  /// The longest list, and how often it is one shorter: 6 · 0.8 + 5 · 0.2 = 5.8, the log's mean.
  package var listLength = 6
  /// The share of requests whose list is one shorter.
  package var shorterListShare = 0.2
  /// A user's latest videos that are no candidates; a third of the catalogue if that is fewer.
  package var recentlySeen = 200
  /// Users that advance together, so that policies decide for a batch.
  package var cohortSize = 256
  /// When the simulated time starts: 9 May 2022, 0:00 in UTC+8, the day after the log ends.
  package var startMilliseconds: Int64 = 1_652_025_600_000
  /// The local time of users, as in the log.
  package var utcOffsetHours = 8

  /// The defaults.
  package init() {}

  /// Checks the settings against a catalogue.
  ///
  /// - Throws: `PlatformError.setting`.
  func check(videoCount: Int) throws(PlatformError) {
    guard bounds.count == ResponseTask.columns else {
      throw .setting(
        name: "bounds", expected: "\(ResponseTask.columns) weights", found: "\(bounds.count)")
    }
    guard listLength > 1, candidateCount >= listLength else {
      throw .setting(
        name: "listLength", expected: "2 ... candidateCount (\(candidateCount))",
        found: "\(listLength)")
    }
    guard videoCount / 2 >= candidateCount else {
      throw .setting(
        name: "candidateCount", expected: "at most half of \(videoCount) videos",
        found: "\(candidateCount)")
    }
    guard (0...1).contains(shorterListShare), recentlySeen >= 0, cohortSize > 0 else {
      throw .setting(
        name: "shorterListShare, recentlySeen, cohortSize",
        expected: "a share, a count, a positive count",
        found: "\(shorterListShare), \(recentlySeen), \(cohortSize)")
    }
    guard (try? formula.validate(schema: .standard)) != nil else {
      throw .setting(name: "formula", expected: "one for 12 tasks", found: "\(formula)")
    }
  }

  /// The weights of the reference policy: what an engineer might set before any search. Every bias
  /// of the formula tames its task's magnitude, so tasks that many users answer weigh 1 and the
  /// others, which are rarer or repeat them, a half.
  package static let referenceWeights: [Float] = [
    1, 1, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -1, 1,
  ]

  /// The reference policy, under which the platform is fitted to the log.
  package var referencePolicy: FixedWeightsPolicy {
    FixedWeightsPolicy(
      name: "reference weights", action: bounds.normalized(Self.referenceWeights))
  }
}
