import Foundation

/// Decides from evidence whether a policy may replace what runs today.
///
/// The rules, each against a threshold with a name:
///
/// | rule | broken, it calls for |
/// | --- | --- |
/// | no finding forbids the use of the data | not enough evidence |
/// | every estimator asked for has an estimate, and none below its floors | not enough evidence |
/// | propensities were logged, or fitted ones are allowed | not enough evidence |
/// | of the logged sessions few were cut, where they are the reference | not enough evidence |
/// | the estimators agree (`largestDisagreement`) | not enough evidence |
/// | each difference's interval lies above the least lift | hold; not enough evidence where it is no number |
/// | no guardrail is lost by more than allowed | hold; not enough evidence where only its interval goes beyond, or where nothing is known of it |
///
/// A guardrail that was asked for and of which there is no evidence is a reason of its own, unless the
/// evidence says that the data cannot tell (`uncheckedGuardrails`): then nothing is asked of it, and
/// whoever tells the verdict tells that too. Whatever is no number speaks against a release.
///
/// One reason of "not enough evidence" outweighs all others, one of "hold" outweighs the rest: below
/// the floors a good difference is as worthless as a bad one.
package struct ReleaseGate: Sendable, Equatable {
  /// What is asked for.
  package struct Thresholds: Sendable, Equatable {
    /// Names of the estimators that must agree.
    package var estimators: [String] = []
    /// The least lift, in reward units.
    package var leastLift = 0.0
    /// The least lift, as a fraction of the reference's value; the larger of the two counts.
    package var leastRelativeLift = 0.0
    /// How far two estimators' differences may lie apart, in units of their joint half width,
    /// √(h₁² + h₂²). Intervals know no bias; two methods with different biases do.
    package var largestDisagreement = 1.0
    /// The share of logged sessions that the window may have cut, where they are the reference.
    package var largestTruncatedShare = 0.2
    /// Whether estimates that weigh by fitted propensities may release.
    package var allowsFittedPropensities = false
    /// The largest loss of each guardrail, as a fraction of the reference's value.
    package var guardrails: [String: Double] = [:]

    /// Nothing but a lift above 0.
    package init() {}
  }

  /// What the gate says, and why.
  package struct Judgement: Sendable, Equatable {
    /// The verdict.
    package let verdict: ReleaseVerdict
    /// What it follows from; those that call for it first.
    package let reasons: [GateReason]
  }

  /// What is asked for.
  package let thresholds: Thresholds

  /// A gate.
  package init(thresholds: Thresholds) { self.thresholds = thresholds }

  /// Judges evidence.
  package func judge(_ evidence: GateEvidence) -> Judgement {
    let asked = thresholds.estimators.compactMap { name in
      evidence.comparisons.first { $0.estimator == name }
    }
    let reasons =
      evidence.dataFindings.map { GateReason(.notEnoughEvidence, .data, "the data: \($0)") }
      + missing(evidence) + floors(asked) + propensities(asked) + truncation(evidence)
      + disagreement(asked) + lifts(asked) + losses(evidence)
    let order: [ReleaseVerdict] = [.notEnoughEvidence, .hold, .release]
    let verdict = order.first { verdict in reasons.contains { $0.callsFor == verdict } } ?? .hold
    let sorted = order.flatMap { verdict in reasons.filter { $0.callsFor == verdict } }
    return Judgement(verdict: verdict, reasons: sorted)
  }

  private func missing(_ evidence: GateEvidence) -> [GateReason] {
    guard !thresholds.estimators.isEmpty else {
      return [GateReason(.notEnoughEvidence, .estimators, "no estimator was asked for")]
    }
    return thresholds.estimators
      .filter { name in !evidence.comparisons.contains { $0.estimator == name } }
      .map { GateReason(.notEnoughEvidence, .estimators, "\($0): there is no estimate") }
  }

  private func floors(_ asked: [GateEvidence.Comparison]) -> [GateReason] {
    asked.flatMap { comparison in
      comparison.shortcomings.map {
        GateReason(.notEnoughEvidence, .floors, "\(comparison.estimator): \($0)")
      }
    }
  }

  private func propensities(_ asked: [GateEvidence.Comparison]) -> [GateReason] {
    guard !thresholds.allowsFittedPropensities else { return [] }
    return asked.filter(\.usesFittedPropensities).map {
      GateReason(
        .notEnoughEvidence, .allowsFittedPropensities,
        "\($0.estimator) weighs by propensities that were fitted to the log, not logged")
    }
  }

  private func truncation(_ evidence: GateEvidence) -> [GateReason] {
    let limit = thresholds.largestTruncatedShare
    guard let found = evidence.truncatedShare, !(found <= limit) else { return [] }
    return [
      GateReason(
        .notEnoughEvidence, .largestTruncatedShare, found: found, limit: limit,
        "the window cut \(Self.percent(found)) of the logged sessions, beyond the allowed "
          + "\(Self.percent(limit)): what they would have been worth is guessed")
    ]
  }

  private func disagreement(_ asked: [GateEvidence.Comparison]) -> [GateReason] {
    var reasons: [GateReason] = []
    for (index, first) in asked.enumerated() {
      for second in asked.dropFirst(index + 1) {
        let apart = abs(first.difference - second.difference)
        guard !(apart <= 0) else { continue }
        let joint = (first.reach * first.reach + second.reach * second.reach).squareRoot()
        let (found, limit) = (apart / joint, thresholds.largestDisagreement)
        guard !(found <= limit) else { continue }
        reasons.append(
          GateReason(
            .notEnoughEvidence, .largestDisagreement, found: found,
            limit: limit,
            "\(first.estimator) says \(Self.signed(first.difference)), \(second.estimator) "
              + "\(Self.signed(second.difference)): \(Self.text(found)) times their joint half "
              + "width apart, allowed is \(Self.text(limit))"))
      }
    }
    return reasons
  }

  private func lifts(_ asked: [GateEvidence.Comparison]) -> [GateReason] {
    asked.map { comparison in
      let least = max(
        thresholds.leastLift, thresholds.leastRelativeLift * abs(comparison.referenceValue))
      let said =
        "\(comparison.estimator): difference \(Self.signed(comparison.difference)) "
        + "[\(Self.signed(comparison.low)), \(Self.signed(comparison.high))]"
      func reason(_ verdict: ReleaseVerdict, _ words: String) -> GateReason {
        GateReason(
          verdict, .leastLift, found: comparison.low, limit: least,
          "\(said), \(words) \(Self.signed(least))")
      }
      let numbers = [
        comparison.referenceValue, comparison.difference, comparison.low, comparison.high,
      ]
      guard numbers.allSatisfy(\.isFinite) else {
        return reason(.notEnoughEvidence, "no finite numbers beside the asked")
      }
      // A strict comparison: a policy against itself, exactly 0, is no lift.
      if comparison.low > least { return reason(.release, "above the asked") }
      if comparison.high <= least { return reason(.hold, "nowhere above the asked") }
      let words =
        comparison.difference > least
        ? "not wholly above the asked" : "more likely below than above the asked"
      return reason(.hold, words)
    }
  }

  private func losses(_ evidence: GateEvidence) -> [GateReason] {
    thresholds.guardrails.sorted { $0.key < $1.key }.compactMap { name, allowed in
      guard let guardrail = evidence.guardrails.first(where: { $0.name == name }) else {
        return evidence.uncheckedGuardrails.contains(name)
          ? nil
          : GateReason(.notEnoughEvidence, .guardrails, "guardrail \(name): there is no evidence")
      }
      let limit = -allowed * abs(guardrail.referenceValue)
      let said =
        "guardrail \(name): difference \(Self.signed(guardrail.difference)), lower end "
        + Self.signed(guardrail.low)
      func reason(_ verdict: ReleaseVerdict, _ words: String) -> GateReason {
        GateReason(
          verdict, .guardrails, found: guardrail.low, limit: limit,
          "\(said), \(words) \(Self.signed(limit)) (\(Self.percent(allowed)) of "
            + "\(Self.text(guardrail.referenceValue)))")
      }
      guard [guardrail.difference, guardrail.low, limit].allSatisfy(\.isFinite) else {
        return reason(.notEnoughEvidence, "no finite numbers beside the allowed")
      }
      if guardrail.low >= limit { return reason(.release, "within the allowed") }
      return guardrail.difference < limit
        ? reason(.hold, "a loss beyond the allowed")
        : reason(.notEnoughEvidence, "too uncertain to exclude a loss beyond the allowed")
    }
  }

  private static func text(_ value: Double) -> String { String(format: "%.3f", value) }
  private static func signed(_ value: Double) -> String { String(format: "%+.3f", value) }
  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
