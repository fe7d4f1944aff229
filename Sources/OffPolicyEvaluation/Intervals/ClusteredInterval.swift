import Foundation
import SeededRandom

/// The interval of an estimate that is made of `RatioSums`.
///
/// Sources: Student's t and the clustered variance as in `SessionClusters`; Efron and Tibshirani, "An
/// Introduction to the Bootstrap", 1993, section 12.5 (bootstrap-t); Maurer and
/// Pontil, "Empirical Bernstein Bounds and Sample Variance Penalization", COLT 2009, theorem 4, with
/// δ/2 for each side:
///
///     |V̂ − V| ≤ √(2·s²·ln(4/δ)/G) + 7·b·ln(4/δ)/(3·(G − 1)),   s² the variance of groups, b their range
struct ClusteredInterval {
  let method: IntervalMethod
  let confidence: Double

  /// Ends, and the squared standard error.
  struct Found {
    let low: Double
    let high: Double
    let variance: Double
  }

  /// - Parameters:
  ///   - groups: the units of `sums` in groups that are independent of each other; of a single one
  ///     the interval is infinite, as in `SessionClusters`.
  ///   - contributions: V̂ plus each unit's influence, [n].
  func around(
    _ value: Double, sums: RatioSums, contributions: [Double], groups: [[Int]],
    using stream: inout RandomStream
  ) -> Found {
    let n = Double(contributions.count)
    let count = Double(groups.count)
    // G·Σ_{i∈g} (c_i − V̂)/n: their mean over groups is 0, and V̂ moves by their mean.
    let influences = groups.map { members in
      count / n * members.reduce(0) { $0 + contributions[$1] - value }
    }
    let squares = influences.reduce(0) { $0 + $1 * $1 }
    guard groups.count > 1 else {
      return Found(low: -.infinity, high: .infinity, variance: .infinity)
    }
    guard squares > 0 else {
      return Found(low: value, high: value, variance: 0)
    }
    let variance = squares / (count * (count - 1))
    switch method {
    case .studentT:
      let reach =
        StudentDistribution.quantile(0.5 + confidence / 2, degrees: count - 1)
        * variance.squareRoot()
      return Found(low: value - reach, high: value + reach, variance: variance)
    case .empiricalBernstein(let range):
      let reach = bernstein(
        variance: squares / (count - 1), count: count,
        range: range ?? observedRange(groups, contributions))
      return Found(low: value - reach, high: value + reach, variance: variance)
    case .bootstrap(let resamples):
      let ends = studentized(
        value, error: variance.squareRoot(), sums: sums.grouped(groups), resamples: resamples,
        using: &stream)
      return Found(low: ends.low, high: ends.high, variance: variance)
    }
  }

  /// Half the width by the formula above.
  func bernstein(variance: Double, count: Double, range: Double) -> Double {
    let term = log(4 / (1 - confidence))
    return (2 * variance * term / count).squareRoot() + 7 * range * term / (3 * (count - 1))
  }

  /// Width of G·Σ_{i∈g} c_i/n over the groups and 0.
  private func observedRange(_ groups: [[Int]], _ contributions: [Double]) -> Double {
    let scale = Double(groups.count) / Double(contributions.count)
    var (low, high) = (0.0, 0.0)
    for members in groups {
      let sum = scale * members.reduce(0) { $0 + contributions[$1] }
      low = min(low, sum)
      high = max(high, sum)
    }
    return high - low
  }

  /// Bootstrap-t: V̂ − q·error, q the quantiles of (V̂* − V̂)/error* over resamples, each with a
  /// standard error of its own. Weights are skewed, and a resample without the largest has a small
  /// value and a small error: plain percentiles do not see that, the studentized ones do.
  private func studentized(
    _ value: Double, error: Double, sums: RatioSums, resamples: Int,
    using stream: inout RandomStream
  ) -> (low: Double, high: Double) {
    let count = sums.count
    let degrees = Double(count) * Double(count - 1)
    // A resample in which nobody has any weight, or which holds one group alone, says nothing.
    let scores = (0..<resamples).compactMap { _ -> Double? in
      let units = stream.indices(below: count, count: count)
      guard let drawn = sums.valueAndSpread(of: units), drawn.squares > 0 else { return nil }
      return (drawn.value - value) / (drawn.squares / degrees).squareRoot()
    }.sorted()
    guard !scores.isEmpty else { return (value, value) }
    func quantile(_ share: Double) -> Double {
      let position = min(
        max(share * Double(scores.count) - 0.5, 0), Double(scores.count - 1))
      let index = Int(position)
      let next = min(index + 1, scores.count - 1)
      let part = position - Double(index)
      return scores[index] * (1 - part) + scores[next] * part
    }
    let tail = (1 - confidence) / 2
    return (value - quantile(1 - tail) * error, value - quantile(tail) * error)
  }
}
