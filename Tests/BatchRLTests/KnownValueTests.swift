import BatchRL
import DenseKernels
import FusionMDP
import SeededRandom
import Testing

/// Small problems whose values are known: together about 5 s in release on two cores.
@Suite struct KnownValueTests {
  init() { KernelThreads.set(1) }

  /// Trains on raw states, which all lie within ±5.
  private func train(
    _ source: TrajectoryArrays, steps: Int,
    _ change: (inout BatchRLMTFConfiguration) -> Void = { _ in }
  ) throws -> BatchRLMTF {
    var configuration = BatchRLMTFConfiguration()
    configuration.hidden = [32, 32]
    configuration.criticLearningRate = 1e-3
    configuration.perturbationLearningRate = 1e-3
    change(&configuration)
    var training = TrainingConfiguration()
    training.stepCount = steps
    training.batchSize = 64
    training.reportInterval = steps
    training.threads = 1
    var run = try TrainingRun(
      learner: BatchRLMTF(
        stateSize: source.stateSize, actionSize: source.actionSize, configuration: configuration,
        initializedFrom: RandomStream(seed: 11, name: "known values")),
      source: source, normalizer: .identity(stateSize: source.stateSize),
      configuration: training, seed: 12)
    _ = try run.run()
    return run.learner
  }

  private func rootMeanSquare(_ errors: [Float]) -> Float {
    (errors.reduce(0) { $0 + $1 * $1 } / Float(errors.count)).squareRoot()
  }

  @Test("two-state chain: Q is r + γ·r′ in the first state and r′ in the last")
  func chain() throws {
    var stream = RandomStream(seed: 1, name: "chain")
    let source = try TrajectoryArrays(
      (0..<400).map { _ in
        Trajectory(
          states: [1, 0, 0, 1],
          actions: [Float(stream.uniform(in: -1...1)), Float(stream.uniform(in: -1...1))],
          rewards: [1, 2], end: .terminal)
      }, stateSize: 2, actionSize: 1)
    let learner = try train(source, steps: 3000)
    for action in [Float(-0.8), 0, 0.8] {
      let values = try #require(learner.values(states: [1, 0, 0, 1], actions: [action, action]))
      #expect(abs(values[0] - 2.9) < 0.05)  // 1 + 0.95 · 2
      #expect(abs(values[1] - 2) < 0.05)
    }
  }

  @Test(
    "a session cut by the log bootstraps to r/(1 − γ), the same session ended by the user to r",
    arguments: [(SessionEnd.truncated, Float(5)), (.terminal, 1)])
  func truncation(end: SessionEnd, expected: Float) throws {
    var stream = RandomStream(seed: 2, name: "truncation")
    let source = try TrajectoryArrays(
      (0..<200).map { _ in
        Trajectory(
          states: [0.5], actions: [Float(stream.uniform(in: -1...1))], rewards: [1], end: end,
          finalState: end == .truncated ? [0.5] : nil)
      }, stateSize: 1, actionSize: 1)
    let learner = try train(source, steps: 6000) { $0.discount = 0.8 }
    let values = try #require(learner.values(states: [0.5, 0.5], actions: [-0.5, 0.5]))
    #expect(values.allSatisfy { abs($0 - expected) < 0.02 * expected })
  }

  @Test("one-step bandit: Q is the reward, and among wide candidates the policy finds the best")
  func bandit() throws {
    var stream = RandomStream(seed: 3, name: "bandit")
    func reward(_ action: Float) -> Float { 1 - (action - 0.5) * (action - 0.5) }
    let source = try TrajectoryArrays(
      (0..<2000).map { _ in
        let action = Float(stream.uniform(in: -1...1))
        return Trajectory(
          states: [1], actions: [action], rewards: [reward(action)], end: .terminal)
      }, stateSize: 1, actionSize: 1)
    // A light divergence lets the latents spread the candidates over the logged actions.
    let learner = try train(source, steps: 4000) { $0.divergenceWeight = 0.02 }
    let grid = (0...18).map { Float($0) / 10 - 0.9 }
    let values = try #require(
      learner.values(states: grid.map { _ in 1 }, actions: grid))
    #expect(rootMeanSquare(zip(values, grid).map { $0 - reward($1) }) < 0.03)
    let requests = PolicyRequests(
      states: [Float](repeating: 1, count: 50), stateSize: 1,
      userHashes: [UInt64](repeating: 0, count: 50))
    let actions = learner.policy(normalizer: .identity(stateSize: 1))
      .decide(requests, using: &stream).actions
    #expect(actions.allSatisfy { abs($0 - 0.5) < 0.15 })
  }

  @Test("the policy improves on the logged actions by ρ where the best lies outside them")
  func improvement() throws {
    var stream = RandomStream(seed: 4, name: "improvement")
    let source = try TrajectoryArrays(
      (0..<2000).map { _ in
        let action = Float(min(max(0.2 + 0.1 * stream.gaussian(), -1), 1))
        return Trajectory(
          states: [1], actions: [action], rewards: [1 - (action - 0.8) * (action - 0.8)],
          end: .terminal)
      }, stateSize: 1, actionSize: 1)
    let learner = try train(source, steps: 3000)
    let requests = PolicyRequests(states: [1], stateSize: 1, userHashes: [0])
    let action = learner.policy(normalizer: .identity(stateSize: 1))
      .decide(requests, using: &stream).actions[0]
    #expect(abs(action - 0.35) < 0.05)  // the logged mean 0.2 and ρ = 0.15
  }

  @Test("linear-quadratic regulator: Q of the logged controller in closed form")
  func linearQuadratic() throws {
    var stream = RandomStream(seed: 5, name: "regulator")
    // s′ = s + a, r = −(s² + a²), a = −s/2 + noise. Under a = −s/2 the value is −p·s² with
    // p = 1 + ¼ + γ·p·¼, so Q(s, a) = −(s² + a²) − γ·p·(s + a)².
    let discount: Float = 0.9
    let p = 1.25 / (1 - discount / 4)
    func value(_ s: Float, _ a: Float) -> Float {
      -(s * s + a * a) - discount * p * (s + a) * (s + a)
    }
    let source = try TrajectoryArrays(
      (0..<4000).map { _ in
        let s = Float(stream.uniform(in: -1...1))
        let a = min(max(-s / 2 + 0.2 * Float(stream.gaussian()), -1), 1)
        return Trajectory(
          states: [s], actions: [a], rewards: [-(s * s + a * a)], end: .truncated,
          finalState: [s + a])
      }, stateSize: 1, actionSize: 1)
    let learner = try train(source, steps: 6000) {
      $0.discount = discount
      $0.perturbationBound = 0  // the policy evaluated is the generated one
      // The mean of the critics: their minimum adds a small pessimism at every step, which the
      // bootstrap multiplies by up to 1/(1 − γ).
      $0.minimumWeight = 0.5
    }
    let states = (0..<45).map { Float($0 % 9) / 5 - 0.8 }
    let actions = (0..<45).map { -states[$0] / 2 + Float($0 / 9) / 10 - 0.2 }
    let values = try #require(learner.values(states: states, actions: actions))
    let errors = values.indices.map { values[$0] - value(states[$0], actions[$0]) }
    #expect(rootMeanSquare(errors) < 0.05)  // the values span −1.9…0
  }
}
