import Foundation
import FusionMDP
public import SessionLogs

/// The paper's statistical analysis of how feedback relates to later app time, as a regression.
///
/// Source: Zhang et al., KDD 2022, section 3.1 (reward): w of eq. 2 comes from how each feedback
/// relates to the user's future app dwell time. The paper prints neither method nor numbers.
///
///     g(minutes after session i) = Σ_k b_k · v_ik + controls_i + e_i
///
/// with g = log(1 + ·) or none, v the session's summed feedback, play minutes as log(1 + ·) or as
/// they are. The same regression stands twice: *pooled* over all sessions, and *within* users,
/// around each user's means. Pooled coefficients also tell users apart: who clicks much stays
/// much. Within users only a user's own better and worse sessions are compared.
///
/// ## Departures from the paper
///
/// * Errors, intervals, controls, the within estimate and the findings are this project's.
/// * Both are associations under the policy that logged them, not effects.
public enum RewardFit {
  /// Fits a log.
  ///
  /// - Parameter spillFolder: where the engine may put what does not fit into memory.
  /// - Throws: `RewardFitError`; the analytics engine's error.
  public static func run(
    log: SessionLogFolder, configuration: RewardFitConfiguration = RewardFitConfiguration(),
    spillFolder: String? = nil
  ) throws -> RewardFitReport {
    try configuration.validate()
    let table = try SessionTable(
      of: log, configuration: configuration, spillFolder: spillFolder)
    var activity: [Double]?
    var findings: [String] = []
    if configuration.controls.activity == .file, let file = configuration.controls.activityFile,
      let column = configuration.controls.activityColumn
    {
      let read = try UserActivity.read(file, column: column, users: table.users)
      activity = read.values
      if read.missing > 0 {
        findings.append("\(read.missing) users are not in \(file): their activity counts as 0")
      }
    }
    return try fit(
      table.sessions, signals: table.signals, userActivity: activity,
      windowEndMilliseconds: table.windowEndMilliseconds, configuration: configuration,
      findings: findings)
  }

  /// Fits sessions, ordered by user and time.
  ///
  /// - Parameter userActivity: a number a user, for `controls.activity: file`.
  /// - Throws: `RewardFitError`; of the outcome that gives no weights only a finding.
  package static func fit(
    _ sessions: [FeedbackSession], signals: [String], userActivity: [Double]? = nil,
    windowEndMilliseconds: Int64, configuration: RewardFitConfiguration, findings: [String] = []
  ) throws -> RewardFitReport {
    var findings = findings
    let design = try SessionDesign(
      signals: signals, userActivity: userActivity, configuration: configuration)
    var outcomes: [OutcomeFit] = []
    for outcome in RewardFitConfiguration.Outcome.allCases {
      do {
        outcomes.append(
          try fit(outcome, sessions, design, windowEndMilliseconds, &findings))
      } catch let error as RewardFitError where outcome != configuration.outcome {
        findings.append("\(outcome.rawValue): not fitted: \(error)")
      }
    }
    guard let chosen = outcomes.first(where: { $0.outcome == configuration.outcome }) else {
      preconditionFailure("the outcome of the weights was not fitted")
    }
    let rule = RewardWeightRule(
      configuration: configuration, signals: signals, sessions: chosen.used.map { sessions[$0] })
    let weights = rule.weights(of: chosen, &findings)
    return RewardFitReport(
      configuration: configuration, sessions: sessions.count,
      users: Set(sessions.map(\.user)).count,
      truncatedSessions: sessions.count { $0.isTruncated }, outcomes: outcomes, weights: weights,
      findings: findings)
  }

  private static func fit(
    _ outcome: RewardFitConfiguration.Outcome, _ sessions: [FeedbackSession],
    _ design: SessionDesign, _ windowEnd: Int64, _ findings: inout [String]
  ) throws -> OutcomeFit {
    let configuration = design.configuration
    var (used, leftOut) = ([Int](), SessionsLeftOut())
    for (index, session) in sessions.enumerated() {
      if session.isTruncated {
        leftOut.truncated += 1
      } else if outcome == .nextSession, session.nextMinutes == nil {
        leftOut.withoutNext += 1
      } else if outcome == .nextSession, session.nextIsTruncated {
        leftOut.nextTruncated += 1
      } else if outcome == .nextDays,
        session.endMilliseconds + configuration.horizonMilliseconds
          + configuration.feedbackDeadlineMilliseconds > windowEnd
      {
        leftOut.beyondWindow += 1
      } else {
        used.append(index)
      }
    }
    guard !used.isEmpty else { throw RewardFitError.noOutcome(leftOut.reason(for: outcome)) }
    let pooled = try design.fit(used.map { sessions[$0] }, outcome, .overall)
    var counts: [Int: Int] = [:]
    for index in used { counts[sessions[index].user, default: 0] += 1 }
    let repeated = used.filter {
      counts[sessions[$0].user, default: 0] >= configuration.leastSessionsPerUser
    }
    var within: RegressionResult?
    do {
      guard !repeated.isEmpty else {
        throw RewardFitError.noOutcome(
          "no user has \(configuration.leastSessionsPerUser) usable sessions")
      }
      within = try design.fit(repeated.map { sessions[$0] }, outcome, .withinClusters)
    } catch let error as RewardFitError {
      if outcome == configuration.outcome, configuration.estimate == .within { throw error }
      findings.append("\(outcome.rawValue), within users: not fitted: \(error)")
    }
    let fit = OutcomeFit(
      outcome: outcome, leftOut: leftOut, pooled: pooled, within: within, used: used)
    findings += FitFindings(configuration: configuration, signals: design.signals)(fit)
    return fit
  }
}
