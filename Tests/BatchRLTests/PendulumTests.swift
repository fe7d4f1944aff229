import BatchRL
import DenseKernels
import FusionMDP
import SeededRandom
import Testing

/// The learner against behavior cloning on a pendulum, about 30 s in release on two cores.
@Suite struct PendulumTests {
  private func train<Learner: BatchLearner>(
    _ learner: Learner, _ source: TrajectoryArrays, steps: Int, seed: UInt64
  ) throws -> any FusionPolicy {
    KernelThreads.set(1)
    var training = TrainingConfiguration()
    training.stepCount = steps
    training.batchSize = 128
    training.reportInterval = steps
    var run = try TrainingRun(
      learner: learner, source: source, normalizer: StateNormalizer.fit(on: source),
      configuration: training, seed: seed)
    _ = try run.run()
    return run.policy()
  }

  @Test("on imperfect data BatchRL-MTF does better than behavior cloning, by a paired test")
  func pairedSeeds() throws {
    var differences: [Double] = []
    for seed in UInt64(1)...5 {
      let source = try Pendulum.data(.imperfect, episodes: 300, seed: seed)
      let root = RandomStream(seed: seed, name: "pendulum learners")
      var cloning = BehaviorCloning.Configuration()
      cloning.hidden = [64, 64]
      let cloned = try train(
        BehaviorCloning(
          stateSize: 3, actionSize: 1, configuration: cloning, initializedFrom: root),
        source, steps: 6000, seed: seed)
      var configuration = BatchRLMTFConfiguration()
      configuration.hidden = [64, 64]
      let learnt = try train(
        BatchRLMTF(
          stateSize: 3, actionSize: 1, configuration: configuration, initializedFrom: root),
        source, steps: 8000, seed: seed)
      let returns = [cloned, learnt, PendulumController()].map { policy in
        Pendulum.meanReturn(policy, episodes: 50, seed: 99)
      }
      print("pendulum, seed \(seed): cloning, learner, noiseless controller \(returns)")
      differences.append(returns[1] - returns[0])
    }
    let mean = differences.reduce(0, +) / 5
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
    let t = mean / (variance / 5).squareRoot()
    print("pendulum: mean difference \(mean), t \(t)")
    #expect(t > 2.132)  // one-sided 5 % of Student's t with 4 degrees of freedom
  }
}
