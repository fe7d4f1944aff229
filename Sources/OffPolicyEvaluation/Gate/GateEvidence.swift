/// What is known about a policy beside what runs today, from the same logged sessions.
package struct GateEvidence: Sendable, Equatable {
  /// One estimator's word on both policies, paired.
  package struct Comparison: Sendable, Equatable {
    /// Name of the estimator.
    package let estimator: String
    /// V̂ of what it is compared with.
    package let referenceValue: Double
    /// V̂(policy) − V̂(reference).
    package let difference: Double
    /// Lower end of the difference's interval.
    package let low: Double
    /// Upper end of it.
    package let high: Double
    /// What the two estimates lack, in words; empty where nothing.
    package let shortcomings: [String]
    /// Whether it weighs by propensities that were fitted to the log.
    package let usesFittedPropensities: Bool

    /// A comparison.
    package init(
      estimator: String, referenceValue: Double, difference: Double, low: Double, high: Double,
      shortcomings: [String] = [], usesFittedPropensities: Bool = false
    ) {
      self.estimator = estimator
      self.referenceValue = referenceValue
      self.difference = difference
      self.low = low
      self.high = high
      self.shortcomings = shortcomings
      self.usesFittedPropensities = usesFittedPropensities
    }

    /// Half the width of the difference's interval.
    var reach: Double { (high - low) / 2 }
  }

  /// A quantity that must not be lost while satisfaction is gained.
  package struct Guardrail: Sendable, Equatable {
    /// Its name in the thresholds.
    package let name: String
    /// The reference's value of it.
    package let referenceValue: Double
    /// The policy's less the reference's.
    package let difference: Double
    /// Lower end of the difference's interval.
    package let low: Double

    /// A guardrail's comparison.
    package init(name: String, referenceValue: Double, difference: Double, low: Double) {
      self.name = name
      self.referenceValue = referenceValue
      self.difference = difference
      self.low = low
    }
  }

  /// One an estimator.
  package var comparisons: [Comparison] = []
  /// One a guardrail that could be computed.
  package var guardrails: [Guardrail] = []
  /// Names of guardrails that the data cannot tell, as they hold no such signal: the gate asks nothing
  /// of them.
  package var uncheckedGuardrails: Set<String> = []
  /// What is wrong with the data so that nothing computed from them says anything, in words.
  package var dataFindings: [String] = []
  /// Where the reference is what was logged, the share of sessions that the log's window cut.
  package var truncatedShare: Double?

  /// Evidence of nothing.
  package init() {}
}
