/// What one step of a learner measured, before its updates.
package struct StepMetrics: Sendable, Equatable, Codable {
  /// The losses by name, in the order of the algorithm.
  package var losses: [NamedLoss]
  /// Q_φ1 at the logged actions; nil for a learner without critics.
  package var dataValues: ValueStatistics?
  /// Q_φ1 at the actions of the learner; nil for a learner without critics.
  package var policyValues: ValueStatistics?
  /// The mean of |y − Q_φ1(s, a)|; nil for a learner without critics.
  package var temporalDifferenceError: Double?
  /// The deviation between the generated actions of one state, a dimension: how much choice
  /// there is; nil for a learner without a generative model.
  package var candidateDeviation: Double?
  /// The mean weight of a transition in the critics' loss (UWAC+TD3) or in the policy's (IQL); nil
  /// for a learner that weighs all alike.
  package var sampleWeight: Double?
  /// The learner's actions beside the logged ones.
  package var actions: ActionStatistics

  /// One loss.
  package struct NamedLoss: Sendable, Equatable, Codable {
    /// Its name.
    package var name: String
    /// Its value.
    package var value: Double

    /// A loss with its name.
    package init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  /// Metrics of a step.
  package init(
    losses: [NamedLoss], dataValues: ValueStatistics? = nil,
    policyValues: ValueStatistics? = nil, temporalDifferenceError: Double? = nil,
    candidateDeviation: Double? = nil, sampleWeight: Double? = nil, actions: ActionStatistics
  ) {
    self.losses = losses
    self.dataValues = dataValues
    self.policyValues = policyValues
    self.temporalDifferenceError = temporalDifferenceError
    self.candidateDeviation = candidateDeviation
    self.sampleWeight = sampleWeight
    self.actions = actions
  }

  /// The loss of this name.
  package func loss(_ name: String) -> Double? { losses.first { $0.name == name }?.value }
}
