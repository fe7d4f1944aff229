import BatchRL
import FusionMDP
import SeededRandom

/// A small data set with everything in it: odd sizes, terminal and truncated sessions.
func smallSource(
  sessions: Int = 60, stateSize: Int = 5, actionSize: Int = 3, seed: UInt64 = 7
) throws -> TrajectoryArrays {
  var stream = RandomStream(seed: seed, name: "small source")
  let trajectories = (0..<sessions).map { number in
    let steps = 1 + stream.index(below: 6)
    return Trajectory(
      states: stream.gaussians(steps * stateSize),
      actions: stream.gaussians(steps * actionSize).map { min(max($0 / 2, -1), 1) },
      rewards: stream.gaussians(steps), end: number % 3 == 0 ? .truncated : .terminal,
      finalState: stream.gaussians(stateSize))
  }
  return try TrajectoryArrays(trajectories, stateSize: stateSize, actionSize: actionSize)
}

/// Settings that make steps quick.
func smallConfiguration(hidden: [Int] = [16, 12]) -> BatchRLMTFConfiguration {
  var configuration = BatchRLMTFConfiguration()
  configuration.hidden = hidden
  configuration.targetCandidates = 3
  configuration.actionCandidates = 7
  configuration.softUpdateInterval = 4
  return configuration
}

/// A short run over a source larger than the buffer.
func smallTraining(stepCount: Int = 20, threads: Int = 1) -> TrainingConfiguration {
  var configuration = TrainingConfiguration()
  configuration.stepCount = stepCount
  configuration.batchSize = 37
  configuration.transitionsFedPerStep = 37
  configuration.replayCapacity = 90
  configuration.reportInterval = 6
  configuration.checkpointInterval = 7
  configuration.threads = threads
  return configuration
}
