import Foundation
import FusionSearch
import SeededRandom
import Testing

@Suite("Bayesian optimization")
struct BayesianOptimizationTests {
  /// Branin's function on [−1, 1]², negated: its best value is −0.397887.
  static func branin(_ x: [Double]) -> Double {
    let a = -5 + 7.5 * (x[0] + 1)
    let b = 7.5 * (x[1] + 1)
    let bowl = b - 5.1 / (4 * Double.pi * Double.pi) * a * a + 5 / Double.pi * a - 6
    return -(bowl * bowl + 10 * (1 - 1 / (8 * Double.pi)) * cos(a) + 10)
  }

  /// A bowl over twelve weights, some of which matter more; its best value is 0.
  static func bowl(_ x: [Double]) -> Double {
    var sum = 0.0
    for (k, value) in x.enumerated() {
      let centre = 0.6 * sin(Double(k) * 1.7)
      sum += (k % 3 == 0 ? 1 : 0.2) * (value - centre) * (value - centre)
    }
    return -sum
  }

  /// Runs a search of `trials` noisy outcomes; returns the true value of its answer.
  static func search(
    _ function: ([Double]) -> Double, dimension: Int, trials: Int, noise: Double, seed: UInt64
  ) throws -> Double {
    var search = BayesianOptimization(
      .init(dimension: dimension, sessionBudget: 100 * trials, seed: seed))
    var stream = RandomStream(seed: seed, name: "noise")
    while let suggestion = try search.suggest() {
      let value = function(suggestion.point) + noise * stream.gaussian()
      try search.observe(suggestion.index, value: value, sessions: 100)
    }
    #expect(search.observations.count == trials)
    return function(try #require(try search.best()).point)
  }

  @Test("Branin's valleys are found in 30 trials, better than by chance")
  func findsBranin() throws {
    var regret = 0.0
    var randomRegret = 0.0
    for seed in 0..<5 as Range<UInt64> {
      regret -= try Self.search(Self.branin, dimension: 2, trials: 30, noise: 0.2, seed: seed)
      randomRegret -= SearchTrials.chance(
        Self.branin, dimension: 2, trials: 30, noise: 0.2, seed: seed)
    }
    #expect(regret / 5 - 0.397887 < 0.3, "mean regret \(regret / 5 - 0.397887)")
    #expect(regret < randomRegret, "\(regret) against \(randomRegret)")
  }

  @Test("a twelve-dimensional bowl is climbed further than by chance for every seed")
  func climbsBowl() throws {
    for seed in 0..<3 as Range<UInt64> {
      let found = try Self.search(
        Self.bowl, dimension: 12, trials: 100, noise: 0.05, seed: seed)
      let random = SearchTrials.chance(
        Self.bowl, dimension: 12, trials: 100, noise: 0.05, seed: seed)
      #expect(found > random / 2, "seed \(seed): \(found) against \(random)")
    }
  }

  @Test("the same seed asks for the same bits, another one does not")
  func deterministic() throws {
    func points(_ seed: UInt64) throws -> [[Double]] {
      var search = BayesianOptimization(
        .init(dimension: 3, sessionBudget: 1000, initialPoints: 4, seed: seed))
      var points: [[Double]] = []
      for _ in 0..<7 {
        let suggestion = try #require(try search.suggest())
        points.append(suggestion.point)
        try search.observe(suggestion.index, value: -suggestion.point[0], sessions: 10)
      }
      return points
    }
    #expect(try points(3) == points(3))
    #expect(try points(3) != points(4))
  }

  @Test("a search saved as JSON goes on with the same bits")
  func resumes() throws {
    var search = BayesianOptimization(
      .init(dimension: 2, sessionBudget: 80, initialPoints: 3, seed: 5))
    for _ in 0..<5 {
      let suggestion = try #require(try search.suggest())
      try search.observe(suggestion.index, value: Self.branin(suggestion.point), sessions: 10)
    }
    let open = try #require(try search.suggest())
    let saved = try JSONEncoder().encode(search.state)
    let state = try JSONDecoder().decode(BayesianOptimization.State.self, from: saved)
    var resumed = try BayesianOptimization(resuming: state)
    for var copy in [search, resumed] {
      try copy.observe(open.index, value: -3, sessions: 10)
      #expect(copy.spentSessions == 60)
    }
    try search.observe(open.index, value: -3, sessions: 10)
    try resumed.observe(open.index, value: -3, sessions: 10)
    #expect(try search.suggest() == resumed.suggest())
    #expect(search.state == resumed.state)
  }

  @Test("open suggestions keep the next one away")
  func openSuggestions() throws {
    var search = BayesianOptimization(
      .init(dimension: 2, sessionBudget: 1000, initialPoints: 4, seed: 2))
    for _ in 0..<8 {
      let suggestion = try #require(try search.suggest())
      try search.observe(suggestion.index, value: Self.branin(suggestion.point), sessions: 10)
    }
    let first = try #require(try search.suggest())
    let second = try #require(try search.suggest())
    let gap = zip(first.point, second.point).map { abs($0 - $1) }.max() ?? 0
    #expect(first.index == 8 && second.index == 9)
    #expect(gap > 0.05, "gap \(gap)")
    // They can be told in any order.
    try search.observe(second.index, value: 1, sessions: 10)
    try search.observe(first.index, value: 2, sessions: 10)
  }

  @Test("the budget counts user sessions")
  func budget() throws {
    var search = BayesianOptimization(
      .init(dimension: 1, sessionBudget: 100, initialPoints: 4, seed: 1))
    for sessions in [10, 60, 29, 5] {
      let suggestion = try #require(try search.suggest())
      try search.observe(suggestion.index, value: 1, sessions: sessions)
    }
    #expect(search.spentSessions == 104)
    #expect(try search.suggest() == nil)
  }

  @Test("a point tried on few sessions counts for less than the same point on many")
  func sessionsWeigh() throws {
    // Ten points with the outcome x of many sessions; where x is highest, few sessions say 5.
    func answer(sessions: Int) throws -> Double {
      var search = BayesianOptimization(
        .init(dimension: 1, sessionBudget: 1_000_000, initialPoints: 11, seed: 3))
      for trial in 0..<11 {
        let suggestion = try #require(try search.suggest())
        let x = suggestion.point[0]
        try search.observe(
          suggestion.index, value: trial == 10 ? 5 : x + (trial % 2 == 0 ? 0.02 : -0.02),
          sessions: trial == 10 ? sessions : 10_000)
      }
      return try #require(try search.best()).mean
    }
    #expect(try answer(sessions: 1) + 0.5 < answer(sessions: 10_000))
  }

  @Test("the highest posterior mean is a better answer than the luckiest draw")
  func luck() throws {
    var answered = 0.0
    var lucky = 0.0
    for seed in 0..<20 as Range<UInt64> {
      var search = BayesianOptimization(
        .init(dimension: 1, sessionBudget: 240, initialPoints: 24, seed: seed))
      var stream = RandomStream(seed: seed, name: "luck")
      while let suggestion = try search.suggest() {
        let distance = suggestion.point[0] - 0.2
        let value = -2 * distance * distance + 0.5 * stream.gaussian()
        try search.observe(suggestion.index, value: value, sessions: 10)
      }
      let luckiest = try #require(search.observations.max { $0.value < $1.value })
      answered += abs(try #require(try search.best()).point[0] - 0.2)
      lucky += abs(luckiest.point[0] - 0.2)
    }
    #expect(answered < 0.8 * lucky, "\(answered / 20) against \(lucky / 20)")
  }

  @Test("where all points are alike, the answer is as uncertain as the mean of all outcomes")
  func flat() throws {
    var held = 0
    for seed in 0..<40 as Range<UInt64> {
      var search = BayesianOptimization(
        .init(dimension: 2, sessionBudget: 160, initialPoints: 16, seed: seed))
      var stream = RandomStream(seed: seed, name: "flat")
      while let suggestion = try search.suggest() {
        try search.observe(suggestion.index, value: 3 + 0.5 * stream.gaussian(), sessions: 10)
      }
      let best = try #require(try search.best())
      #expect(best.deviation > 0.05 && best.deviation < 0.6)
      if abs(best.mean - 3) < 2 * best.deviation { held += 1 }
    }
    #expect(held >= 34, "\(held) of 40")
  }

  @Test("each wrong outcome is refused by name")
  func refused() throws {
    var search = BayesianOptimization(.init(dimension: 1, sessionBudget: 10, seed: 1))
    let suggestion = try #require(try search.suggest())
    #expect(throws: SearchError.unknownSuggestion(index: 7)) {
      try search.observe(7, value: 0, sessions: 1)
    }
    #expect(throws: SearchError.invalidOutcome(index: 0, value: .infinity)) {
      try search.observe(suggestion.index, value: .infinity, sessions: 1)
    }
    #expect(throws: SearchError.noSessions(index: 0, sessions: 0)) {
      try search.observe(suggestion.index, value: 0, sessions: 0)
    }
    try search.observe(suggestion.index, value: 0, sessions: 1)
    #expect(throws: SearchError.unknownSuggestion(index: 0)) {
      try search.observe(suggestion.index, value: 0, sessions: 1)
    }
  }

  @Test("a saved search whose points lie outside the box is refused")
  func badState() throws {
    let text = """
      {"configuration": {"dimension": 2, "sessionBudget": 10, "initialPoints": 2,
       "explorationFactor": 2, "seed": 1}, "suggestionCount": 1, "fittedCount": 0, "open": [],
       "observations": [{"point": [0.5, 1.5], "value": 1, "sessions": 3}]}
      """
    let state = try JSONDecoder().decode(
      BayesianOptimization.State.self, from: Data(text.utf8))
    #expect(
      throws: SearchError.invalidState(
        reason: "expected 2 coordinates in [−1, 1], found [0.5, 1.5]")
    ) { try BayesianOptimization(resuming: state) }
  }

  @Test("a Latin hypercube has one point in each slice of each dimension")
  func latinHypercube() {
    var stream = RandomStream(seed: 4, name: "design")
    let points = InitialDesign.latinHypercube(count: 7, dimension: 3, using: &stream)
    for d in 0..<3 {
      let slices = points.map { Int((($0[d] + 1) / 2 * 7).rounded(.down)) }
      #expect(slices.sorted() == Array(0..<7))
    }
  }
}
