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
package struct RatioSums: Sendable {
  /// c_k, [K].
  package private(set) var coefficients: [Double]
  /// Unit i holds entries `offsets[i] ..< offsets[i + 1]`; [n + 1].
  private var offsets = [0]
  private var numerators: [Double] = []
  private var denominators: [Double] = []
  private var tails: [Double] = []

  /// Sums of no unit, with the factors c_k.
  package init(coefficients: [Double]) { self.coefficients = coefficients }

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

  /// Adds a unit: x and y of its steps, and the y of all later ones.
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
    var result = RatioSums(coefficients: coefficients)
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
        for k in own..<max(own, length) { y[k] += tails[i] }
        tail += tails[i]
      }
      result.append(x, over: y, tail: tail)
    }
    return result
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
    influences(of: units, slopes: Slopes(totals(of: units), coefficients))
  }

  /// V̂ over the given units and Σ ψ² over them, in one pass of their sums; nil as for `value`.
  func valueAndSpread(of units: [Int]) -> (value: Double, squares: Double)? {
    let totals = totals(of: units)
    guard let value = value(of: totals) else { return nil }
    let influences = influences(of: units, slopes: Slopes(totals, coefficients))
    return (value, influences.reduce(0) { $0 + $1 * $1 })
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
    /// Σ_{j ≥ k} c_j·V_j/Y_j, [K + 1].
    private(set) var after: [Double]

    init(_ totals: Totals, _ coefficients: [Double]) {
      let (x, y) = totals
      let size = coefficients.count
      factors = (0..<size).map { y[$0] > 0 ? coefficients[$0] / y[$0] : 0 }
      ratios = (0..<size).map { y[$0] > 0 ? x[$0] / y[$0] : 0 }
      after = [Double](repeating: 0, count: size + 1)
      for k in (0..<size).reversed() { after[k] = after[k + 1] + factors[k] * ratios[k] }
    }
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
      y[k] += over
    }
    return (x, y)
  }
}
