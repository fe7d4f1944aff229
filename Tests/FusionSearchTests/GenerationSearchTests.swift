import FusionSearch
import SeededRandom
import Testing

@Suite("evolution strategy and cross-entropy method")
struct GenerationSearchTests {
  private static let center = [0.5, -0.3, 0.1, 0.7, -0.6, 0]
  private static let start = [Double](repeating: 0, count: 6)

  private static func bowl(_ x: [Double]) -> Double { SearchTrials.bowl(x, center: center) }

  private static func evolution(
    _ trials: Int, seed: UInt64, start: [Double] = start
  ) throws -> EvolutionStrategy {
    try EvolutionStrategy(start: start, sessionBudget: 10 * trials, seed: seed)
  }

  private static func crossEntropy(
    _ trials: Int, seed: UInt64, start: [Double] = start
  ) throws -> CrossEntropyMethod {
    try CrossEntropyMethod(start: start, sessionBudget: 10 * trials, seed: seed)
  }

  @Test("an exact bowl's bottom is found in 960 and 240 trials")
  func exact() throws {
    for seed in 0..<4 as Range<UInt64> {
      var evolution = try Self.evolution(960, seed: seed)
      let evolved = try SearchTrials.answer(&evolution, noise: 0, seed: seed, Self.bowl)
      #expect(Self.bowl(evolved) > -0.02, "evolution, seed \(seed): \(Self.bowl(evolved))")
      var crossEntropy = try Self.crossEntropy(240, seed: seed)
      let narrowed = try SearchTrials.answer(&crossEntropy, noise: 0, seed: seed, Self.bowl)
      #expect(Self.bowl(narrowed) > -0.02, "cross-entropy, seed \(seed): \(Self.bowl(narrowed))")
    }
  }

  @Test("with noise both answer better than equally many random points, in a paired test")
  func noisy() throws {
    var (evolved, narrowed): ([Double], [Double]) = ([], [])
    for seed in 0..<20 as Range<UInt64> {
      var evolution = try Self.evolution(480, seed: seed)
      let evolvedPoint = try SearchTrials.answer(&evolution, noise: 0.5, seed: seed, Self.bowl)
      evolved.append(
        Self.bowl(evolvedPoint)
          - SearchTrials.chance(Self.bowl, dimension: 6, trials: 480, noise: 0.5, seed: seed))
      var crossEntropy = try Self.crossEntropy(240, seed: seed)
      let narrowedPoint = try SearchTrials.answer(&crossEntropy, noise: 0.5, seed: seed, Self.bowl)
      narrowed.append(
        Self.bowl(narrowedPoint)
          - SearchTrials.chance(Self.bowl, dimension: 6, trials: 240, noise: 0.5, seed: seed))
    }
    // 2.861: two-sided p < 0.01 with 19 degrees of freedom.
    #expect(SearchTrials.pairedT(evolved) > 2.861, "\(evolved)")
    #expect(SearchTrials.pairedT(narrowed) > 2.861, "\(narrowed)")
  }

  @Test("the natural gradient of a linear objective is σ² times its slope")
  func linearGradient() throws {
    // f(θ) = c·θ, u = f/λ: E Σ u·(θ − μ) = σ²·c.
    let slope = [1.0, -2, 0.5]
    let (center, deviation) = ([0.3, 0.1, -0.4], 0.2)
    // Mirrored unit directions of length √3·σ have exactly the covariance of the Gaussian.
    let reach = 3.0.squareRoot() * deviation
    var points: [[Double]] = []
    for axis in 0..<3 {
      for sign in [1.0, -1] {
        var point = center
        point[axis] += sign * reach
        points.append(point)
      }
    }
    let utilities = points.map { zip($0, slope).reduce(0) { $0 + $1.0 * $1.1 } / 6 }
    let exact = EvolutionStrategy.naturalGradient(
      utilities: utilities, points: points, center: center)
    for (found, expected) in zip(exact, [0.04, -0.08, 0.02]) {
      #expect(abs(found - expected) < 1e-12)
    }
    // The points that the search itself draws: the same within their error.
    var configuration = EvolutionStrategy.Configuration()
    configuration.deviation = deviation
    configuration.pairs = 20_000
    var search = try EvolutionStrategy(
      start: center, sessionBudget: 40_000, configuration: configuration, seed: 8)
    let drawn = try (0..<40_000).map { _ in try #require(try search.suggest()).point }
    let sampled = EvolutionStrategy.naturalGradient(
      utilities: drawn.map { zip($0, slope).reduce(0) { $0 + $1.0 * $1.1 } / 40_000 },
      points: drawn, center: center)
    for (found, expected) in zip(sampled, [0.04, -0.08, 0.02]) {
      #expect(abs(found - expected) < 0.004, "\(sampled)")
    }
    for pair in stride(from: 0, to: 40, by: 2) {
      for (p, middle) in center.enumerated() {
        #expect(abs((drawn[pair][p] + drawn[pair + 1][p]) / 2 - middle) < 1e-12)
      }
    }
  }

  @Test("utilities go by rank, sum to zero, and equal outcomes share theirs")
  func utilities() {
    // λ = 4: raw log 3 − log 1, log 3 − log 2, log 3 − log 3, 0 = 1.098612, 0.405465, 0, 0.
    let utilities = EvolutionStrategy.rankUtilities([-5, 100, 3, 2])
    for (found, expected) in zip(utilities, [-0.25, 0.480422, 0.019578, -0.25]) {
      #expect(abs(found - expected) < 1e-6)
    }
    let tied = EvolutionStrategy.rankUtilities([1, 1, 0, 0])
    for (found, expected) in zip(tied, [0.25, 0.25, -0.25, -0.25]) {
      #expect(abs(found - expected) < 1e-12)
    }
    var stream = RandomStream(seed: 3, name: "ranks")
    for count in [1, 2, 7, 16] {
      let values = (0..<count).map { _ in stream.gaussian() }
      let shaped = EvolutionStrategy.rankUtilities(values)
      #expect(abs(shaped.reduce(0, +)) < 1e-12)
      #expect(shaped == EvolutionStrategy.rankUtilities(values.map { 1000 * $0 + 7 }))
    }
  }

  @Test("the elite's mean and deviation draw the next generation, worked by hand")
  func elite() throws {
    var configuration = CrossEntropyMethod.Configuration()
    configuration.population = 3
    configuration.elite = 2
    var search = try CrossEntropyMethod(
      start: [0.2], sessionBudget: 1000, configuration: configuration, seed: 1)
    let drawn = try (0..<3).map { _ in try #require(try search.suggest()).point[0] }
    #expect(drawn[0] == 0.2)
    for (index, value) in [(2, 5.0), (0, 1), (1, 7)] {
      try search.observe(index, value: value, sessions: 10)
    }
    #expect(abs(search.mean[0] - (drawn[1] + drawn[2]) / 2) < 1e-12)
    let deviation = abs(drawn[1] - drawn[2]) / 2.0.squareRoot()
    #expect(abs(search.deviations[0] - max(deviation, 0.05)) < 1e-12)
    let best = try #require(search.best())
    #expect(abs(best.mean - 13 / 3) < 1e-12)
    // Standard error: √(3/2 · Σ (10·residual)²) / 30, residuals −10/3, 8/3, 2/3.
    #expect(abs(best.deviation - 1.763834) < 1e-6)
  }

  @Test("the deviations never shrink below their least")
  func leastDeviation() throws {
    var search = try Self.crossEntropy(600, seed: 2)
    _ = try SearchTrials.answer(&search, noise: 0, seed: 2, Self.bowl)
    #expect(search.deviations.allSatisfy { $0 >= 0.05 && $0 < 0.2 })
  }

  private static func points(_ search: some PointSearch, reversed: Bool) throws -> [[Double]] {
    var search = search
    var points: [[Double]] = []
    while search.observationCount < 48 {
      let asked = try (0..<4).compactMap { _ in try search.suggest() }
      points += asked.map(\.point)
      for suggestion in reversed ? asked.reversed() : asked {
        try search.observe(suggestion.index, value: bowl(suggestion.point), sessions: 10)
      }
    }
    return points
  }

  @Test("the same seed asks for the same bits in any order of telling, another one does not")
  func deterministic() throws {
    let evolution = try Self.points(Self.evolution(100, seed: 3), reversed: false)
    #expect(try Self.points(Self.evolution(100, seed: 3), reversed: true) == evolution)
    #expect(try Self.points(Self.evolution(100, seed: 4), reversed: false) != evolution)
    let narrowed = try Self.points(Self.crossEntropy(100, seed: 3), reversed: false)
    #expect(try Self.points(Self.crossEntropy(100, seed: 3), reversed: true) == narrowed)
    #expect(try Self.points(Self.crossEntropy(100, seed: 4), reversed: false) != narrowed)
  }

  @Test("the budget counts every session, and a generation cut short moves nothing")
  func budget() throws {
    var search = try Self.evolution(10, seed: 1)
    #expect(search.best() == nil)
    for sessions in [40, 30, 29, 7] {
      let suggestion = try #require(try search.suggest())
      try search.observe(suggestion.index, value: 2, sessions: sessions)
    }
    #expect(search.spentSessions == 106 && search.observationCount == 4)
    #expect(try search.suggest() == nil)
    #expect(search.best() == SearchResult(point: Self.start, mean: 2, deviation: 0))
  }

  @Test("what cannot be asked or told is refused by name")
  func refused() throws {
    var search = try Self.evolution(100, seed: 1)
    let first = try #require(try search.suggest())
    #expect(throws: SearchError.unknownSuggestion(index: 3)) {
      try search.observe(3, value: 0, sessions: 1)
    }
    #expect(throws: SearchError.noSessions(index: 0, sessions: 0)) {
      try search.observe(first.index, value: 0, sessions: 0)
    }
    #expect {
      try search.observe(first.index, value: .nan, sessions: 1)
    } throws: {
      "\($0)" == "search, suggestion 0: expected a finite outcome, found nan"
    }
    try search.observe(first.index, value: 0, sessions: 1)
    #expect(throws: SearchError.unknownSuggestion(index: 0)) {
      try search.observe(first.index, value: 0, sessions: 1)
    }
    for _ in 1..<16 { _ = try search.suggest() }
    #expect(throws: SearchError.openGeneration(suggestions: 15)) { try search.suggest() }
    for start in [[], [0, 1.5], [.nan]] {
      #expect(throws: SearchError.self) {
        try CrossEntropyMethod(start: start, sessionBudget: 10, seed: 1)
      }
    }
    #expect(throws: SearchError.self) {
      try EvolutionStrategy(start: [.infinity], sessionBudget: 10, seed: 1)
    }
    var configuration = CrossEntropyMethod.Configuration()
    configuration.elite = 13
    #expect(
      throws: SearchError.invalidSetting(
        reason: "population: expected elite (13) to 1000000, found 12")
    ) {
      try CrossEntropyMethod(
        start: [0], sessionBudget: 10, configuration: configuration, seed: 1)
    }
  }
}
