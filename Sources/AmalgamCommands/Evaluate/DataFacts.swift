import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import TrajectoryPreparation

extension DataChecks.Facts {
  /// What a folder of trajectories and the policies' training data say beside the transitions.
  ///
  /// - Parameters:
  ///   - artifacts: rewards are held against those of each one's training data, where it knows them.
  ///   - largestRewardRatio: by what factor they may differ.
  /// - Throws: `PreparationError.shards`.
  init(
    of shards: TrajectoryShards, expecting artifacts: [PolicyArtifact], largestRewardRatio: Double
  ) throws {
    self.init()
    stateNames = shards.manifest.stateNames ?? []
    actionNames = shards.manifest.actionNames ?? []
    references = artifacts.compactMap { artifact in
      guard let window = artifact.manifest.dataWindow, let mean = window.meanReward else {
        return nil
      }
      return RewardReference(
        name: "the training data of \(artifact.manifest.policy.name)", mean: mean,
        deviation: window.rewardDeviation, largestFactor: largestRewardRatio)
    }
    if let names = shards.manifest.signals, shards.feedback(at: 0) != nil {
      signals = Signals(
        names: names,
        values: { transitions in transitions.flatMap { shards.feedback(at: $0) ?? [] } },
        itemCounts: try shards.itemCounts())
    }
  }
}
