import Foundation
import FusionMDP

extension PolicyValueEstimate {
  /// Whether value, interval and the mean weight's error are finite: of a single session no interval is.
  package var isFinite: Bool {
    [value, low, high, weights?.meanWeightError ?? 0].allSatisfy(\.isFinite)
  }

  /// The floors that this estimate lies below, in the order of `EvidenceFloors`; empty where there is
  /// enough evidence.
  ///
  /// - Parameter sessions: what the estimate was made on.
  package func shortcomings(
    under floors: EvidenceFloors = EvidenceFloors(), on sessions: EvaluationSessions
  ) -> [EvidenceShortcoming] {
    let users = Set((0..<sessions.data.sessionCount).map { sessions.data.userHash(of: $0) }).count
    let count = sessions.data.sessionCount
    var found: [EvidenceShortcoming] = []
    func add(
      _ kind: EvidenceShortcoming.Kind, _ value: Double, _ floor: Double, _ sentence: String
    ) {
      found.append(
        EvidenceShortcoming(kind: kind, found: value, floor: floor, description: sentence))
    }
    if !isFinite {
      add(.notFinite, value, 0, "the estimate or its interval is no finite number")
    }
    if users < floors.leastUsers {
      add(
        .users, Double(users), Double(floors.leastUsers),
        "\(users) users in the log, at least \(floors.leastUsers) are needed for an interval that "
          + "speaks of users")
    }
    if count < floors.leastSessions {
      add(
        .sessions, Double(count), Double(floors.leastSessions),
        "\(count) sessions in the log, at least \(floors.leastSessions) are needed")
    }
    found += weightShortcomings(floors)
    if sessions.actionDistance > floors.largestActionDistance {
      add(
        .actionDistance, sessions.actionDistance, floors.largestActionDistance,
        "the policy's weights lie \(short(sessions.actionDistance)) from the logged ones, at most "
          + "\(short(floors.largestActionDistance)): the log says little about them")
    }
    if sessions.actionSpread < floors.leastActionSpread {
      add(
        .actionSpread, sessions.actionSpread, floors.leastActionSpread,
        "the logged weights vary by \(short(sessions.actionSpread)), at least "
          + "\(short(floors.leastActionSpread)): a log with one action says nothing about others")
    }
    let truncated = Double(sessions.truncatedSessions) / Double(max(1, count))
    if EstimatorKind(rawValue: estimator)?.stopsAtTruncation == true,
      truncated > floors.largestTruncatedShare
    {
      add(
        .truncatedShare, truncated, floors.largestTruncatedShare,
        "the log's window cut \(percent(truncated)) of the sessions, at most "
          + "\(percent(floors.largestTruncatedShare)): this estimator leaves out what they earned "
          + "after it")
    }
    if floors.requiresConvergence, hasConverged == false, let convergence = fit?.convergence {
      let drift = 10 * (abs(convergence.drift) - 3 * convergence.driftError)
      add(
        .convergence, max(drift, abs(convergence.residual)), (high - low) / 8,
        "the fit has not converged: drift \(short(convergence.drift)), residual "
          + "\(short(convergence.residual)), beside an interval of half width "
          + "\(short((high - low) / 2))")
    }
    return found
  }

  private func weightShortcomings(_ floors: EvidenceFloors) -> [EvidenceShortcoming] {
    guard let weights else { return [] }
    let unit = EstimatorKind(rawValue: estimator)?.estimand == .requestValue ? "request" : "session"
    var found: [EvidenceShortcoming] = []
    if !(weights.effectiveSampleSize >= floors.leastEffectiveSampleSize) {
      found.append(
        EvidenceShortcoming(
          kind: .effectiveSampleSize, found: weights.effectiveSampleSize,
          floor: floors.leastEffectiveSampleSize,
          description: "the weights are worth \(short(weights.effectiveSampleSize)) \(unit)s of "
            + "\(n), at least \(short(floors.leastEffectiveSampleSize)) are needed"))
    }
    if weights.largestShare > floors.largestWeightShare {
      found.append(
        EvidenceShortcoming(
          kind: .weightShare, found: weights.largestShare, floor: floors.largestWeightShare,
          description:
            "one \(unit) carries \(percent(weights.largestShare)) of all weight, at most "
            + "\(percent(floors.largestWeightShare))"))
    }
    if let cap = weights.cap, cap.removedShare > floors.largestRemovedShare {
      found.append(
        EvidenceShortcoming(
          kind: .removedShare, found: cap.removedShare, floor: floors.largestRemovedShare,
          description: "the cap of \(short(cap.cap)) took off \(percent(cap.removedShare)) of all "
            + "weight, at most \(percent(floors.largestRemovedShare)): the value is drawn toward "
            + "what was logged, and the interval does not know (without the cap it moves by "
            + "\(short(cap.shift)))"))
    }
    let deviation = abs(weights.meanWeight - 1)
    let isByChance = deviation <= floors.largestMeanWeightZ * weights.meanWeightError
    if !(deviation <= floors.largestMeanWeightDeviation) && !isByChance {
      let errors = weights.meanWeightError > 0 ? deviation / weights.meanWeightError : .infinity
      // Below 1 the few large weights of a policy that the log hardly meets may only not have come yet,
      // and the standard error does not know of them. Nothing but wrong densities takes it above.
      let reason =
        weights.meanWeight > 1
        ? "the propensities are not those of the logged actions"
        : "the log hardly holds what the policy does, or the propensities are not those of the "
          + "logged actions"
      found.append(
        EvidenceShortcoming(
          kind: .meanWeight, found: weights.meanWeight, floor: floors.largestMeanWeightDeviation,
          description: "the mean of π/μ is \(short(weights.meanWeight)), \(short(errors)) standard "
            + "errors from 1: \(reason)"))
    }
    return found
  }

  private func short(_ number: Double) -> String { String(format: "%.3g", number) }
  private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
