/// Which user-days the average app time is taken over.
package enum DayDenominator: Sendable, Equatable {
  /// Every assigned user on every day of the window; a day without a visit counts as zero
  /// minutes. An arm that makes users stay away is seen as worse, as it should be.
  case assignedDays
  /// Only days on which the user came. Descriptive: the arm itself changes who comes, so a
  /// lift of it does not compare like with like.
  case activeDays
}

/// One metric of one arm.
package struct MetricReadout: Sendable, Equatable {
  /// The metric, and its variance over draws of users.
  package let estimate: RatioEstimate
  /// Lift over the reference arm; nil for that arm itself and where it is undefined.
  package let lift: RelativeLift?
}

/// Both metrics on one day.
package struct DailyMetrics: Sendable, Equatable {
  /// Day number.
  package let day: Int
  /// Minutes per user; nil when the denominator is empty.
  package let adTimeMinutes: Double?
  /// Share of plays with a positive interaction; nil without plays.
  package let upiRate: Double?
}

/// Everything about one arm.
package struct ArmReadout: Sendable, Equatable {
  /// The arm's name.
  package let name: String
  /// Users assigned to it.
  package let users: Int
  /// **ADTime**: minutes in the app per user and day.
  package let adTime: MetricReadout
  /// **UPIRate**: plays with a positive interaction over plays.
  package let upiRate: MetricReadout
  /// The same by day.
  package let daily: [DailyMetrics]
}

/// What came out of an experiment.
package struct ExperimentReadout: Sendable, Equatable {
  /// Index of the arm that the lifts refer to.
  package let reference: Int
  /// One entry an arm, in the order of the log.
  package let arms: [ArmReadout]
  /// Whether the split of users is as promised.
  package let sampleRatio: SampleRatioCheck
}

/// Reads an experiment: the paper's two metrics per arm, lifts, intervals and p-values.
///
/// * **ADTime** = Σ minutes / Σ user-days, over all assigned users and all days of the window
///   (see `DayDenominator`), in minutes.
/// * **UPIRate** = Σ plays with a positive interaction / Σ plays, over the window.
///
/// Users are the unit of every variance. Both are defined over the whole window; `daily` has
/// them day by day. (Paper, section "Experiments", names the metrics without a formula.)
///
/// With `adjustsForBaseline` each user's linearised value y_u becomes
/// `y_u − θ·(c_u − c̄)`, where c is the user's pre-period value of the same metric, c̄ its mean
/// over all users and θ = Cov(y, c)/Var(c) pooled within the arms. No arm can have moved c, so
/// the lift stays what it was and its interval shrinks. (CUPED; Deng, Xu, Kohavi and Walker,
/// WSDM 2013.) The values of the arms are then adjusted means.
package struct ExperimentAnalysis: Sendable {
  /// Index of the arm that lifts refer to.
  package var reference: Int
  /// Coverage of the intervals.
  package var confidence: Double
  /// What a day without a visit counts as.
  package var denominator: DayDenominator
  /// Whether to take out what the pre-period already explains.
  package var adjustsForBaseline: Bool

  /// An analysis with the given choices.
  package init(
    reference: Int = 0, confidence: Double = 0.95, denominator: DayDenominator = .assignedDays,
    adjustsForBaseline: Bool = false
  ) {
    precondition(confidence > 0 && confidence < 1, "confidence \(confidence) outside (0, 1)")
    self.reference = reference
    self.confidence = confidence
    self.denominator = denominator
    self.adjustsForBaseline = adjustsForBaseline
  }

  /// Reads `log`.
  /// - Throws: `ExperimentError` naming the row, user or arm that does not fit.
  /// - Complexity: O(users + user-days + arms · days).
  package func readout(of log: ExperimentLog) throws(ExperimentError) -> ExperimentReadout {
    let totals = try ExperimentTotals(log: log, denominator: denominator)
    guard log.arms.indices.contains(reference) else {
      throw .unknownReference(index: reference, arms: log.arms.count)
    }
    let adTime = try estimates(
      log: log, numerators: totals.minutes, denominators: totals.userDays
    ) { $0.appMinutesPerDay }
    let upiRate = try estimates(
      log: log, numerators: totals.positivePlays, denominators: totals.plays
    ) { $0.upiRate }
    let arms = log.arms.indices.map { arm in
      ArmReadout(
        name: log.arms[arm].name, users: totals.members[arm].count,
        adTime: metric(adTime, arm), upiRate: metric(upiRate, arm), daily: totals.daily[arm])
    }
    let check = SampleRatioCheck(
      counts: totals.members.map(\.count), shares: log.arms.map(\.share))
    return ExperimentReadout(reference: reference, arms: arms, sampleRatio: check)
  }

  private func metric(_ estimates: [RatioEstimate], _ arm: Int) -> MetricReadout {
    let lift =
      arm == reference
      ? nil
      : RelativeLift(arm: estimates[arm], reference: estimates[reference], confidence: confidence)
    return MetricReadout(estimate: estimates[arm], lift: lift)
  }

  /// One ratio an arm, adjusted for the pre-period when asked for.
  private func estimates(
    log: ExperimentLog, numerators: [Double], denominators: [Double],
    covariate: (UserBaseline) -> Double
  ) throws(ExperimentError) -> [RatioEstimate] {
    var members = [[Int]](repeating: [], count: log.arms.count)
    for (index, user) in log.users.enumerated() { members[user.arm].append(index) }
    guard adjustsForBaseline else {
      return members.map { users in
        RatioEstimate(
          numerators: users.map { numerators[$0] }, denominators: users.map { denominators[$0] })
      }
    }
    var covariates: [Double] = []
    for user in log.users {
      guard let baseline = user.baseline, covariate(baseline).isFinite else {
        throw .missingBaseline(user: user.user)
      }
      covariates.append(covariate(baseline))
    }
    let values = members.map { users in
      RatioEstimate.linearized(
        numerators: users.map { numerators[$0] }, denominators: users.map { denominators[$0] })
    }
    return BaselineAdjustment.estimates(
      values: values, covariates: members.map { $0.map { covariates[$0] } })
  }
}
