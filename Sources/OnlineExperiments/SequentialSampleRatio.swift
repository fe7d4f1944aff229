import Foundation

/// A check of the split of users that may be looked at every day.
///
/// The counts n of the arms are held against the promised shares θ by the Bayes factor of a
/// Dirichlet alternative around them:
///
///     ln B(n) = ln Γ(c) − ln Γ(c + Σn) + Σ_i [ ln Γ(c·θ_i + n_i) − ln Γ(c·θ_i) − n_i·ln θ_i ]
///
/// While the shares hold, B is a martingale as users come in, so that it ever reaches 1/α with
/// probability α at most, however often and whenever one looks. c, the concentration, says which
/// deviations are looked for: a share of ½ is expected to be off by √(¼/(c + 1)), half a point at
/// the default of 10,000. (Lindon and Malek, "Anytime-valid inference for multinomial count
/// data", NeurIPS 2022.)
package struct SequentialSampleRatio: Sendable, Equatable {
  /// Promised shares of the arms, adding up to one.
  package let shares: [Double]
  /// c above.
  package let concentration: Double
  /// Users counted in each arm at the last look.
  package private(set) var observed: [Int]
  /// ln B at the last look.
  package private(set) var logBayesFactor = 0.0
  /// The smallest 1/B of all looks; it never rises again.
  package private(set) var pValue = 1.0

  /// Below this p-value the split is held to be broken.
  package static let threshold = SampleRatioCheck.threshold

  /// True when the split is too far from its shares to be chance.
  package var isMismatch: Bool { pValue < Self.threshold }

  /// A check before the first user.
  /// - Precondition: two arms or more, shares and concentration above zero.
  package init(shares: [Double], concentration: Double = 10_000) {
    precondition(shares.count >= 2, "\(shares.count) shares; 2 or more needed")
    precondition(shares.allSatisfy { $0 > 0 }, "shares must lie above 0: \(shares)")
    precondition(concentration > 0, "concentration \(concentration)")
    let total = shares.reduce(0, +)
    self.shares = shares.map { $0 / total }
    self.concentration = concentration
    self.observed = [Int](repeating: 0, count: shares.count)
  }

  /// Looks at the counts so far.
  /// - Precondition: one count an arm, none below the last look's.
  package mutating func look(at counts: [Int]) {
    precondition(
      counts.count == shares.count && zip(counts, observed).allSatisfy { $0 >= $1 },
      "counts \(counts) after \(observed)")
    observed = counts
    let users = Double(counts.reduce(0, +))
    var sum = lgamma(concentration) - lgamma(concentration + users)
    for (count, share) in zip(counts, shares) {
      let prior = concentration * share
      sum += lgamma(prior + Double(count)) - lgamma(prior) - Double(count) * log(share)
    }
    logBayesFactor = sum
    pValue = min(pValue, exp(-sum))
  }
}
