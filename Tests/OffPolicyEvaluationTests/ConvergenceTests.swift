import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Convergence")
struct ConvergenceTests {
  /// Seeds 0, 1 and 2 of problem, policy and fit, as in the linear fit's test.
  @Test(
    "run to its end on whole batches, a network equals the exact solve of random tabular MDPs",
    arguments: [0, 1, 2] as [UInt64])
  func exact(seed: UInt64) throws {
    let problem = TabularProblem(seed: seed)
    var stream = RandomStream(seed: seed, name: "policy")
    let table = stream.indices(below: TabularProblem.actionCount, count: problem.stateCount)
    var configuration = FittedQConfiguration()
    configuration.discount = problem.discount
    configuration.hidden = [32, 32]
    configuration.learningRate = 1e-3
    configuration.rounds = 3000
    configuration.readsAllTransitions = true
    configuration.intervalFits = 2
    let estimate = try FittedQEvaluation(configuration: configuration).estimate(
      policy: IndicatorPolicy(actions: table), data: problem.everyTransition(oneHot: true),
      normalizer: .identity(stateSize: problem.stateCount), seed: seed)
    let truth = problem.values(of: table).reduce(0, +) / Double(problem.stateCount)
    #expect(abs(estimate.value - truth) < 1e-3, "\(estimate.value) against \(truth)")
    #expect(estimate.hasConverged == true)
    #expect(abs(try #require(estimate.fit?.convergence).residual) < 1e-3)
  }

  /// A problem whose logged sessions are worth less than the policy, by a wide margin.
  private static func estimates(
    rounds: Int, learningRate: Float
  ) throws -> (network: PolicyValueEstimate, linear: PolicyValueEstimate) {
    let problem = TabularProblem(stateCount: 3, seed: 4)
    let table = [0, 1, 2].map { s in
      (0..<3).max {
        problem.rewards[s * 3 + $0] < problem.rewards[s * 3 + $1]
      } ?? 0
    }
    var stream = RandomStream(seed: 1, name: "convergence")
    let data = try problem.sessions(users: 300, using: &stream)
    var configuration = FittedQConfiguration()
    configuration.discount = problem.discount
    configuration.hidden = [32, 32]
    configuration.learningRate = learningRate
    configuration.rounds = rounds
    configuration.batchSize = 256
    configuration.intervalFits = 4
    let network = try FittedQEvaluation(configuration: configuration).estimate(
      policy: TablePolicy(actions: table), data: data, normalizer: problem.normalizer, seed: 1)
    let linear = try TabularTests.linear(problem, fits: 4).estimate(
      policy: TablePolicy(actions: table), data: data, normalizer: problem.normalizer, seed: 1)
    return (network, linear)
  }

  @Test("a fit that is cut short says so, and drifts toward the limit")
  func cutShort() throws {
    let (short, limit) = try Self.estimates(rounds: 150, learningRate: 3e-4)
    let convergence = try #require(short.fit?.convergence)
    #expect(short.hasConverged == false)
    #expect(limit.value > short.value + 0.3, "\(short.value) against \(limit.value)")
    #expect(convergence.drift > 3 * convergence.driftError, "\(convergence)")
    #expect(limit.hasConverged == nil && limit.fit?.convergence == nil)
  }

  @Test("the residual tells a level that is off: 1 + γ·1 − 1 where the log shows a single step")
  func residual() throws {
    // Every session is cut after one step of reward 1, so Q begins at 1; its limit is 1/(1 − ½).
    let sessions = (0..<20).map {
      Trajectory(
        states: [0], actions: [0], rewards: [1], end: .truncated, finalState: [0],
        userHash: UInt64($0))
    }
    var configuration = FittedQConfiguration()
    configuration.discount = 0.5
    configuration.rounds = 2
    configuration.learningRate = 1e-6
    let estimate = try FittedQEvaluation(configuration: configuration).estimate(
      policy: TablePolicy(actions: [1]),
      data: TrajectoryArrays(sessions, stateSize: 1, actionSize: 1),
      normalizer: .identity(stateSize: 1), seed: 1)
    #expect(abs(estimate.value - 1) < 0.02)
    #expect(abs(try #require(estimate.fit?.convergence).residual - 0.5) < 0.02)
    #expect(estimate.hasConverged == false)
  }

  @Test("a fit that has come to its end says so")
  func long() throws {
    let (network, limit) = try Self.estimates(rounds: 8000, learningRate: 1e-3)
    #expect(network.hasConverged == true, "\(network)")
    #expect(abs(network.value - limit.value) < 0.06, "\(network.value) against \(limit.value)")
    #expect(
      abs(try #require(network.fit?.convergence).residual) < 0.02,
      "\(String(describing: network.fit))")
  }

  @Test("a single round has no course to tell")
  func singleRound() throws {
    let (network, _) = try Self.estimates(rounds: 1, learningRate: 1e-3)
    #expect(network.fit?.convergence == nil && network.hasConverged == nil)
  }
}
