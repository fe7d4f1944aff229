/// One metric of one arm at one look.
package struct SequentialMetric: Sendable, Equatable {
  /// The metric up to the day, and its variance over draws of users.
  package let estimate: RatioEstimate
  /// Lift over the reference arm; nil for that arm itself, with too few users and where undefined.
  package let lift: SequentialLift?
}

/// One arm at one look.
package struct SequentialArm: Sendable, Equatable {
  /// The arm's name.
  package let name: String
  /// Users who have entered it.
  package let users: Int
  /// Minutes in the app per user and day.
  package let adTime: SequentialMetric
  /// Plays with a positive interaction over plays.
  package let upiRate: SequentialMetric
}

/// What one look at an experiment shows.
package struct SequentialReadout: Sendable, Equatable {
  /// The last day that counts.
  package let day: Int
  /// Index of the arm that the lifts refer to.
  package let reference: Int
  /// One entry an arm, in their order.
  package let arms: [SequentialArm]
  /// Whether the split of users is as promised.
  package let sampleRatio: SequentialSampleRatio
}

/// How a running experiment is read, day after day.
///
/// Every lift has its own confidence sequence; with several of them the probability that any one
/// ever errs is at most the sum of their alphas.
package struct SequentialAnalysis: Sendable {
  /// Index of the arm that lifts refer to.
  package var reference: Int
  /// The sequence of ADTime's lift.
  package var adTime: ConfidenceSequence
  /// The sequence of UPIRate's lift.
  package var upiRate: ConfidenceSequence
  /// Users that an arm and the reference need before a lift is shown, for normal estimates.
  package var minimumUsers: Int
  /// Whether to take out what the pre-period already explains (CUPED).
  package var adjustsForBaseline: Bool

  /// An analysis; all of it is chosen before the experiment.
  package init(
    reference: Int = 0, adTime: ConfidenceSequence = ConfidenceSequence(),
    upiRate: ConfidenceSequence = ConfidenceSequence(), minimumUsers: Int = 100,
    adjustsForBaseline: Bool = false
  ) {
    self.reference = reference
    self.adTime = adTime
    self.upiRate = upiRate
    self.minimumUsers = minimumUsers
    self.adjustsForBaseline = adjustsForBaseline
  }

  /// Reads the days closed so far.
  /// - Throws: `ExperimentError` for an unknown reference or a missing baseline.
  /// - Complexity: O(users).
  package func readout(of ledger: ExperimentLedger) throws(ExperimentError) -> SequentialReadout {
    guard ledger.arms.indices.contains(reference) else {
      throw .unknownReference(index: reference, arms: ledger.arms.count)
    }
    let times = try metrics(.adTime, adTime, ledger)
    let rates = try metrics(.upiRate, upiRate, ledger)
    let arms = ledger.arms.indices.map { arm in
      SequentialArm(
        name: ledger.arms[arm].name, users: ledger.users[arm], adTime: times[arm],
        upiRate: rates[arm])
    }
    return SequentialReadout(
      day: ledger.nextDay - 1, reference: reference, arms: arms, sampleRatio: ledger.sampleRatio)
  }

  private func metrics(
    _ metric: ExperimentMetric, _ sequence: ConfidenceSequence, _ ledger: ExperimentLedger
  ) throws(ExperimentError) -> [SequentialMetric] {
    let estimates = try ledger.estimates(of: metric, adjustsForBaseline: adjustsForBaseline)
    return estimates.indices.map { arm in
      let enough = min(ledger.users[arm], ledger.users[reference]) >= minimumUsers
      let lift =
        enough && arm != reference
        ? sequence.lift(arm: estimates[arm], reference: estimates[reference]) : nil
      return SequentialMetric(estimate: estimates[arm], lift: lift)
    }
  }
}
