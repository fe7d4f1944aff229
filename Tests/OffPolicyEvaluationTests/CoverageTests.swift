import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

/// Bias and coverage of every weighted estimator on problems whose value is known.
///
/// The lines that it prints are the table in `Docs/OffPolicyEvaluation.md`.
@Suite("Bias and coverage")
struct CoverageTests {
  static let replicates = 200
  static let intervals: [(name: String, method: IntervalMethod)] = [
    ("Student", .studentT), ("bootstrap", .bootstrap(resamples: 300)),
    ("Bernstein", .empiricalBernstein(range: nil)),
  ]

  /// Whose expectation is the truth, whatever the number of sessions.
  static let unbiased: [EstimatorKind] = [
    .importanceSampling, .perDecisionImportanceSampling, .doublyRobust, .oneStepImportanceSampling,
    .oneStepDoublyRobust,
  ]

  /// Bias in standard errors of its own, and the share of intervals that hold the truth.
  static func measure(
    _ problem: String, _ kinds: [EstimatorKind], truth: Double,
    configuration: EstimatorConfiguration, model: (any StateActionFeatures)? = nil,
    sessions: (_ replicate: Int) throws -> EvaluationSessions
  ) throws {
    var errors = [[Double]](repeating: [], count: kinds.count)
    var held = [[Int]](repeating: [0, 0, 0], count: kinds.count)
    for replicate in 0..<replicates {
      let sessions = try sessions(replicate)
      for (row, kind) in kinds.enumerated() {
        for (column, interval) in intervals.enumerated() {
          var configuration = configuration
          configuration.interval = interval.method
          var estimator = kind.make(configuration)
          if var robust = estimator as? DoublyRobust, let model {
            robust.model.features = model
            robust.model.ridge = 1e-9
            estimator = robust
          }
          if var direct = estimator as? OneStepDirectMethod, let model {
            direct.model.features = model
            estimator = direct
          }
          let estimate = try estimator.estimate(on: sessions, seed: UInt64(replicate))
          if estimate.low <= truth && truth <= estimate.high { held[row][column] += 1 }
          if column == 0 { errors[row].append(estimate.value - truth) }
          if !kind.needsPropensities {  // its interval is that of its fits
            held[row] = [Int](repeating: held[row][0], count: 3)
            break
          }
        }
      }
    }
    for (row, kind) in kinds.enumerated() {
      let n = Double(replicates)
      let bias = errors[row].reduce(0, +) / n
      let squares = errors[row].reduce(0) { $0 + ($1 - bias) * ($1 - bias) }
      let deviation = (squares / (n - 1)).squareRoot()
      let shares = held[row].map { Double($0) / n }
      print(
        "| \(problem) | \(kind.rawValue) | \(rounded(bias)) ± \(rounded(deviation / n.squareRoot()))",
        "| \(rounded(deviation)) |", shares.map { "\(rounded($0))" }.joined(separator: " | "), "|")
      // Unbiased ones within 4 standard errors, the others within a fifth of their deviation too.
      let slack = unbiased.contains(kind) ? 0 : 0.2 * deviation
      #expect(abs(bias) < 4 * deviation / n.squareRoot() + slack, "\(kind): bias \(bias)")
      for column in 0..<2 {
        #expect(
          shares[column] >= 0.9 && shares[column] <= 0.99,
          "\(problem), \(kind), \(intervals[column].name): \(shares[column])")
      }
      #expect(shares[2] >= 0.9, "\(problem), \(kind), Bernstein: \(shares[2])")
    }
  }

  static func rounded(_ x: Double) -> Double { (x * 1000).rounded() / 1000 }

  @Test("one-step continuous bandit: 95 % intervals hold the truth in 90 to 99 % of data sets")
  func bandit() throws {
    let bandit = ContinuousBandit()
    let truth = ContinuousBandit.value(gain: 0.4, deviation: 0.3)
    // With one step a session, the sessions' estimators are the requests' in other words.
    try Self.measure(
      "bandit",
      EstimatorKind.allCases.filter { $0.estimand == .requestValue } + [.cappedImportanceSampling],
      truth: truth, configuration: EstimatorConfiguration(), model: BanditFeatures()
    ) { replicate in
      var stream = RandomStream(seed: 23, name: "bandit").child("data", replicate)
      return try EvaluationSessions(
        policy: bandit.target, data: bandit.sessions(count: 200, using: &stream),
        normalizer: .identity(stateSize: 1), samples: 4, seed: UInt64(replicate))
    }
  }

  @Test("tabular sessions of any length: 95 % intervals hold the truth in 90 to 99 % of data sets")
  func tabular() throws {
    let problem = TabularProblem(stateCount: 3, seed: 11)
    let truth = problem.values(of: TabularProblem.target)[0...1].reduce(0, +) / 2
    var configuration = EstimatorConfiguration()
    configuration.fittedQ.discount = problem.discount
    try Self.measure(
      "tabular",
      EstimatorKind.allCases.filter { $0.needsPropensities && $0.estimand == .sessionValue },
      truth: truth, configuration: configuration, model: TableFeatures(stateCount: 3)
    ) { replicate in
      var stream = RandomStream(seed: 29, name: "tabular").child("data", replicate)
      return try EvaluationSessions(
        policy: TabularProblem.target, data: problem.loggedSessions(users: 200, using: &stream),
        normalizer: problem.normalizer, discount: problem.discount, samples: 2,
        seed: UInt64(replicate))
    }
  }
}

/// 1, s, a, s², s·a, a²: what the bandit's mean reward is made of.
struct BanditFeatures: StateActionFeatures {
  func count(stateSize: Int, actionSize: Int) -> Int { 6 }
  func append(
    state: ArraySlice<Float>, action: ArraySlice<Float>, to features: inout [Double]
  ) {
    let (s, a) = (Double(state.first ?? 0), Double(action.first ?? 0))
    features += [1, s, a, s * s, s * a, a * a]
  }
}
