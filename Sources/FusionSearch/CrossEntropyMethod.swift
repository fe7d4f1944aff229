import SeededRandom

/// Best static fusion weights by the cross-entropy method.
///
/// Sources: R. Y. Rubinstein, "The cross-entropy method for combinatorial and continuous
/// optimization", Methodology and Computing in Applied Probability 1, 1999; de Boer, Kroese, Mannor
/// and Rubinstein, "A tutorial on the cross-entropy method", Annals of Operations Research 134, 2005.
/// A generation is drawn from a Gaussian, clipped to the box [−1, 1]^A, and the next Gaussian has the
/// mean and the deviations of the generation's best points, the elite:
///
///     x_i ~ clip(N(μ, diag σ²))       μ ← mean of the elite       σ ← max(deviation of the elite, σ_min)
///
/// | tutorial | name here | default |
/// | --- | --- | --- |
/// | N | `population` | 12, not published: about four generations of the default budget |
/// | N_e | `elite` | 4 |
/// | σ_0 | `deviation` | 0.5: half of the box's half width |
/// | – | `leastDeviation` | 0.05 |
///
/// The first member of each generation is its mean. The answer is the last mean; a generation that
/// the budget cuts short moves nothing.
///
/// ## Departures from the source
///
/// σ_min in place of smoothing: with few points an elite is narrow by chance, and σ would not come
/// back (held by "the deviations never shrink below their least"). The elite's variance is the unbiased
/// one, over N_e − 1: of four points the other is a quarter too small, generation after generation.
package struct CrossEntropyMethod: PointSearch {
  /// The choices of a search.
  package struct Configuration: Sendable, Equatable, Codable {
    /// Points a generation.
    package var population = 12
    /// Points a generation that the next is drawn around.
    package var elite = 4
    /// The deviation of the first generation, in normalized weights.
    package var deviation = 0.5
    /// What no deviation shrinks below.
    package var leastDeviation = 0.05

    /// The defaults.
    package init() {}

    /// What is wrong, in words with the key, or nil.
    package var problem: String? {
      if elite < 2 { return "elite: expected at least 2, found \(elite)" }
      if population < elite || population > 1_000_000 {
        return "population: expected elite (\(elite)) to 1000000, found \(population)"
      }
      if !(leastDeviation >= 0 && leastDeviation <= 1) {
        return "leastDeviation: expected 0 to 1, found \(leastDeviation)"
      }
      if !(deviation > 0 && deviation <= 10) {
        return "deviation: expected more than 0, at most 10, found \(deviation)"
      }
      return nil
    }
  }

  /// The choices of the search.
  package let configuration: Configuration
  /// μ: the mean of the next generation, and the answer [A].
  package private(set) var mean: [Double]
  /// σ: its deviations [A].
  package private(set) var deviations: [Double]
  private var generations: GenerationLedger
  private let root: RandomStream

  /// A search around `start` [A], normalized weights.
  /// - Throws: `SearchError.invalidSetting`.
  package init(
    start: [Double], sessionBudget: Int, configuration: Configuration = Configuration(),
    seed: UInt64
  ) throws(SearchError) {
    try SearchError.check(start: start, sessionBudget: sessionBudget)
    if let problem = configuration.problem { throw .invalidSetting(reason: problem) }
    self.configuration = configuration
    mean = start
    deviations = start.map { _ in configuration.deviation }
    generations = GenerationLedger(size: configuration.population, sessionBudget: sessionBudget)
    root = RandomStream(seed: seed, name: "cross-entropy")
  }

  /// User sessions spent so far.
  package var spentSessions: Int { generations.ledger.spentSessions }
  /// Outcomes told so far.
  package var observationCount: Int { generations.ledger.observationCount }

  /// The next weights to try, or nil when the budget is spent.
  /// - Throws: `SearchError.openGeneration` when outcomes of a generation are missing that the next
  ///   one is made of.
  package mutating func suggest() throws(SearchError) -> SearchSuggestion? {
    let (mean, deviations, root) = (mean, deviations, root)
    return try generations.suggest { generation, member in
      guard member > 0 else { return mean }
      var stream = root.child("generation", generation).child("member", member)
      return mean.indices.map { i in
        min(max(mean[i] + deviations[i] * stream.gaussian(), -1), 1)
      }
    }
  }

  /// Tells an outcome; the last of a generation moves μ and σ.
  /// - Throws: as the protocol says.
  package mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) {
    guard
      let whole = try generations.observe(index, value: value, sessions: sessions)
    else { return }
    let ranking = whole.indices.sorted { (-whole[$0].value, $0) < (-whole[$1].value, $1) }
    let elite = ranking.prefix(configuration.elite).map { whole[$0].point }
    let n = Double(elite.count)
    for i in mean.indices {
      let center = elite.reduce(0) { $0 + $1[i] } / n
      let variance = elite.reduce(0) { $0 + ($1[i] - center) * ($1[i] - center) } / (n - 1)
      mean[i] = center
      deviations[i] = max(variance.squareRoot(), configuration.leastDeviation)
    }
  }

  /// The last mean; its value is the mean of the latest generation, drawn around the mean before.
  package func best() -> SearchResult? {
    generations.latestValue.map {
      SearchResult(point: mean, mean: $0.mean, deviation: $0.deviation)
    }
  }
}
