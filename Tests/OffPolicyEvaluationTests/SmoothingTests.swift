import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Smoothing, double robustness, differences")
struct SmoothingTests {
  static func bandit(
    _ policy: any FusionPolicy, count: Int, bandwidth: KernelBandwidth = .automatic, seed: UInt64
  ) throws -> EvaluationSessions {
    var stream = RandomStream(seed: seed, name: "smoothing")
    return try EvaluationSessions(
      policy: policy, data: ContinuousBandit().sessions(count: count, using: &stream),
      normalizer: .identity(stateSize: 1), bandwidth: bandwidth, seed: seed)
  }

  @Test("a deterministic policy's estimate is that of the smoothed one", arguments: [0.1, 0.3])
  func smoothedValue(h: Double) throws {
    let sessions = try Self.bandit(
      ProportionalPolicy(gain: 0.9), count: 20_000, bandwidth: .fixed(h), seed: 1)
    let truth = ContinuousBandit.value(gain: 0.9, deviation: h)
    for kind in [.oneStepSelfNormalized, .oneStepDoublyRobust, .doublyRobust] as [EstimatorKind] {
      let estimate = try kind.make().estimate(on: sessions, seed: 1)
      let error = estimate.standardErrors.total
      #expect(abs(estimate.value - truth) < 4 * error, "\(kind): \(estimate.value), \(truth)")
      #expect(error < 0.03)
      #expect(estimate.weights?.bandwidth == h)
    }
    // The bias of the smoothing itself, against h → 0.
    let bias = truth - ContinuousBandit.value(gain: 0.9, deviation: 0.001)
    #expect(bias < 0 && abs(bias) < 1.2 * h * h, "\(bias)")
  }

  @Test("the bandwidth is the smallest of the grid with 5 % of the requests as effective size")
  func automatic() throws {
    let sessions = try Self.bandit(ProportionalPolicy(gain: 0.9), count: 3000, seed: 2)
    let h = try #require(
      OneStepImportanceSampling(isSelfNormalized: false).estimate(on: sessions, seed: 1)
        .weights?.bandwidth)
    let behavior = try sessions.behaviorLogDensities()
    for candidate in KernelBandwidth.grid where candidate <= h {
      let size = WeightTerms.effectiveSampleSize(
        logWeights: zip(sessions.policyLogDensities(bandwidth: candidate), behavior).map { $0 - $1 }
      )
      #expect((size >= 150) == (candidate == h), "h \(candidate): \(size)")
    }
  }

  @Test("a smoothed policy's weights have mean one at the edge of the box too")
  func edge() throws {
    let sessions = try Self.bandit(
      FixedWeightsPolicy(action: [1]), count: 20_000, bandwidth: .fixed(0.2), seed: 4)
    let weights = try #require(
      OneStepImportanceSampling(isSelfNormalized: false).estimate(on: sessions, seed: 1).weights)
    #expect(abs(weights.meanWeight - 1) < 4 * weights.meanWeightError, "\(weights)")
    #expect(weights.meanWeightError < 0.05)
  }

  /// Mean error of the doubly robust estimate over 60 logs.
  static func bias(right features: Bool, rightPropensities: Bool) throws -> (Double, Double) {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    let truth = problem.values(of: TabularProblem.target)[0...1].reduce(0, +) / 2
    var estimator = DoublyRobust()
    estimator.model.configuration.discount = problem.discount
    estimator.model.ridge = 1e-9
    estimator.model.features = features ? TableFeatures(stateCount: 3) : StateFeatures()
    estimator.configuration.interval = .studentT
    var errors: [Double] = []
    for replicate in 0..<60 {
      var stream = RandomStream(seed: 31, name: "robust").child("data", replicate)
      let data = try problem.loggedSessions(users: 300, using: &stream)
      let logged = data.logPropensities(at: Array(0..<data.transitionCount))
      let actions = data.batch(at: Array(0..<data.transitionCount)).actions
      // Wrong: action 1 is said to be a fifth less likely than it was.
      let wrong = zip(logged, actions).map { Double($0) - ($1 > 0 ? logarithm(1.25) : 0) }
      let sessions = try EvaluationSessions(
        policy: TabularProblem.target, data: data, normalizer: problem.normalizer,
        discount: problem.discount, samples: 4,
        propensities: rightPropensities ? .logged : .fitted(wrong), seed: UInt64(replicate))
      errors.append(try estimator.estimate(on: sessions, seed: 1).value - truth)
    }
    let mean = errors.reduce(0, +) / 60
    let squares = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / 59 / 60).squareRoot())
  }

  @Test("doubly robust: either the model or the propensities may be wrong, not both")
  func doubleRobustness() throws {
    let model = try Self.bias(right: false, rightPropensities: true)
    let propensities = try Self.bias(right: true, rightPropensities: false)
    let both = try Self.bias(right: false, rightPropensities: false)
    #expect(abs(model.0) < 3.5 * model.1, "\(model)")
    #expect(abs(propensities.0) < 3.5 * propensities.1, "\(propensities)")
    #expect(abs(both.0) > 5 * both.1, "\(both)")
  }

  @Test("a difference of two policies on the same log is narrower than two logs would make it")
  func difference() throws {
    let near = try Self.bandit(
      ActionNoiseExploration(base: ProportionalPolicy(gain: 0.4), deviation: 0.3), count: 400,
      seed: 6)
    let other = try Self.bandit(
      ActionNoiseExploration(base: ProportionalPolicy(gain: 0.3), deviation: 0.3), count: 400,
      seed: 6)
    for kind in EstimatorKind.allCases where kind.needsPropensities {
      let first = try kind.make().estimate(on: near, seed: 1)
      let second = try kind.make().estimate(on: other, seed: 1)
      let own = first.difference(from: first, on: near)
      #expect(own.value == 0 && own.low == 0 && own.high == 0)
      let paired = first.difference(from: second, on: near)
      #expect(abs(paired.value - (first.value - second.value)) < 1e-12)
      #expect(paired.low < paired.value && paired.value < paired.high)
      let apart =
        (first.standardErrors.total * first.standardErrors.total
        + second.standardErrors.total * second.standardErrors.total).squareRoot()
      let share = (paired.high - paired.low) / (2 * 1.97 * apart)
      #expect(share < 0.5, "\(kind): \(share) of the width without pairing")
    }
  }

  @Test("policies smoothed by different bandwidths have no difference: the program stops")
  func bandwidths() async {
    await #expect(processExitsWith: .failure) {
      let estimates = try [0.1, 0.2].map { h in
        let sessions = try SmoothingTests.bandit(
          ProportionalPolicy(gain: 0.4), count: 40, bandwidth: .fixed(h), seed: 6)
        return (try ImportanceSampling().estimate(on: sessions, seed: 1), sessions)
      }
      _ = estimates[0].0.difference(from: estimates[1].0, on: estimates[0].1)
    }
  }

  @Test("contributions are the derivative of a ratio by each unit's share")
  func influences() throws {
    var stream = RandomStream(seed: 8, name: "influences")
    var sums = RatioSums(coefficients: [1, 0.5, 0.25])
    for _ in 0..<400 {
      let length = 1 + stream.index(below: 3)
      let weights = (0..<length).map { _ in 0.5 + stream.uniform() }
      sums.append(
        weights.map { $0 * stream.gaussian() }, over: weights, tail: weights[length - 1])
    }
    let value = try #require(sums.value(of: 0..<400))
    let contributions = sums.contributions(value: value)
    for unit in 0..<10 {
      // Leaving one out moves V̂ by about −ψ/n.
      let without = try #require(sums.value(of: (0..<400).filter { $0 != unit }))
      #expect(abs((value - without) * 400 - (contributions[unit] - value)) < 0.05)
    }
    let groups = (0..<100).map { g in (4 * g..<4 * g + 4).map { $0 } }
    #expect(abs(try #require(sums.grouped(groups).value(of: 0..<100)) - value) < 1e-12)
  }

  @Test("densities of exploration policies for any action are those that they log")
  func densities() {
    var stream = RandomStream(seed: 9, name: "densities")
    let requests = PolicyRequests(
      states: stream.gaussians(50).map { min(max($0, -1), 1) }, stateSize: 1,
      userHashes: (0..<50).map { stableHash(UInt64($0), seed: 1) })
    let noise = ActionNoiseExploration(base: ProportionalPolicy(gain: 0.5), deviation: 0.2)
    let random = RandomExploration(actionSize: 1)
    let mixed = MixedExploration(random: random, actionNoise: noise)
    for policy in [random, noise, mixed] as [any DensityPolicy] {
      let decided = policy.decide(requests, using: &stream)
      #expect(policy.logDensities(of: decided.actions, for: requests) == decided.logPropensities)
    }
    let unknown = MixedExploration(random: random, actionNoise: ProportionalPolicy(gain: 1))
      .logDensities(of: [Float](repeating: 0, count: 50), for: requests)
    #expect(unknown.contains { $0.isNaN } && unknown.contains { !$0.isNaN })
  }
}
