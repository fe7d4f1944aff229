import SeededRandom

/// Best static fusion weights on a grid over a few of them.
///
/// Along each chosen weight L levels stand evenly from −1 to 1; the other weights stay at the start. A
/// full grid over all twelve weights would have 3¹² = 531,441 points, so a grid is over the weights
/// that somebody names, as people tune by hand. While the budget lasts the whole grid is tried again
/// with other users, each pass in an order of its own, so every point has equally many outcomes or one
/// less.
///
/// The answer is the point with the best mean. Its value is the highest of many means and so too high
/// by chance: measure it again on fresh sessions before it is believed.
package struct GridSearch: PointSearch {
  /// The points in their order: the first chosen weight varies slowest [points][A].
  package let points: [[Double]]
  private var ledger: SearchLedger
  private var outcomes: [[SearchObservation]]
  /// The order of the pass under way.
  private var order: [Int] = []
  private var pointOfSuggestion: [Int] = []
  private let root: RandomStream

  /// The most points that a grid may have.
  package static let mostPoints = 1_000_000

  /// A grid through `start` [A] over the weights at `axes`.
  /// - Throws: `SearchError.invalidSetting` for an axis that stands twice or is none, for fewer than
  ///   two levels, or for more than `mostPoints` points.
  package init(
    start: [Double], axes: [Int], levels: Int, sessionBudget: Int, seed: UInt64
  ) throws(SearchError) {
    try SearchError.check(start: start, sessionBudget: sessionBudget)
    guard !axes.isEmpty, Set(axes).count == axes.count,
      axes.allSatisfy({ start.indices.contains($0) })
    else {
      throw .invalidSetting(
        reason: "axes: expected different ones of 0 to \(start.count - 1), found \(axes)")
    }
    guard levels >= 2 else {
      throw .invalidSetting(reason: "levels: expected at least 2, found \(levels)")
    }
    var points = [start]
    for axis in axes {
      guard points.count <= Self.mostPoints / levels else {
        throw .invalidSetting(
          reason: "levels: expected a grid of at most \(Self.mostPoints) points, "
            + "found \(levels) levels of \(axes.count) weights")
      }
      points = points.flatMap { point in
        (0..<levels).map { level in
          var moved = point
          moved[axis] = 2 * Double(level) / Double(levels - 1) - 1
          return moved
        }
      }
    }
    self.points = points
    ledger = SearchLedger(sessionBudget: sessionBudget)
    outcomes = points.map { _ in [] }
    root = RandomStream(seed: seed, name: "grid")
  }

  /// User sessions spent so far.
  package var spentSessions: Int { ledger.spentSessions }
  /// Outcomes told so far.
  package var observationCount: Int { ledger.observationCount }

  /// The next weights to try, or nil when the budget is spent.
  package mutating func suggest() -> SearchSuggestion? {
    guard !ledger.isSpent else { return nil }
    let (pass, place) = pointOfSuggestion.count.quotientAndRemainder(dividingBy: points.count)
    if place == 0 {
      var stream = root.child("pass", pass)
      order = stream.shuffled(points.count)
    }
    pointOfSuggestion.append(order[place])
    return ledger.suggest(points[order[place]])
  }

  /// Tells an outcome.
  /// - Throws: as the protocol says.
  package mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) {
    let observation = try ledger.observe(index, value: value, sessions: sessions)
    outcomes[pointOfSuggestion[index]].append(observation)
  }

  /// The point with the best mean, the first of equals. The deviation comes from the spread of a
  /// point's outcomes, pooled over points; after a single pass, from the spread between points, which
  /// is more.
  package func best() -> SearchResult? {
    let tried = outcomes.indices.filter { !outcomes[$0].isEmpty }
    let means = tried.map { SearchObservation.mean(of: outcomes[$0]).mean }
    guard let place = means.indices.max(by: { (means[$0], $1) < (means[$1], $0) }) else {
      return nil
    }
    var (squares, degrees) = (0.0, 0.0)
    for (point, mean) in zip(tried, means) {
      squares += outcomes[point].reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) }
      degrees += Double(outcomes[point].count - 1)
    }
    if degrees == 0 {
      let overall = means.reduce(0, +) / Double(means.count)
      squares = means.reduce(0) { $0 + ($1 - overall) * ($1 - overall) }
      degrees = Double(means.count - 1)
    }
    let spread = degrees > 0 ? (squares / degrees).squareRoot() : 0
    return SearchResult(
      point: points[tried[place]], mean: means[place],
      deviation: spread / Double(outcomes[tried[place]].count).squareRoot())
  }
}
