import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import TrajectoryPreparation

/// A policy beside what runs today, judged by the release gate from logged sessions.
struct ReleaseDecision {
  /// The result, as `evaluate --json` prints it.
  struct Found: Codable {
    /// One estimator's difference.
    struct Difference: Codable {
      var estimator: String
      var value: Double
      var low: Double
      var high: Double
      /// As a fraction of the reference's value; nil where that is 0.
      var relative: Double?
    }
    /// One guardrail.
    struct Guardrail: Codable {
      var signal: String
      var reference: Double
      var difference: Double
      var low: Double
      var high: Double
    }
    /// Why.
    struct Reason: Codable {
      var callsFor: ReleaseVerdict
      var rule: GateReason.Rule
      var found: Double?
      var limit: Double?
      var text: String
    }

    var verdict: ReleaseVerdict
    var policy: String
    var against: String
    var reasons: [Reason]
    var differences: [Difference]
    var guardrails: [Guardrail]
    /// What the thresholds ask for and the data cannot tell.
    var unchecked: [String]
  }

  let settings: GateSettings
  let evaluation: PolicyEvaluation
  /// The test sessions.
  let data: TrajectoryShards
  let normalizer: StateNormalizer
  let seed: UInt64
  /// Findings that forbid the use of the data.
  let dataFindings: [String]

  private var fit: FittedQConfiguration {
    var fit = evaluation.settings.fittedQ(threads: evaluation.threads)
    fit.confidence = settings.confidence
    fit.resampling = evaluation.clusters
    return fit
  }

  /// Judges a policy.
  ///
  /// - Parameters:
  ///   - judged: what estimators say of it.
  ///   - reference: what the same estimators say of what it is compared with; nil for the behavior.
  /// - Throws: `CommandFailure.failure` where the data cannot be read as needed.
  func decide(
    _ policy: any FusionPolicy, _ judged: PolicyEvaluation.Judged,
    against reference: (policy: any FusionPolicy, judged: PolicyEvaluation.Judged)?
  ) throws -> Found {
    var evidence = GateEvidence()
    evidence.dataFindings = dataFindings
    if reference == nil {
      evidence.truncatedShare = try logged(nil).truncatedShare
    }
    // What is about single requests is no value of a session.
    for estimate in judged.estimates
    where EstimatorKind(rawValue: estimate.estimator)?.estimand == .sessionValue {
      guard reference?.judged.failures[estimate.estimator] == nil else { continue }
      evidence.comparisons.append(
        try comparison(of: estimate, in: judged, to: reference?.judged))
    }
    let (guardrails, unchecked) = try guardrails(policy, reference?.policy)
    evidence.guardrails = guardrails.map {
      GateEvidence.Guardrail(
        name: $0.signal, referenceValue: $0.reference, difference: $0.difference, low: $0.low)
    }
    evidence.uncheckedGuardrails = Set(unchecked.map(\.signal))
    let judgement = ReleaseGate(thresholds: settings.thresholds).judge(evidence)
    return Found(
      verdict: judgement.verdict, policy: judged.method,
      against: reference?.judged.method ?? "logged",
      reasons: judgement.reasons.map {
        Found.Reason(
          callsFor: $0.callsFor, rule: $0.rule, found: $0.found, limit: $0.limit, text: $0.text)
      },
      differences: evidence.comparisons.map {
        Found.Difference(
          estimator: $0.estimator, value: $0.difference, low: $0.low, high: $0.high,
          relative: $0.referenceValue == 0 ? nil : $0.difference / abs($0.referenceValue))
      },
      guardrails: guardrails.filter { $0.low.isFinite && $0.high.isFinite },
      unchecked: unchecked.map(\.reason))
  }

  private func comparison(
    of estimate: PolicyValueEstimate, in judged: PolicyEvaluation.Judged,
    to reference: PolicyEvaluation.Judged?
  ) throws -> GateEvidence.Comparison {
    var shortcomings = judged.shortcomings(of: estimate)
    let difference: ValueDifference
    let value: Double
    if let reference {
      guard let other = reference.estimates.first(where: { $0.estimator == estimate.estimator })
      else {
        throw CommandFailure.failure("\(reference.method): no estimate by \(estimate.estimator)")
      }
      difference = estimate.difference(from: other, on: judged.sessions, configuration: fit)
      value = other.value
      shortcomings += reference.shortcomings(of: other).map { "\(reference.method): \($0)" }
    } else {
      let behavior = try logged(estimate.parts.sessions)
      difference = estimate.difference(from: behavior, on: judged.sessions, configuration: fit)
      value = behavior.value
    }
    return GateEvidence.Comparison(
      estimator: estimate.estimator, referenceValue: value, difference: difference.value,
      low: difference.low, high: difference.high,
      shortcomings: shortcomings,
      usesFittedPropensities: estimate.weights?.propensitiesAreFitted ?? false)
  }

  private func logged(_ sessions: [Int]?) throws -> LoggedValue {
    do {
      return try LoggedValue(
        of: data, sessions: sessions, discount: evaluation.settings.discount,
        confidence: settings.confidence)
    } catch {
      throw CommandFailure.failure("\(data.folder): \(error)")
    }
  }

  /// Each guardrail's difference by the linear fit, which is exact and quick: a guardrail is asked
  /// for a coarse bound. Signals that the data do not hold are unchecked.
  private func guardrails(
    _ policy: any FusionPolicy, _ reference: (any FusionPolicy)?
  ) throws -> (found: [Found.Guardrail], unchecked: [(signal: String, reason: String)]) {
    let signals = data.feedback(at: 0) == nil ? nil : data.manifest.signals
    var unchecked: [(signal: String, reason: String)] = []
    let found = try settings.guardrails.compactMap { guardrail -> Found.Guardrail? in
      guard let signal = FeedbackSignal(rawValue: guardrail.signal),
        signals?.contains(guardrail.signal) == true
      else {
        unchecked.append(
          (
            guardrail.signal,
            "guardrail \(guardrail.signal): the data hold "
              + (signals.map { "no such signal, but " + $0.joined(separator: ", ") }
                ?? "rewards and no feedback")
          ))
        return nil
      }
      let source = try TrajectoryShards(
        folder: data.folder, reward: SatisfactionReward(weights: [signal: 1]),
        checkingValues: false)
      let estimator = LinearFittedQ(configuration: fit)
      do {
        func sessions(_ policy: any FusionPolicy) throws -> EvaluationSessions {
          try EvaluationSessions(
            policy: policy, data: source, normalizer: normalizer, discount: fit.discount,
            samples: fit.policySamples, seed: seed)
        }
        let own = try sessions(policy)
        let estimate = try estimator.estimate(on: own, seed: seed)
        let (value, difference): (Double, ValueDifference)
        if let reference {
          let other = try estimator.estimate(on: sessions(reference), seed: seed)
          value = other.value
          difference = estimate.difference(from: other, on: own, configuration: fit)
        } else {
          let behavior = try LoggedValue(
            of: source, sessions: estimate.parts.sessions, discount: fit.discount)
          value = behavior.value
          difference = estimate.difference(from: behavior, on: own, configuration: fit)
        }
        return Found.Guardrail(
          signal: guardrail.signal, reference: value, difference: difference.value,
          low: difference.low, high: difference.high)
      } catch let error as EvaluationError {
        throw CommandFailure.failure("guardrail \(guardrail.signal): \(error)")
      }
    }
    return (found, unchecked)
  }
}

extension ReleaseDecision.Found {
  /// The verdict with its reasons for a terminal.
  var lines: [String] {
    var lines = ["\(policy) against \(against): \(verdict.words.uppercased())"]
    for reason in reasons {
      let mark = reason.callsFor == .release ? "+" : reason.callsFor == .hold ? "-" : "?"
      lines.append("  \(mark) \(reason.text)")
    }
    lines += unchecked.map { "  not checked: \($0)" }
    lines.append("  (+ speaks for a release, - against it, ? says that the evidence is too little)")
    return lines
  }
}
