import Foundation

/// Importance weights in log space, one pure function a term.
///
/// Source: Precup, Sutton and Singh, "Eligibility Traces for Off-Policy Policy Evaluation", ICML
/// 2000.
package enum WeightTerms {
  /// A log weight beyond this is held at it: e^300 squared is still a number. Ratios of sums of
  /// weights need no such limit, as a common factor cancels. Where a plain sum meets it, one session
  /// carries all weight, or all of them are beyond it and then equal: the mean of π/μ tells both.
  package static let largestLogWeight = 300.0

  /// w = e^(log w), held at `largestLogWeight`.
  package static func weight(_ logWeight: Double) -> Double {
    exp(min(logWeight, largestLogWeight))
  }

  /// log w_{0:t} = Σ_{k ≤ t} log ρ_k of one session; [T] → [T].
  package static func cumulative(_ logRatios: some Collection<Double>) -> [Double] {
    var sum = 0.0
    return logRatios.map { ratio in
      sum += ratio
      return sum
    }
  }

  /// (Σ w)² / Σ w² of log weights, whatever their scale; 0 where all weights are 0.
  package static func effectiveSampleSize(logWeights: [Double]) -> Double {
    let largest = logWeights.max() ?? -.infinity
    guard largest > -.infinity else { return 0 }
    var (sum, squares) = (0.0, 0.0)
    for logWeight in logWeights {
      let weight = exp(logWeight - largest)
      sum += weight
      squares += weight * weight
    }
    return sum * sum / squares
  }

  /// The largest weight's share of their sum; 0 where all weights are 0.
  package static func largestShare(logWeights: [Double]) -> Double {
    let largest = logWeights.max() ?? -.infinity
    guard largest > -.infinity else { return 0 }
    return 1 / logWeights.reduce(0) { $0 + exp($1 - largest) }
  }

  /// log of the mean of e^x under `measure`, or under equal shares; [n], n ≥ 1.
  package static func logMeanExp(_ values: [Double], measure: [Double]? = nil) -> Double {
    guard values.count > 1 else { return values[0] }
    let largest = values.max() ?? -.infinity
    guard largest > -.infinity else { return -.infinity }
    var (sum, total) = (0.0, 0.0)
    for (index, value) in values.enumerated() {
      let share = measure?[index] ?? 1
      sum += share * exp(value - largest)
      total += share
    }
    return largest + log(sum / total)
  }
}
