import BatchRL
import DenseKernels
import FusionMDP
import SeededRandom
import Testing

/// Every learner on three kinds of data from one pendulum, as BCQ's paper compares them; about 40 s
/// in release on one core. Each kind of data and each seed is a case of its own, so that cases run beside
/// each other.
@Suite struct PendulumRegimeTests {
  private struct Outcome: CustomStringConvertible {
    /// Of an episode, over 50 starts.
    var meanReturn: Double
    /// Root mean square from the logged actions, and the share of decisions at the bounds.
    var decisions: ActionStatistics
    /// The mean estimated value of decisions in logged states, and the discounted return that the
    /// policy gets from there.
    var value: Double
    var truth: Double

    var description: String {
      "return \(meanReturn), distance \(decisions.distanceFromData), "
        + "saturation \(decisions.saturationShare), value \(value), truth \(truth)"
    }
  }

  private func outcome(
    _ kind: EveryLearner, _ regime: Pendulum.Regime, seed: UInt64, steps: Int,
    discount: Float = 0.95, softUpdateRate: Float = 0.005
  ) throws -> Outcome {
    let source = try Pendulum.data(regime, episodes: 200, seed: seed)
    var settings = EveryLearner.Settings()
    settings.hidden = [64, 64]
    settings.explosionFactor = 1e6
    settings.divergenceWeight = 0.25
    settings.discount = discount
    settings.softUpdateRate = softUpdateRate
    let stream = RandomStream(seed: seed, name: "pendulum regimes")
    let result = try trained(
      kind.make(stateSize: 3, actionSize: 1, settings, from: stream), source, steps: steps,
      batchSize: 128, normalizer: StateNormalizer.fit(on: source), seed: seed)
    let last = try #require(result.reports.last)
    let starts = (0..<200).map { Pendulum(state: source.batch(at: [$0 * 97]).states) }
    let outcome = Outcome(
      meanReturn: Pendulum.meanReturn(result.policy, episodes: 50, seed: 99),
      decisions: last.decisions, value: last.decisionValues?.mean ?? .nan,
      truth: Pendulum.meanReturn(
        result.policy, from: starts, discount: Double(discount), drawingFrom: stream))
    print("pendulum, \(regime) data, seed \(seed), γ \(discount), \(kind): \(outcome)")
    return outcome
  }

  @Test(
    "what learns from values does better than the log, each kind of data its own way",
    arguments: Pendulum.Regime.allCases)
  func regimes(regime: Pendulum.Regime) throws {
    var outcomes: [EveryLearner: Outcome] = [:]
    for kind in EveryLearner.allCases {
      outcomes[kind] = try outcome(kind, regime, seed: 1, steps: 5000)
    }
    func meanReturn(_ kind: EveryLearner) -> Double { outcomes[kind]?.meanReturn ?? .nan }
    let cloning = meanReturn(.behaviorCloning)
    switch regime {
    case .random:
      // Everything was tried everywhere, so that nothing has to hold a learner back.
      for kind in [EveryLearner.batchRLMTF, .td3, .uwacTD3, .iql] {
        #expect(meanReturn(kind) > cloning + 5, "\(kind)")
      }
    case .imperfect:
      for kind in [EveryLearner.batchRLMTF, .iql] {
        #expect(meanReturn(kind) > cloning + 5, "\(kind)")
      }
      #expect(meanReturn(.td3) < cloning)
    case .narrow:
      for kind in [EveryLearner.batchRLMTF, .td3BC, .iql] {
        #expect(meanReturn(kind) > cloning - 5, "\(kind)")
      }
      #expect(meanReturn(.td3) < cloning - 20)
    }
    let constrained = try #require(outcomes[.batchRLMTF]).decisions.distanceFromData
    #expect(constrained < (outcomes[.td3]?.decisions.distanceFromData ?? 0))
  }

  @Test(
    "CQL's values lie below what its policy gets, on every kind of data",
    arguments: Pendulum.Regime.allCases)
  func conservative(regime: Pendulum.Regime) throws {
    // Slow copies that keep up, so that values have settled when the test ends.
    let outcome = try outcome(.cqlSAC, regime, seed: 1, steps: 10_000, softUpdateRate: 0.02)
    #expect(outcome.value < outcome.truth)
  }

  @Test(
    "offline TD3 fails on narrow data: values beyond any return, actions at the bounds",
    arguments: [1, 2] as [UInt64])
  func extrapolation(seed: UInt64) throws {
    let free = try outcome(.td3, .narrow, seed: seed, steps: 30_000, discount: 0.99)
    // Rewards are never positive, so no return is.
    #expect(free.value > 0 && free.value > free.truth + 5)
    #expect(free.decisions.saturationShare > 0.5)
    let constrained = try outcome(.batchRLMTF, .narrow, seed: seed, steps: 5000, discount: 0.99)
    #expect(constrained.value < 0)
    #expect(constrained.decisions.saturationShare < 0.3)
    #expect(constrained.decisions.distanceFromData < free.decisions.distanceFromData / 2)
    #expect(constrained.meanReturn > free.meanReturn + 30)
  }
}
