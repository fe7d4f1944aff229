/// How well an estimator did on policies whose true values are known.
///
/// | measure | definition |
/// | --- | --- |
/// | `rankCorrelation` | Spearman's: Pearson's of the ranks, equal values sharing their mean rank |
/// | `absoluteError` | mean of \|V̂ − V\| |
/// | `regretAt1` | V of the best policy less V of the policy with the highest V̂ (the mean over those that share it) |
/// | `coverage` | share of the policies whose interval holds V |
package struct EstimatorQuality: Sendable, Equatable {
  /// An estimate beside the truth.
  package struct Pair: Sendable, Equatable {
    /// V.
    package let truth: Double
    /// V̂.
    package let value: Double
    /// Lower end of its interval.
    package let low: Double
    /// Upper end of it.
    package let high: Double

    /// A pair.
    package init(truth: Double, value: Double, low: Double, high: Double) {
      self.truth = truth
      self.value = value
      self.low = low
      self.high = high
    }
  }

  /// Spearman's rank correlation of estimates and truth; nil where one of them does not vary.
  package let rankCorrelation: Double?
  /// Mean absolute error, in reward units.
  package let absoluteError: Double
  /// What choosing by this estimator loses against the best policy, in reward units.
  package let regretAt1: Double
  /// The share of intervals that hold the truth.
  package let coverage: Double

  /// The quality on some policies; nil without any.
  package init?(_ pairs: [Pair]) {
    guard let best = pairs.map(\.truth).max(), let highest = pairs.map(\.value).max() else {
      return nil
    }
    let n = Double(pairs.count)
    rankCorrelation = Self.rankCorrelation(pairs.map(\.value), pairs.map(\.truth))
    absoluteError = pairs.reduce(0) { $0 + abs($1.value - $1.truth) } / n
    let chosen = pairs.filter { $0.value == highest }
    regretAt1 = best - chosen.reduce(0) { $0 + $1.truth } / Double(chosen.count)
    coverage = Double(pairs.count { $0.low <= $0.truth && $0.truth <= $0.high }) / n
  }

  /// Spearman's rank correlation; nil where one side has fewer than two different values.
  package static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double? {
    precondition(a.count == b.count, "\(a.count) and \(b.count) values")
    let (x, y) = (ranks(a), ranks(b))
    let mean = Double(a.count - 1) / 2
    var (both, left, right) = (0.0, 0.0, 0.0)
    for (x, y) in zip(x, y) {
      both += (x - mean) * (y - mean)
      left += (x - mean) * (x - mean)
      right += (y - mean) * (y - mean)
    }
    return left > 0 && right > 0 ? both / (left * right).squareRoot() : nil
  }

  /// Ranks from 0, equal values sharing their mean rank.
  static func ranks(_ values: [Double]) -> [Double] {
    values.map { value in
      let below = values.count { $0 < value }
      let equal = values.count { $0 == value }
      return Double(below) + Double(equal - 1) / 2
    }
  }
}
