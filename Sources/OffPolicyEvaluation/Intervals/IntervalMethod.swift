/// How an interval is put around a weighted estimate; groups of sessions are the independent units.
package enum IntervalMethod: Sendable, Equatable {
  /// V̂ ± t_{G−1} · √(clustered variance of the contributions), G groups.
  case studentT
  /// Groups are drawn again with replacement, and V̂ and its standard error are computed anew; the
  /// ends are studentized (bootstrap-t).
  case bootstrap(resamples: Int)
  /// Holds for any distribution of bounded contributions, not only in the limit; wide. `range` is
  /// the width of what one group can contribute, in reward units; nil takes the range that the log
  /// shows (0 included), which is a reading and not a guarantee.
  case empiricalBernstein(range: Double?)

  /// What is wrong, in words, or nil.
  package var problem: String? {
    switch self {
    case .studentT: nil
    case .bootstrap(let resamples):
      (100...1_000_000).contains(resamples)
        ? nil : "interval: expected 100 to 1000000 resamples, found \(resamples)"
    case .empiricalBernstein(let range):
      range.map { $0 > 0 && $0.isFinite } ?? true
        ? nil : "interval: expected a range above 0, found \(range ?? 0)"
    }
  }
}
