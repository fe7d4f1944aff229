import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Weighted estimators by hand")
struct WeightedEstimatorTests {
  /// Two sessions, of two steps and of one: ratios 2, 2 and ½, rewards 1, 2 and 3; γ = ½.
  static func sessions(
    _ propensities: [Float]? = [0.25, 0.3, 0.4], end: SessionEnd = .terminal
  ) throws -> EvaluationSessions {
    let logged = propensities.map { $0.map { Float(logarithm(Double($0))) } }
    let data = try TrajectoryArrays(
      [
        Trajectory(
          states: [0, 1], actions: [0, 0.5], rewards: [1, 2],
          logPropensities: logged.map { Array($0[..<2]) }, end: end,
          finalState: end == .truncated ? [1] : nil, userHash: 1),
        Trajectory(
          states: [2], actions: [-0.5], rewards: [3],
          logPropensities: logged.map { Array($0[2...]) }, end: .terminal, userHash: 2),
      ], stateSize: 1, actionSize: 1)
    return try EvaluationSessions(
      policy: ListedDensities(densities: [0.5, 0.6, 0.2]), data: data,
      normalizer: .identity(stateSize: 1), discount: 0.5, seed: 1)
  }

  static func estimate(
    _ kind: EstimatorKind, on sessions: EvaluationSessions, cap: Double = 20
  ) throws -> PolicyValueEstimate {
    var configuration = EstimatorConfiguration()
    configuration.cap = cap
    configuration.interval = .studentT
    return try kind.make(configuration).estimate(on: sessions, seed: 1)
  }

  /// Weights of the sessions 4 and ½, returns 2 and 3.
  @Test(
    "values equal those worked by hand",
    arguments: [
      (.importanceSampling, 4.75),  // (4·2 + ½·3)/2
      (.selfNormalizedImportanceSampling, 9.5 / 4.5),
      (.perDecisionImportanceSampling, 3.75),  // (2·1 + ½·4·2 + ½·3)/2
      (.selfNormalizedPerDecision, 3.5 / 2.5 + 0.5 * 8 / 4.5),
      (.cappedImportanceSampling, 3.5 / 2.5 + 0.5 * 6 / 3.5),  // c = 3
      (.oneStepImportanceSampling, 2.5),  // (2·1 + 2·2 + ½·3)/3
      (.oneStepSelfNormalized, 7.5 / 4.5),
    ] as [(EstimatorKind, Double)])
  func values(kind: EstimatorKind, expected: Double) throws {
    let estimate = try Self.estimate(kind, on: Self.sessions(), cap: 3)
    #expect(abs(estimate.value - expected) < 1e-6, "\(estimate.value)")
    #expect(estimate.estimator == kind.rawValue)
    let mean = estimate.parts.contributions.reduce(0, +) / Double(estimate.n)
    #expect(abs(mean - expected) < 1e-6, "contributions \(estimate.parts.contributions)")
  }

  @Test("diagnostics equal those worked by hand")
  func diagnostics() throws {
    let estimate = try Self.estimate(.importanceSampling, on: Self.sessions())
    let weights = try #require(estimate.weights)
    #expect(abs(weights.effectiveSampleSize - 4.5 * 4.5 / 16.25) < 1e-6)
    #expect(abs(weights.largestShare - 4 / 4.5) < 1e-6)
    #expect(abs(weights.meanWeight - 1.5) < 1e-6)
    // Users' sums less 1.5 each: 1 and −1; 2/(2 − 1) · 2/9.
    #expect(abs(weights.meanWeightError * weights.meanWeightError - 4.0 / 9) < 1e-6)
    #expect(weights.bandwidth == nil && !weights.propensitiesAreFitted)
    // Contributions 8 and 1.5: deviation 4.596, over √2, times t of one degree.
    #expect(abs(estimate.high - estimate.value - 12.706204736 * 3.25) < 1e-4)
    // Steps' running weights 2, 4 with measure 1, ½ and ½: 8/3 and ½.
    let perDecision = try #require(
      Self.estimate(.perDecisionImportanceSampling, on: Self.sessions()).weights)
    #expect(abs(perDecision.largestShare - (8.0 / 3) / (8.0 / 3 + 0.5)) < 1e-6)
  }

  @Test("the doubly robust value of a session is that of the recursion")
  func doublyRobustTerms() {
    // V_1 = 2 + 2·(2 − 1) = 4, V_0 = 1 + 2·(1 + ½·4 − 1.5) = 4.
    let value = DoublyRobustTerms.initialValue(
      values: [1, 2], logWeights: WeightTerms.cumulative([logarithm(2), logarithm(2)]),
      errors: [1 + 0.5 * 2 - 1.5, 2 - 1], discount: 0.5)
    #expect(abs(value - 4) < 1e-9)
  }

  @Test("without a model of any use the doubly robust estimate is per-decision weighting")
  func doublyRobustWithoutModel() throws {
    struct Nothing: StateActionFeatures {
      func count(stateSize: Int, actionSize: Int) -> Int { 1 }
      func append(
        state: ArraySlice<Float>, action: ArraySlice<Float>, to features: inout [Double]
      ) { features.append(1e-9) }
    }
    var configuration = FittedQConfiguration()
    configuration.discount = 0.5
    let model = LinearFittedQ(configuration: configuration, features: Nothing(), ridge: 1e30)
    let estimate = try DoublyRobust(model: model).estimate(on: Self.sessions(), seed: 1)
    #expect(abs(estimate.value - 3.75) < 1e-6, "\(estimate.value)")
    let oneStep = try DoublyRobust(estimand: .requestValue, model: model)
      .estimate(on: Self.sessions(), seed: 1)
    #expect(abs(oneStep.value - 2.5) < 1e-6, "\(oneStep.value)")
  }

  @Test("pure weighting reads the logged part of a cut session")
  func cut() throws {
    let whole = try Self.estimate(.importanceSampling, on: Self.sessions())
    let sessions = try Self.sessions(end: .truncated)
    let part = try Self.estimate(.importanceSampling, on: sessions)
    #expect(whole.value == part.value)
    #expect(sessions.truncatedSessions == 1)
    let kinds = part.shortcomings(on: sessions).map(\.kind)
    #expect(kinds.contains(.truncatedShare))
    var model = LinearFittedQ()
    model.configuration.discount = 0.5
    let robust = try DoublyRobust(model: model).estimate(on: sessions, seed: 1)
    #expect(!robust.shortcomings(on: sessions).map(\.kind).contains(.truncatedShare))
  }

  @Test("a cut session goes on with the model's value")
  func goesOn() throws {
    // One step of reward 1, then the same again: 1/(1 − ½), of which the log shows 1.
    let data = try TrajectoryArrays(
      (0..<20).map {
        Trajectory(
          states: [0], actions: [0], rewards: [1], logPropensities: [Float(logarithm(0.5))],
          end: .truncated, finalState: [0], userHash: UInt64($0))
      }, stateSize: 1, actionSize: 1)
    let sessions = try EvaluationSessions(
      policy: ListedDensities(densities: [0.5]), data: data, normalizer: .identity(stateSize: 1),
      discount: 0.5, seed: 1)
    var model = LinearFittedQ()
    model.configuration.discount = 0.5
    model.features = StateFeatures()
    let robust = try DoublyRobust(model: model).estimate(on: sessions, seed: 1)
    #expect(abs(robust.value - 2) < 1e-5, "\(robust.value)")
    let plain = try ImportanceSampling().estimate(on: sessions, seed: 1)
    #expect(abs(plain.value - 1) < 1e-6)
  }

  @Test("a model of another discount than the sessions' stops the program")
  func otherDiscount() async {
    await #expect(processExitsWith: .failure) {
      _ = try DoublyRobust().estimate(on: WeightedEstimatorTests.sessions(), seed: 1)
    }
  }

  @Test("a cap that nothing reaches changes nothing")
  func looseCap() throws {
    let capped = try Self.estimate(.cappedImportanceSampling, on: Self.sessions(), cap: 1e6)
    let free = try Self.estimate(.selfNormalizedPerDecision, on: Self.sessions())
    #expect(capped.value == free.value && capped.low == free.low)
    let cap = try #require(capped.weights?.cap)
    #expect(cap.cappedShare == 0 && cap.removedShare == 0 && cap.shift == 0)
    #expect(free.weights?.cap == nil)
  }

  @Test("what a cap took off equals what is worked by hand, and above the floor it is told")
  func removed() throws {
    let sessions = try Self.sessions()
    let estimate = try Self.estimate(.cappedImportanceSampling, on: sessions, cap: 3)
    let cap = try #require(estimate.weights?.cap)
    #expect(cap.cap == 3)
    #expect(cap.cappedShare == 0.5)
    // Of weights 4 and ½ at the second step, 1; γ = ½: (0 + ½·1/4.5) / 1.5.
    #expect(abs(cap.removedShare - 0.5 / 4.5 / 1.5) < 1e-6)
    #expect(abs(cap.shift - 0.5 * (8 / 4.5 - 6 / 3.5)) < 1e-6)
    func found(_ largest: Double) -> [EvidenceShortcoming] {
      var floors = EvidenceFloors()
      floors.largestRemovedShare = largest
      return estimate.shortcomings(under: floors, on: sessions).filter { $0.kind == .removedShare }
    }
    #expect(found(0.08).isEmpty)
    #expect(found(0.07).map(\.found) == [cap.removedShare])
    #expect(found(0.07).first?.description.contains("the cap of 3 took off 7.4 %") == true)
  }

  @Test("a session that is over keeps its weight")
  func absorbing() throws {
    // π = μ: the second step's mean is over both sessions, 2/2, not over the one that has it.
    let sessions = try Self.sessions([0.5, 0.6, 0.2])
    let estimate = try Self.estimate(.selfNormalizedPerDecision, on: sessions)
    #expect(abs(estimate.value - (2 + 0.5 * 1)) < 1e-6)
    #expect(abs(estimate.value - sessions.loggedReturn.mean) < 1e-6)
  }

  @Test("unknown propensities are named with their number, and fitted ones take their place")
  func unknown() throws {
    let sessions = try Self.sessions(nil)
    #expect(throws: EvaluationError.unknownPropensities(unknown: 3, transitions: 3)) {
      try Self.estimate(.importanceSampling, on: sessions)
    }
    let data = try TrajectoryArrays(
      [Trajectory(states: [0], actions: [0], rewards: [1], end: .terminal)], stateSize: 1,
      actionSize: 1)
    func fitted(_ densities: [Double]) throws -> PolicyValueEstimate {
      try Self.estimate(
        .importanceSampling,
        on: EvaluationSessions(
          policy: ListedDensities(densities: [0.5]), data: data,
          normalizer: .identity(stateSize: 1), propensities: .fitted(densities), seed: 1))
    }
    let estimate = try fitted([logarithm(0.25)])
    #expect(abs(estimate.value - 2) < 1e-9)
    #expect(estimate.weights?.propensitiesAreFitted == true)
    #expect(throws: EvaluationError.propensityCount(expected: 1, found: 2)) {
      try fitted([0, 0])
    }
    #expect(throws: EvaluationError.invalidPropensity(transition: 0, found: -.infinity)) {
      try fitted([-.infinity])
    }
  }

  @Test("a policy that no session could have been of has no self-normalized value")
  func noOverlap() throws {
    let data = try TrajectoryArrays(
      [
        Trajectory(
          states: [0], actions: [0], rewards: [1], logPropensities: [0], end: .terminal)
      ], stateSize: 1, actionSize: 1)
    let sessions = try EvaluationSessions(
      policy: ListedDensities(densities: [0]), data: data, normalizer: .identity(stateSize: 1),
      seed: 1)
    let plain = try Self.estimate(.importanceSampling, on: sessions)
    #expect(plain.value == 0 && plain.weights?.effectiveSampleSize == 0)
    #expect(plain.shortcomings(on: sessions).map(\.kind).contains(.effectiveSampleSize))
    #expect(throws: EvaluationError.self) {
      try Self.estimate(.selfNormalizedImportanceSampling, on: sessions)
    }
  }

  @Test("every kind has the name that its estimates carry, and the same seed gives the same bits")
  func kinds() throws {
    var stream = RandomStream(seed: 3, name: "kinds")
    let data = try ContinuousBandit().sessions(count: 60, using: &stream)
    var configuration = EstimatorConfiguration()
    configuration.fittedQ = ConservatismTests.quick
    configuration.fittedQ.rounds = 20
    for policy in [ProportionalPolicy(gain: 0.4), ContinuousBandit().target] as [any FusionPolicy] {
      for kind in EstimatorKind.allCases {
        let estimates = try (0..<2).map { _ in
          try kind.make(configuration).estimate(
            on: EvaluationSessions(
              policy: policy, data: data, normalizer: .identity(stateSize: 1), seed: 5), seed: 5)
        }
        #expect(estimates[0] == estimates[1], "\(kind)")
        #expect(estimates[0].estimator == kind.rawValue)
        #expect(estimates[0].low < estimates[0].high, "\(kind)")
        #expect((estimates[0].weights != nil) == kind.needsPropensities, "\(kind)")
      }
    }
  }
}
