public import FusionMDP
public import SeededRandom

/// Why a policy ranks as it does for one state: the weights, and what each task adds to each score.
public struct PolicyExplanation: Sendable, Equatable {
  /// The weight of one task.
  public struct TaskWeight: Sendable, Equatable {
    /// The task's name.
    public var task: String
    /// The normalized action in [−1, 1].
    public var action: Float
    /// The fusion weight within its bounds.
    public var weight: Float
  }

  /// A candidate with the parts of its score.
  public struct RankedCandidate: Sendable, Equatable {
    /// Its index among the candidates.
    public var index: Int
    /// Its fused score.
    public var score: Float
    /// What each task adds [K]: they sum to the score, or to its logarithm for `powerProduct`.
    public var contributions: [Float]
  }

  /// The weights in the order of the tasks.
  public var weights: [TaskWeight]
  /// The candidates, best first.
  public var ranking: [RankedCandidate]
}

extension PolicyArtifact {
  /// The fusion weights [K] for one raw state [S].
  ///
  /// - Throws: `PolicyArtifactError.invalidState`, `.invalidDecision`.
  public func weights(
    forState state: [Float], userHash: UInt64 = 0, using stream: inout RandomStream
  ) throws(PolicyArtifactError) -> [Float] {
    manifest.fusion.bounds.denormalized(
      try action(forState: state, userHash: userHash, using: &stream))
  }

  /// The weights for one raw state [S], and the candidates ranked by them with each task's part.
  ///
  /// - Parameter count: how many of the candidates to rank; all of them if nil.
  /// - Throws: `PolicyArtifactError`, or `FusionError` for the scores.
  public func explain(
    state: [Float], scores: TaskScores, count: Int? = nil, userHash: UInt64 = 0,
    using stream: inout RandomStream
  ) throws -> PolicyExplanation {
    let fusion = manifest.fusion
    guard scores.schema == fusion.schema else {
      throw FusionError.invalidSchema(
        "the scores are of \(scores.schema.names), the policy fuses \(fusion.schema.names)")
    }
    let action = try action(forState: state, userHash: userHash, using: &stream)
    let weights = fusion.bounds.denormalized(action)
    let order = try fusion.formula.rankedCandidates(
      scores, weights: weights, count: count ?? scores.candidateCount)
    return PolicyExplanation(
      weights: fusion.schema.names.indices.map {
        PolicyExplanation.TaskWeight(
          task: fusion.schema.names[$0], action: action[$0], weight: weights[$0])
      },
      ranking: order.map { index in
        PolicyExplanation.RankedCandidate(
          index: index, score: fusion.formula.fusedScore(of: scores[index], weights: weights),
          contributions: fusion.formula.contributions(scores: scores[index], weights: weights))
      })
  }

  private func action(
    forState state: [Float], userHash: UInt64, using stream: inout RandomStream
  ) throws(PolicyArtifactError) -> [Float] {
    let stateSize = manifest.sizes.state ?? manifest.stateEncoder?.stateSize
    if let expected = stateSize, state.count != expected {
      throw .invalidState(reason: "expected \(expected) features, found \(state.count)")
    }
    if let position = state.firstIndex(where: { !$0.isFinite }) {
      let name = manifest.stateEncoder?.names[position] ?? "\(position)"
      throw .invalidState(
        reason: "feature \(name): expected a finite number, found \(state[position])")
    }
    let requests = PolicyRequests(
      states: state, stateSize: state.count, userHashes: [userHash])
    let action = policy.decide(requests, using: &stream).actions
    do {
      try manifest.fusion.bounds.validate(action: action, schema: manifest.fusion.schema)
    } catch {
      throw .invalidDecision(policy: policy.name, reason: error.description)
    }
    return action
  }
}
