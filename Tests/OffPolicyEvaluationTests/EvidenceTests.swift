import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("Evidence")
struct EvidenceTests {
  static let policy = ActionNoiseExploration(
    base: FixedWeightsPolicy(action: [0.2, -0.1]), deviation: 0.4)

  /// What is wrong with an estimate on sessions of 1 to 3 requests with these propensities.
  static func kinds(
    _ kind: EstimatorKind, seed: UInt64,
    _ propensities: (_ logged: [Double], _ stream: inout RandomStream) -> [Double]
  ) throws -> [EvidenceShortcoming.Kind] {
    let data = try exploredSessions(users: 400, steps: 1...3, actionSize: 2, seed: seed)
    let logged = data.logPropensities(at: Array(0..<data.transitionCount)).map { Double($0) }
    var stream = RandomStream(seed: seed, name: "wrong")
    let sessions = try EvaluationSessions(
      policy: policy, data: data, normalizer: .identity(stateSize: 1),
      propensities: .fitted(propensities(logged, &stream)), seed: seed)
    var configuration = EstimatorConfiguration()
    configuration.interval = .studentT
    return try kind.make(configuration).estimate(on: sessions, seed: seed)
      .shortcomings(on: sessions).map(\.kind)
  }

  static let weighted = EstimatorKind.allCases.filter(\.needsPropensities)

  @Test("right propensities are not called wrong: at most 5 % false alarms")
  func right() throws {
    var alarms = 0
    for seed in 0..<200 as Range<UInt64> {
      let found = try Self.kinds(.perDecisionImportanceSampling, seed: seed) { logged, _ in logged }
      if !found.isEmpty { alarms += 1 }
    }
    #expect(alarms <= 10, "\(alarms) of 200")
  }

  @Test("halved, permuted and constant propensities are found by every estimator")
  func wrong() throws {
    for seed in 0..<20 as Range<UInt64> {
      for kind in Self.weighted where seed < 2 || kind == .importanceSampling {
        let halved = try Self.kinds(kind, seed: seed) { logged, _ in
          logged.map { $0 - logarithm(2) }
        }
        let permuted = try Self.kinds(kind, seed: seed) { logged, stream in
          stream.shuffled(logged.count).map { logged[$0] }
        }
        let one = try Self.kinds(kind, seed: seed) { logged, _ in logged.map { _ in 0 } }
        for (index, kinds) in [halved, permuted, one].enumerated() {
          #expect(kinds.contains(.meanWeight), "\(kind), seed \(seed), \(index): \(kinds)")
        }
      }
    }
  }

  @Test("log densities that are halved as numbers are found too")
  func halvedLogarithms() throws {
    let found = try Self.kinds(.importanceSampling, seed: 1) { logged, _ in logged.map { $0 / 2 } }
    #expect(found.contains(.meanWeight), "\(found)")
  }

  @Test("a log of one user is no evidence, whatever the estimator")
  func oneUser() throws {
    let data = try exploredSessions(users: 200, steps: 1...2, actionSize: 1, seed: 1)
    let one = OneUser(base: data)
    let sessions = try EvaluationSessions(
      policy: RandomExploration(actionSize: 1), data: one, normalizer: .identity(stateSize: 1),
      seed: 1)
    var configuration = EstimatorConfiguration()
    configuration.fittedQ = ConservatismTests.quick
    configuration.fittedQ.rounds = 20
    for kind in EstimatorKind.allCases {
      let estimate = try kind.make(configuration).estimate(on: sessions, seed: 1)
      let found = estimate.shortcomings(on: sessions)
      #expect(found.first?.kind == .users, "\(kind): \(found)")
      #expect(found.first?.description.contains("1 users") == true, "\(found)")
      #expect(estimate.low < estimate.high, "\(kind)")
    }
  }

  @Test("of one user the sessions are what is independent, for values and differences alike")
  func oneUserDifference() throws {
    let data = try exploredSessions(users: 200, steps: 1...2, actionSize: 1, seed: 1)
    let ones = OneUser(base: data)
    func sessions(_ source: any TransitionSource, _ mean: Float) throws -> EvaluationSessions {
      try EvaluationSessions(
        policy: ActionNoiseExploration(base: FixedWeightsPolicy(action: [mean]), deviation: 0.4),
        data: source, normalizer: .identity(stateSize: 1), seed: 1)
    }
    var configuration = EstimatorConfiguration()
    configuration.interval = .studentT
    let logged = (
      try LoggedValue(of: ones, discount: 0.95), try LoggedValue(of: data, discount: 0.95)
    )
    #expect(logged.0 == logged.1)
    for kind in Self.weighted + [.linearFittedQ] {
      let estimator = kind.make(configuration)
      func found(_ source: any TransitionSource) throws -> [ValueDifference] {
        let own = try sessions(source, 0.2)
        let first = try estimator.estimate(on: own, seed: 1)
        let second = try estimator.estimate(on: sessions(source, -0.1), seed: 1)
        if let error = first.weights?.meanWeightError { #expect(error > 0, "\(kind)") }
        let behavior = try LoggedValue(of: source, sessions: first.parts.sessions, discount: 0.95)
        return [
          first.difference(from: second, on: own), first.difference(from: behavior, on: own),
        ]
      }
      // One session a user: the same data, were it of one user or of many.
      let (one, many) = (try found(ones), try found(data))
      #expect(one == many, "\(kind)")
      #expect(one.allSatisfy { $0.low < $0.value && $0.value < $0.high }, "\(kind): \(one)")
    }
  }

  @Test("of one session nothing has a finite interval, and that is told")
  func oneSession() throws {
    let data = try exploredSessions(users: 1, steps: 3...3, actionSize: 1, seed: 1)
    let sessions = try EvaluationSessions(
      policy: RandomExploration(actionSize: 1), data: data, normalizer: .identity(stateSize: 1),
      seed: 1)
    let logged = try LoggedValue(of: data, discount: 0.95)
    #expect(logged.low == -.infinity && logged.high == .infinity)
    for kind in Self.weighted + [.linearFittedQ] where kind.estimand == .sessionValue {
      let estimate = try kind.make().estimate(on: sessions, seed: 1)
      #expect(estimate.low == -.infinity && estimate.high == .infinity, "\(kind)")
      #expect(!estimate.isFinite)
      #expect(estimate.shortcomings(on: sessions).map(\.kind).contains(.notFinite), "\(kind)")
      let difference = estimate.difference(from: estimate, on: sessions)
      #expect(difference.low == -.infinity && difference.high == .infinity, "\(kind)")
    }
  }

  @Test("a log with one action says nothing about others")
  func noVariation() throws {
    let data = try TrajectoryArrays(
      (0..<200).map {
        Trajectory(
          states: [0], actions: [0.3], rewards: [1], logPropensities: [0], end: .terminal,
          userHash: UInt64($0))
      }, stateSize: 1, actionSize: 1)
    let sessions = try EvaluationSessions(
      policy: FixedWeightsPolicy(action: [0.25]), data: data,
      normalizer: .identity(stateSize: 1), seed: 1)
    #expect(sessions.actionSpread < 1e-6)
    for kind in EstimatorKind.allCases where kind != .fittedQ && kind != .conservative {
      let found = try kind.make().estimate(on: sessions, seed: 1).shortcomings(on: sessions)
      #expect(found.map(\.kind).contains(.actionSpread), "\(kind): \(found)")
    }
  }

  @Test("fourteen steps of twelve weights are a lottery, and the diagnostics say so")
  func degenerate() throws {
    let data = try exploredSessions(users: 300, steps: 10...18, actionSize: 12, seed: 3)
    let sessions = try EvaluationSessions(
      policy: FixedWeightsPolicy(action: [Float](repeating: 0.3, count: 12)), data: data,
      normalizer: .identity(stateSize: 1), seed: 1)
    for kind in Self.weighted where kind.estimand == .sessionValue {
      let estimate = try kind.make().estimate(on: sessions, seed: 1)
      #expect(estimate.value.isFinite && estimate.low.isFinite && estimate.high.isFinite)
      let found = estimate.shortcomings(on: sessions).map(\.kind)
      #expect(found.contains(.effectiveSampleSize), "\(kind): \(found)")
      #expect(found.contains(.weightShare), "\(kind): \(found)")
    }
  }

  @Test("weights beyond every number neither overflow nor pass as evidence")
  func overflow() throws {
    let data = try exploredSessions(users: 120, steps: 3...3, actionSize: 1, seed: 3)
    let sessions = try EvaluationSessions(
      policy: RandomExploration(actionSize: 1), data: data, normalizer: .identity(stateSize: 1),
      propensities: .fitted([Double](repeating: -400, count: data.transitionCount)), seed: 1)
    for kind in Self.weighted {
      let estimate = try kind.make().estimate(on: sessions, seed: 1)
      #expect(estimate.value.isFinite, "\(kind)")
      #expect(!estimate.shortcomings(on: sessions).isEmpty, "\(kind)")
    }
  }

  @Test("floors that are no numbers are named")
  func floors() {
    var floors = EvidenceFloors()
    #expect(floors.problem == nil)
    floors.largestWeightShare = .nan
    #expect(
      floors.problem == "largestWeightShare: expected a number of at least 0, found nan")
  }
}

/// All sessions as those of one user.
private struct OneUser: TransitionSource {
  let base: TrajectoryArrays
  var transitionCount: Int { base.transitionCount }
  var sessionCount: Int { base.sessionCount }
  var stateSize: Int { base.stateSize }
  var actionSize: Int { base.actionSize }
  func batch(at indices: [Int]) -> TransitionBatch { base.batch(at: indices) }
  func session(_ m: Int) -> Range<Int> { base.session(m) }
  func initialStates(of sessions: [Int]) -> [Float] { base.initialStates(of: sessions) }
  func logPropensities(at indices: [Int]) -> [Float] { base.logPropensities(at: indices) }
  func startTimeMilliseconds(of m: Int) -> Int64 { 0 }
  func userHash(of m: Int) -> UInt64 { 7 }
  func sessionEnd(of m: Int) -> SessionEnd { base.sessionEnd(of: m) }
}
