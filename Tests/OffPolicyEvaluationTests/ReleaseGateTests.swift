import OffPolicyEvaluation
import Testing

@Suite("Release gate")
struct ReleaseGateTests {
  private static func comparison(
    _ estimator: String, _ difference: Double, _ reach: Double, reference: Double = 2,
    shortcomings: [String] = [], fitted: Bool = false
  ) -> GateEvidence.Comparison {
    GateEvidence.Comparison(
      estimator: estimator, referenceValue: reference, difference: difference,
      low: difference - reach, high: difference + reach,
      shortcomings: shortcomings, usesFittedPropensities: fitted)
  }

  /// Two estimators, "a" and "b".
  private static func evidence(_ comparisons: GateEvidence.Comparison...) -> GateEvidence {
    var evidence = GateEvidence()
    evidence.comparisons = comparisons
    return evidence
  }

  private static func gate(
    _ change: (inout ReleaseGate.Thresholds) -> Void = { _ in }
  ) -> ReleaseGate {
    var thresholds = ReleaseGate.Thresholds()
    thresholds.estimators = ["a", "b"]
    change(&thresholds)
    return ReleaseGate(thresholds: thresholds)
  }

  @Test("two estimators that agree on a certain lift release, and say so with their numbers")
  func releases() {
    let judgement = Self.gate().judge(
      Self.evidence(Self.comparison("a", 0.30, 0.10), Self.comparison("b", 0.25, 0.20)))
    #expect(judgement.verdict == .release)
    #expect(judgement.reasons.map(\.rule) == [.leastLift, .leastLift])
    #expect(
      judgement.reasons[0].text == "a: difference +0.300 [+0.200, +0.400], above the asked +0.000")
    #expect(judgement.reasons[0].limit == 0)
  }

  @Test("a policy against itself, difference 0 without spread, is held")
  func itself() {
    let judgement = Self.gate().judge(
      Self.evidence(Self.comparison("a", 0, 0), Self.comparison("b", 0, 0)))
    #expect(judgement.verdict == .hold)
    #expect(judgement.reasons.allSatisfy { $0.callsFor == .hold && $0.rule == .leastLift })
  }

  @Test("an interval that begins at or below the least lift holds, one just above releases")
  func border() {
    for (low, verdict) in [(0.2, ReleaseVerdict.hold), (0.1, .hold), (0.2001, .release)] {
      let comparison = Self.comparison("a", low + 0.5, 0.5)
      let gate = Self.gate {
        $0.estimators = ["a"]
        $0.leastLift = 0.2 + 1e-12
      }
      #expect(gate.judge(Self.evidence(comparison)).verdict == verdict, "low \(low)")
    }
  }

  @Test("the larger of the absolute and the relative lift is asked for")
  func relativeLift() {
    let found = Self.evidence(Self.comparison("a", 0.30, 0.10, reference: -4))
    func verdict(_ absolute: Double, _ relative: Double) -> ReleaseVerdict {
      Self.gate {
        $0.estimators = ["a"]
        $0.leastLift = absolute
        $0.leastRelativeLift = relative
      }.judge(found).verdict
    }
    #expect(verdict(0.1, 0.04) == .release)  // 0.04·4 = 0.16 < 0.2
    #expect(verdict(0.1, 0.06) == .hold)  // 0.24 > 0.2
    #expect(verdict(0.25, 0.04) == .hold)
  }

  @Test("one estimator without a lift holds the release of both")
  func oneHolds() {
    let judgement = Self.gate().judge(
      Self.evidence(Self.comparison("a", 0.30, 0.10), Self.comparison("b", 0.15, 0.20)))
    #expect(judgement.verdict == .hold)
    #expect(judgement.reasons.map(\.callsFor) == [.hold, .release])
  }

  @Test("whatever is below its floor makes the verdict, however good the difference")
  func floors() {
    let good = Self.comparison("a", 0.3, 0.1)
    let fitted = Self.comparison("b", 0.3, 0.1, fitted: true)
    let short = Self.comparison("b", 0.3, 0.1, shortcomings: ["effective sample size 3 of 50"])
    var cut = Self.evidence(good, Self.comparison("b", 0.3, 0.1))
    cut.truncatedShare = 0.21
    var bad = cut
    bad.truncatedShare = nil
    bad.dataFindings = ["one user"]
    let cases: [(GateEvidence, GateReason.Rule)] = [
      (Self.evidence(good, fitted), .allowsFittedPropensities),
      (Self.evidence(good, short), .floors), (Self.evidence(good), .estimators),
      (cut, .largestTruncatedShare), (bad, .data),
    ]
    for (evidence, rule) in cases {
      let judgement = Self.gate().judge(evidence)
      #expect(judgement.verdict == .notEnoughEvidence, "\(rule)")
      #expect(judgement.reasons.first?.rule == rule)
    }
    #expect(
      Self.gate { $0.allowsFittedPropensities = true }
        .judge(Self.evidence(good, fitted)).verdict == .release)
    #expect(
      Self.gate { $0.estimators = [] }.judge(Self.evidence(good)).verdict
        == .notEnoughEvidence)
  }

  @Test("estimators that lie more than their joint half width apart are no evidence")
  func disagreement() {
    // √(0.3² + 0.4²) = 0.5
    func verdict(_ apart: Double) -> ReleaseVerdict {
      Self.gate().judge(
        Self.evidence(Self.comparison("a", 1, 0.3), Self.comparison("b", 1 + apart, 0.4))
      ).verdict
    }
    #expect(verdict(0.49) == .release)
    #expect(verdict(0.51) == .notEnoughEvidence)
    #expect(verdict(-0.51) == .notEnoughEvidence)
    // Without any spread no difference is forgiven.
    #expect(
      Self.gate().judge(Self.evidence(Self.comparison("a", 1, 0), Self.comparison("b", 2, 0)))
        .verdict == .notEnoughEvidence)
  }

  @Test("a guardrail that is lost holds, one too uncertain is not enough evidence")
  func guardrails() {
    func verdict(_ difference: Double, low: Double) -> ReleaseVerdict {
      var evidence = Self.evidence(Self.comparison("a", 0.3, 0.1), Self.comparison("b", 0.3, 0.1))
      evidence.guardrails = [
        GateEvidence.Guardrail(
          name: "play_minutes", referenceValue: 10, difference: difference, low: low)
      ]
      return Self.gate { $0.guardrails = ["play_minutes": 0.1] }.judge(evidence).verdict
    }
    #expect(verdict(0.2, low: -0.9) == .release)
    #expect(verdict(-0.5, low: -1) == .release)
    #expect(verdict(-0.5, low: -1.1) == .notEnoughEvidence)
    #expect(verdict(-1.1, low: -1.5) == .hold)
  }

  @Test(
    "a guardrail asked for and not known is not enough evidence, unless the data cannot tell it")
  func missingGuardrail() {
    let gate = Self.gate { $0.guardrails = ["like": 0.1, "play_minutes": 0.1] }
    var evidence = Self.evidence(Self.comparison("a", 0.3, 0.1), Self.comparison("b", 0.3, 0.1))
    evidence.guardrails = [
      GateEvidence.Guardrail(name: "like", referenceValue: 10, difference: 1, low: 0.5)
    ]
    let judgement = gate.judge(evidence)
    #expect(judgement.verdict == .notEnoughEvidence)
    #expect(judgement.reasons.first?.rule == .guardrails)
    #expect(judgement.reasons.first?.text == "guardrail play_minutes: there is no evidence")
    evidence.uncheckedGuardrails = ["play_minutes"]
    #expect(gate.judge(evidence).verdict == .release)
    // What is known is judged, whoever says that it is not.
    evidence.uncheckedGuardrails = ["like", "play_minutes"]
    evidence.guardrails[0] = GateEvidence.Guardrail(
      name: "like", referenceValue: 10, difference: -2, low: -3)
    #expect(gate.judge(evidence).verdict == .hold)
  }

  @Test("what is no finite number releases nothing, and its reasons hold numbers only")
  func noNumbers() {
    let good = Self.comparison("b", 0.3, 0.1)
    for bad in [Double.nan, .infinity, -.infinity] {
      let comparisons = [
        GateEvidence.Comparison(
          estimator: "a", referenceValue: bad, difference: 0.3, low: 0.2, high: 0.4),
        GateEvidence.Comparison(
          estimator: "a", referenceValue: 2, difference: bad, low: 0.2, high: 0.4),
        GateEvidence.Comparison(
          estimator: "a", referenceValue: 2, difference: 0.3, low: bad, high: 0.4),
        GateEvidence.Comparison(
          estimator: "a", referenceValue: 2, difference: 0.3, low: 0.2, high: bad),
      ]
      for comparison in comparisons {
        let judgement = Self.gate { $0.leastRelativeLift = 0.01 }
          .judge(Self.evidence(comparison, good))
        #expect(judgement.verdict == .notEnoughEvidence, "\(comparison)")
        #expect(
          judgement.reasons.allSatisfy { ($0.found ?? 0).isFinite && ($0.limit ?? 0).isFinite })
      }
      for (reference, difference, low) in [(bad, 0.0, 0.0), (10, bad, 0.0), (10, 0.0, bad)] {
        var evidence = Self.evidence(Self.comparison("a", 0.3, 0.1), good)
        evidence.guardrails = [
          GateEvidence.Guardrail(
            name: "like", referenceValue: reference, difference: difference, low: low)
        ]
        let judgement = Self.gate { $0.guardrails = ["like": 0.1] }.judge(evidence)
        #expect(judgement.verdict == .notEnoughEvidence, "\(evidence.guardrails)")
        #expect(
          judgement.reasons.allSatisfy { ($0.found ?? 0).isFinite && ($0.limit ?? 0).isFinite })
      }
    }
  }
}
