import Foundation
import SeededRandom

/// Best parameters of a policy by an evolution strategy: the paper's baseline **ES** ("a small network
/// state → weights, natural-gradient search on its parameters").
///
/// Sources: Wierstra, Schaul, Glasmachers, Sun, Peters and Schmidhuber, "Natural evolution
/// strategies", JMLR 15, 2014 (natural gradient of a Gaussian's mean, rank-based utilities); Salimans,
/// Ho, Chen, Sidor and Sutskever, "Evolution strategies as a scalable alternative to reinforcement
/// learning", 2017 (mirrored sampling, a fixed deviation for networks). A generation of mirrored pairs
///
///     θ_2k = μ + σ·ε_k      θ_2k+1 = μ − σ·ε_k      ε_k ~ N(0, I)
///
/// is tried, its outcomes are shaped to utilities u by their ranks, and μ follows the natural gradient
/// of the expected utility. The Fisher matrix of the mean is σ⁻²·I, so that
///
///     ∇_μ J ≈ Σ_i u_i·(θ_i − μ) / σ²       ∇̃_μ J = σ²·∇_μ J ≈ Σ_i u_i·(θ_i − μ)
///     μ ← μ + η·∇̃_μ J
///
/// The search knows a vector of parameters and neither network nor state.
///
/// | source | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | μ | `center` | [P] | the caller's start |
/// | σ | `deviation` | scalar | 0.1, not published for this problem |
/// | η_μ | `learningRate` | scalar | 1, Wierstra et al., table 1 |
/// | λ / 2 | `pairs` | | 8 |
/// | u | `rankUtilities` | [λ] | Wierstra et al., section 3.1 |
///
/// The answer is the last μ; a generation that the budget cuts short moves nothing.
///
/// ## Departures from the paper
///
/// None known: the paper names the method and gives no constants. σ stays fixed, as Salimans et al.
/// have it: a budget of a dozen generations is too short to adapt it.
package struct EvolutionStrategy: PointSearch {
  /// The choices of a search.
  package struct Configuration: Sendable, Equatable, Codable {
    /// σ: the deviation of what is tried from the center.
    package var deviation = 0.1
    /// η: the length of a step, in natural gradients.
    package var learningRate = 1.0
    /// Mirrored pairs a generation.
    package var pairs = 8

    /// The defaults.
    package init() {}

    /// What is wrong, in words with the key, or nil.
    package var problem: String? {
      if !(deviation > 0 && deviation <= 100) {
        return "deviation: expected more than 0, at most 100, found \(deviation)"
      }
      if !(learningRate > 0 && learningRate <= 1_000) {
        return "learningRate: expected more than 0, at most 1000, found \(learningRate)"
      }
      if !(1...1_000_000).contains(pairs) {
        return "pairs: expected 1 to 1000000, found \(pairs)"
      }
      return nil
    }
  }

  /// The choices of the search.
  package let configuration: Configuration
  /// μ: the center of the next generation, and the answer [P].
  package private(set) var center: [Double]
  private var generations: GenerationLedger
  private let root: RandomStream

  /// A search around `start` [P], any finite numbers.
  /// - Throws: `SearchError.invalidSetting`.
  package init(
    start: [Double], sessionBudget: Int, configuration: Configuration = Configuration(),
    seed: UInt64
  ) throws(SearchError) {
    try SearchError.check(start: start, sessionBudget: sessionBudget, isInBox: false)
    if let problem = configuration.problem { throw .invalidSetting(reason: problem) }
    self.configuration = configuration
    center = start
    generations = GenerationLedger(size: 2 * configuration.pairs, sessionBudget: sessionBudget)
    root = RandomStream(seed: seed, name: "evolution-strategy")
  }

  /// User sessions spent so far.
  package var spentSessions: Int { generations.ledger.spentSessions }
  /// Outcomes told so far.
  package var observationCount: Int { generations.ledger.observationCount }

  /// The next parameters to try, or nil when the budget is spent.
  /// - Throws: `SearchError.openGeneration` when outcomes of a generation are missing that the next
  ///   one is made of.
  package mutating func suggest() throws(SearchError) -> SearchSuggestion? {
    let (center, deviation, root) = (center, configuration.deviation, root)
    return try generations.suggest { generation, member in
      var stream = root.child("generation", generation).child("pair", member / 2)
      let reach = member.isMultiple(of: 2) ? deviation : -deviation
      return center.map { $0 + reach * stream.gaussian() }
    }
  }

  /// Tells an outcome; the last of a generation moves μ.
  /// - Throws: as the protocol says.
  package mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) {
    guard
      let whole = try generations.observe(index, value: value, sessions: sessions)
    else { return }
    let gradient = Self.naturalGradient(
      utilities: Self.rankUtilities(whole.map(\.value)), points: whole.map(\.point),
      center: center)
    for p in center.indices { center[p] += configuration.learningRate * gradient[p] }
  }

  /// The last center; its value is the mean of the latest generation, drawn around the center before.
  package func best() -> SearchResult? {
    generations.latestValue.map {
      SearchResult(point: center, mean: $0.mean, deviation: $0.deviation)
    }
  }

  /// The natural gradient of the mean of an isotropic Gaussian (Wierstra et al., section 3.1).
  ///
  ///     ∇̃_μ J ≈ Σ_i u_i·(θ_i − μ)
  ///
  /// Shapes: `utilities` [λ], `points` [λ][P], `center` [P] → [P].
  package static func naturalGradient(
    utilities: [Double], points: [[Double]], center: [Double]
  ) -> [Double] {
    precondition(
      utilities.count == points.count && points.allSatisfy { $0.count == center.count },
      "\(utilities.count) utilities of \(points.count) points of size \(center.count)")
    var gradient = [Double](repeating: 0, count: center.count)
    for (utility, point) in zip(utilities, points) {
      for p in gradient.indices { gradient[p] += utility * (point[p] - center[p]) }
    }
    return gradient
  }

  /// Utilities by rank, which sum to 0 and do not know the outcomes' unit (Wierstra et al.,
  /// section 3.1); outcomes that are equal share theirs.
  ///
  ///     u_k = max(0, log(λ/2 + 1) − log k) / Σ_j max(0, log(λ/2 + 1) − log j) − 1/λ,  k = 1 the best
  ///
  /// Shapes: [λ] → [λ].
  package static func rankUtilities(_ values: [Double]) -> [Double] {
    let count = Double(values.count)
    let raw = values.indices.map { max(0, log(count / 2 + 1) - log(Double($0 + 1))) }
    let total = raw.reduce(0, +)
    let order = values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) }
    var utilities = [Double](repeating: 0, count: values.count)
    var rank = 0
    while rank < order.count {
      let tied = order[rank...].prefix { values[$0] == values[order[rank]] }
      let share = raw[rank..<rank + tied.count].reduce(0, +) / Double(tied.count)
      for i in tied { utilities[i] = share / total - 1 / count }
      rank += tied.count
    }
    return utilities
  }
}
