import Foundation

/// What every weighted estimate is: a discounted sum of ratios of sums over units.
///
///     V̂ = Σ_k c_k · (Σ_i x_ik) / (Σ_i y_ik)
///
/// | estimator | unit i | k | c_k | x_ik | y_ik |
/// | --- | --- | --- | --- | --- | --- |
/// | plain | session | one | 1 | contribution | 1 |
/// | self-normalized | session | one | 1 | w_i·G_i | w_i |
/// | self-normalized per decision | session | step t | γ^t | w_{i,0:t}·r_it | w_{i,0:t} |
///
/// Units end at different k. Beyond its last step a unit has x = 0 and y = `tail`: a session that is
/// over stays in a state where nothing is earned and every ratio is 1, so its weight stands.
///
/// Products of many ratios leave the range of `Double` on both sides. The factor e^−m_k of both sums
/// at k cancels, so weights given as logarithms are held as e^(log w_ik − m_k), m_k the largest at k,
/// and a tail as e^(log w_i − M_k), M_k = min_{j ≥ k} m_j and k its first step: no exponent is above 0,
/// and what underflows is nothing beside the largest of its step.
package struct RatioSums: Sendable {
  /// c_k, [K].
  package private(set) var coefficients: [Double]
  /// Unit i holds entries `offsets[i] ..< offsets[i + 1]`; [n + 1].
  private var offsets = [0]
  private var numerators: [Double] = []
  private var denominators: [Double] = []
  private var tails: [Double] = []
  /// e^(M_k − m_k), what a tail at k is multiplied by to be a y of k; [K].
  private let levels: [Double]
  /// e^(M_{k−1} − M_k), what carries a tail from k − 1 to k; [K + 1], the first and last of no use.
  private let carries: [Double]

  /// Sums of no unit, with the factors c_k.
  package init(coefficients: [Double]) {
    self.init(coefficients: coefficients, scales: [Double](repeating: 0, count: coefficients.count))
  }

  /// Sums of no unit whose entries at k are divided by e^m_k, `scales` being m; [K].
  private init(coefficients: [Double], scales: [Double]) {
    var (levels, carries) = (scales, [Double](repeating: 1, count: scales.count + 1))
    var least = scales.last ?? 0  // M_{k + 1}
    for k in scales.indices.reversed() {
      let own = min(least, scales[k])  // M_k
      levels[k] = exp(own - scales[k])
      carries[k + 1] = exp(own - least)
      least = own
    }
    self.coefficients = coefficients
    self.levels = levels
    self.carries = carries
  }

  /// Σ_i w_ik·v_ik over Σ_i w_ik at each k, of weights in logarithms.
  ///
  /// - Parameters:
  ///   - coefficients: c_k, [K].
  ///   - units: log w and v of each unit's steps; the last weight is that of all later steps.
  package init(
    coefficients: [Double], units: [(logWeights: [Double], values: [Double])]
  ) {
    let size = coefficients.count
    var scales = [Double](repeating: -.infinity, count: size)  // m_k
    var ended = scales
    for (logWeights, _) in units {
      for (k, logWeight) in logWeights.enumerated() { scales[k] = max(scales[k], logWeight) }
      let own = logWeights.count
      if own < size { ended[own] = max(ended[own], logWeights[own - 1]) }
    }
    var over = -Double.infinity
    for k in 0..<size {
      over = max(over, ended[k])
      scales[k] = max(scales[k], over)
      // Where nobody has any weight, all entries are 0 whatever they are divided by.
      if scales[k] == -.infinity { scales[k] = k > 0 ? scales[k - 1] : 0 }
    }
    self.init(coefficients: coefficients, scales: scales)
    var least = scales  // M_k
    for k in scales.indices.dropLast().reversed() { least[k] = min(least[k], least[k + 1]) }
    for (logWeights, values) in units {
      let weights = zip(logWeights, scales).map { exp($0 - $1) }
      let own = weights.count
      append(
        zip(weights, values).map { $0 * $1 }, over: weights,
        tail: own < size ? exp(logWeights[own - 1] - least[own]) : 0)
    }
  }

  /// A plain mean of one contribution a unit.
  package init(contributions: [Double]) {
    self.init(coefficients: [1])
    for value in contributions { append([value], over: [1], tail: 1) }
  }

  /// Σ w_i·v_i / Σ w_i.
  package init(values: [Double], weights: [Double]) {
    self.init(coefficients: [1])
    for (value, weight) in zip(values, weights) {
      append([weight * value], over: [weight], tail: weight)
    }
  }

  /// Adds a unit: x and y of its steps, and the y of all later ones (divided as they are held).
  package mutating func append(_ x: [Double], over y: [Double], tail: Double) {
    precondition(
      x.count == y.count && x.count <= coefficients.count,
      "\(x.count) numerators, \(y.count) denominators, \(coefficients.count) factors")
    numerators += x
    denominators += y
    tails.append(tail)
    offsets.append(numerators.count)
  }

  /// Units, n.
  package var count: Int { tails.count }

  /// The sums of groups of units, of which `grouped.count` there are.
  package func grouped(_ groups: [[Int]]) -> RatioSums {
    var result = self
    result.removeAll()
    for members in groups {
      let length = members.map { offsets[$0 + 1] - offsets[$0] }.max() ?? 0
      var x = [Double](repeating: 0, count: length)
      var y = x
      var tail = 0.0
      for i in members {
        let start = offsets[i]
        let own = offsets[i + 1] - start
        for k in 0..<own {
          x[k] += numerators[start + k]
          y[k] += denominators[start + k]
        }
        var left = tails[i]
        for k in own..<max(own, length) {
          y[k] += left * levels[k]
          left *= carries[k + 1]
        }
        tail += left
      }
      result.append(x, over: y, tail: tail)
    }
    return result
  }

  private mutating func removeAll() {
    (offsets, numerators, denominators, tails) = ([0], [], [], [])
  }

  /// V̂ over the given units, repeats allowed; a ratio whose weights are all 0 counts as 0, and nil
  /// where even the first is so.
  package func value(of units: some Collection<Int>) -> Double? {
    value(of: totals(of: units))
  }

  private func value(of totals: Totals) -> Double? {
    guard totals.y[0] > 0 else { return nil }
    var value = 0.0
    for k in coefficients.indices where totals.y[k] > 0 {
      value += coefficients[k] * totals.x[k] / totals.y[k]
    }
    return value
  }

  /// V̂ + n·∂V̂/∂(unit i), whose mean is V̂; [n].
  package func contributions(value: Double) -> [Double] {
    influences(of: Array(0..<count)).map { value + $0 }
  }

  /// How far each of the given units (repeats allowed) moves V̂ over them, times their number n; [n].
  ///
  ///     ψ_i = n · Σ_k c_k · (x_ik − V_k·y_ik) / Y_k,   V_k = X_k/Y_k
  package func influences(of units: [Int]) -> [Double] {
    influences(of: units, slopes: slopes(totals(of: units)))
  }

  /// V̂ over the given units and Σ ψ² over them, in one pass of their sums; nil as for `value`.
  func valueAndSpread(of units: [Int]) -> (value: Double, squares: Double)? {
    let totals = totals(of: units)
    guard let value = value(of: totals) else { return nil }
    let influences = influences(of: units, slopes: slopes(totals))
    return (value, influences.reduce(0) { $0 + $1 * $1 })
  }

  /// Σ_k c_k·y_ik/Y_k: how much of V̂ is each unit's to decide; they add up to Σ_k c_k over the k with
  /// any weight. [n]
  ///
  /// Where each k has its own denominator, this and no mean of weights tells which units count: late
  /// products may be small everywhere, and the ratio still rest on the largest of them.
  package func shares() -> [Double] {
    let factors = slopes(totals(of: 0..<count)).factors
    let after = after(factors)
    return (0..<count).map { i in
      let start = offsets[i]
      let own = offsets[i + 1] - start
      return (0..<own).reduce(tails[i] * after[own]) { $0 + factors[$1] * denominators[start + $1] }
    }
  }

  private func influences(of units: [Int], slopes: Slopes) -> [Double] {
    units.map { i in
      let start = offsets[i]
      let own = offsets[i + 1] - start
      var influence = -tails[i] * slopes.after[own]
      for k in 0..<own {
        influence +=
          slopes.factors[k] * (numerators[start + k] - slopes.ratios[k] * denominators[start + k])
      }
      return Double(units.count) * influence
    }
  }

  /// X_k and Y_k over some units.
  private typealias Totals = (x: [Double], y: [Double])

  /// What an influence is made of, [K].
  private struct Slopes {
    /// c_k/Y_k.
    let factors: [Double]
    /// V_k.
    let ratios: [Double]
    /// Σ_{j ≥ k} c_j·V_j/Y_j of a tail that begins at k, [K + 1].
    let after: [Double]
  }

  private func slopes(_ totals: Totals) -> Slopes {
    let (x, y) = totals
    let factors = coefficients.indices.map { y[$0] > 0 ? coefficients[$0] / y[$0] : 0 }
    let ratios = coefficients.indices.map { y[$0] > 0 ? x[$0] / y[$0] : 0 }
    return Slopes(
      factors: factors, ratios: ratios, after: after(zip(factors, ratios).map { $0 * $1 }))
  }

  /// Σ_{j ≥ k} of these times what a tail of 1 that begins at k is at j, [K] → [K + 1].
  private func after(_ terms: [Double]) -> [Double] {
    var after = [Double](repeating: 0, count: terms.count + 1)
    for k in terms.indices.reversed() {
      after[k] = terms[k] * levels[k] + carries[k + 1] * after[k + 1]
    }
    return after
  }

  private func totals(of units: some Collection<Int>) -> Totals {
    let size = coefficients.count
    var x = [Double](repeating: 0, count: size)
    var y = x
    var ended = [Double](repeating: 0, count: size + 1)
    for i in units {
      let start = offsets[i]
      let own = offsets[i + 1] - start
      for k in 0..<own {
        x[k] += numerators[start + k]
        y[k] += denominators[start + k]
      }
      ended[own] += tails[i]
    }
    var over = 0.0
    for k in 0..<size {
      over += ended[k]
      y[k] += over * levels[k]
      over *= carries[k + 1]
    }
    return (x, y)
  }
}
