import FusionSearch
import SeededRandom
import Testing

/// Objectives with known optima, and what a search makes of them.
enum SearchTrials {
  /// A quadratic bowl whose best value is 0.
  static func bowl(_ x: [Double], center: [Double]) -> Double {
    -zip(x, center).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  /// Asks and tells until the budget is spent, 10 sessions a point; the answer.
  static func answer(
    _ search: inout some PointSearch, noise: Double, seed: UInt64, _ function: ([Double]) -> Double
  ) throws -> [Double] {
    var stream = RandomStream(seed: seed, name: "noise")
    while let suggestion = try search.suggest() {
      try search.observe(
        suggestion.index, value: function(suggestion.point) + noise * stream.gaussian(),
        sessions: 10)
    }
    return try #require(try search.best()).point
  }

  /// The random point of the box that looked best.
  static func chance(
    _ function: ([Double]) -> Double, dimension: Int, trials: Int, noise: Double, seed: UInt64
  ) -> Double {
    var stream = RandomStream(seed: seed, name: "chance")
    var best = (point: [Double](), seen: -Double.infinity)
    for _ in 0..<trials {
      let point = (0..<dimension).map { _ in stream.uniform(in: -1...1) }
      let seen = function(point) + noise * stream.gaussian()
      if seen > best.seen { best = (point, seen) }
    }
    return function(best.point)
  }

  /// Student's t of paired differences.
  static func pairedT(_ differences: [Double]) -> Double {
    let n = Double(differences.count)
    let mean = differences.reduce(0, +) / n
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean / (squares / (n - 1) / n).squareRoot()
  }
}
