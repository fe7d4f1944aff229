import Foundation
import SeededRandom

/// Linear regression by least squares with errors clustered by user, pooled or within users.
///
/// Sources: White, Econometrica 1980, and Liang and Zeger, Biometrika 1986 (the sandwich); Cameron
/// and Miller, Journal of Human Resources 2015 (CR1, and t with G − 1 degrees of freedom);
/// Belsley, Kuh and Welsch 1980 (collinearity).
///
/// | symbol | here | shape |
/// | --- | --- | --- |
/// | X, centered | `columns` less their means | [N, P] |
/// | y, centered | `outcome` less its means | [N] |
/// | g | `clusters`, users numbered from 0 | [N] → G |
/// | R | correlations of the columns, XᵀX of centered columns scaled to length 1 | [P, P] |
///
///     b = (XᵀX)⁻¹ Xᵀy
///     V = c · (XᵀX)⁻¹ (Σ_g s_g s_gᵀ) (XᵀX)⁻¹,   s_g = Σ_{i∈g} x_i e_i
///     c = G/(G − 1) · (N − 1)/(N − P − 1)
///
/// The constant is taken out by centering (Frisch and Waugh 1933): by the means of all rows, or of
/// each user's rows (fixed effects). Both leave the slopes and their covariance as they are.
///
/// ## Departures from the sources
///
/// * Fixed effects are nested in the clusters and do not count among the P columns of c, as is
///   usual for clusters that hold whole units.
/// * The condition number is that of the centered columns without the levels of days and hours; the
///   sources' own, with the constant and all, would tell how far from zero counts are and how rare
///   the first level is.
package struct LeastSquares {
  /// How the constant is taken out.
  package enum Centering: Sendable, Equatable {
    /// By the means of all rows.
    case overall
    /// By the means of each cluster's rows.
    case withinClusters
  }

  /// One column of X.
  package struct Column: Sendable {
    /// What findings call it.
    package var name: String
    /// A number a row [N].
    package var values: [Double]
    /// Whether it is one level of a control, which the condition number leaves out: how levels go
    /// together says nothing of the signals.
    package var isLevel: Bool

    package init(_ name: String, _ values: [Double], isLevel: Bool = false) {
      self.name = name
      self.values = values
      self.isLevel = isLevel
    }
  }

  /// A pivot of the correlations' Cholesky factor below this (1 − R² of a column on those before
  /// it) is none: the column is left out.
  package static let leastTolerance = 1e-9

  private let columns: [Column]
  private let clusters: [Int]
  private let clusterCount: Int
  private let centering: Centering

  /// A regression on these columns; those before come before when columns are collinear.
  ///
  /// Shapes: `columns` P × [N], `clusters` [N] with values in 0 ..< `clusterCount`.
  package init(
    columns: [Column], clusters: [Int], clusterCount: Int, centering: Centering = .overall
  ) {
    precondition(columns.allSatisfy { $0.values.count == clusters.count })
    self.columns = columns
    self.clusters = clusters
    self.clusterCount = clusterCount
    self.centering = centering
  }

  /// Fits `outcome` [N].
  ///
  /// - Parameter confidence: the share of samples whose interval holds the true slope.
  /// - Throws: `RewardFitError.tooFewSessions` or `.oneUser`; `.nothingVaries` when no column is
  ///   left.
  /// - Complexity: O(N·P²).
  package func fit(
    _ outcome: [Double], confidence: Double
  ) throws(RewardFitError) -> RegressionResult {
    let n = outcome.count
    precondition(n == clusters.count, "\(n) outcomes for \(clusters.count) rows")
    guard clusterCount > 1 else { throw .oneUser(sessions: n) }
    var (units, names, norms, leftOut) = scaledColumns()
    let all = correlations(units)
    let kept = keptColumns(all, names, &leftOut)
    (units, names, norms) = (kept.map { units[$0] }, kept.map { names[$0] }, kept.map { norms[$0] })
    guard !units.isEmpty else { throw .nothingVaries(leftOut.map(\.name)) }
    guard n > units.count + 1 else { throw .tooFewSessions(n, columns: units.count) }
    let correlations = kept.map { row in kept.map { all[row][$0] } }
    let inverse = SymmetricMatrix.inverse(correlations)
    let y = centered(outcome)
    let products = units.map { dot($0, y) }
    let scaled = inverse.map { dot($0, products) }  // b in the scaled columns [P]
    var residuals = y
    for (unit, slope) in zip(units, scaled) {
      for row in 0..<n { residuals[row] -= slope * unit[row] }
    }
    let covariance = covariance(units, residuals, inverse)
    let total = dot(y, y)
    let quantile = StudentDistribution.quantile(
      (1 + confidence) / 2, degrees: Double(clusterCount - 1))
    return RegressionResult(
      rows: n, clusters: clusterCount,
      rSquared: total > 0 ? 1 - dot(residuals, residuals) / total : nil,
      conditionNumber: conditionNumber(correlations, names),
      terms: names.indices.map { index in
        term(
          names[index], scaled[index] / norms[index],
          max(0, covariance[index][index]).squareRoot() / norms[index], inverse[index][index],
          quantile)
      },
      leftOut: leftOut)
  }

  private func term(
    _ name: String, _ estimate: Double, _ error: Double, _ inflation: Double, _ quantile: Double
  ) -> RegressionTerm {
    let t = error > 0 ? estimate / error : nil
    return RegressionTerm(
      name: name, estimate: estimate, standardError: error, low: estimate - quantile * error,
      high: estimate + quantile * error, t: t,
      pValue: t.map {
        min(1, 2 * StudentDistribution.cumulative(-abs($0), degrees: Double(clusterCount - 1)))
      },
      varianceInflation: inflation)
  }

  private func conditionNumber(_ correlations: [[Double]], _ names: [String]) -> Double {
    let levels = Set(columns.filter(\.isLevel).map(\.name))
    let places = names.indices.filter { !levels.contains(names[$0]) }
    return SymmetricMatrix.conditionNumber(
      places.map { row in places.map { correlations[row][$0] } }
    ).squareRoot()
  }

  // MARK: Columns

  /// The centered columns scaled to length 1, without those that are constant.
  private func scaledColumns() -> (
    units: [[Double]], names: [String], norms: [Double], leftOut: [LeftOutColumn]
  ) {
    var units: [[Double]] = []
    var names: [String] = []
    var norms: [Double] = []
    var leftOut: [LeftOutColumn] = []
    for column in columns {
      var values = centered(column.values)
      let norm = dot(values, values).squareRoot()
      guard norm > 1e-10 * dot(column.values, column.values).squareRoot(), norm.isFinite else {
        let reason = centering == .overall ? "it is constant" : "it does not vary within users"
        leftOut.append(LeftOutColumn(name: column.name, reason: reason))
        continue
      }
      for row in values.indices { values[row] /= norm }
      units.append(values)
      names.append(column.name)
      norms.append(norm)
    }
    return (units, names, norms, leftOut)
  }

  /// `values` less their means.
  private func centered(_ values: [Double]) -> [Double] {
    switch centering {
    case .overall:
      let mean = values.reduce(0, +) / Double(max(1, values.count))
      return values.map { $0 - mean }
    case .withinClusters:
      var sums = [Double](repeating: 0, count: clusterCount)
      var counts = sums
      for (cluster, value) in zip(clusters, values) {
        sums[cluster] += value
        counts[cluster] += 1
      }
      return zip(clusters, values).map { $1 - sums[$0] / counts[$0] }
    }
  }

  private func correlations(_ units: [[Double]]) -> [[Double]] {
    var matrix = [[Double]](
      repeating: [Double](repeating: 0, count: units.count), count: units.count)
    for row in units.indices {
      for column in 0...row {
        matrix[row][column] = dot(units[row], units[column])
        matrix[column][row] = matrix[row][column]
      }
    }
    return matrix
  }

  /// The columns with a pivot, by Cholesky's factor L in their order; what is left out is named
  /// with the columns that make it.
  private func keptColumns(
    _ correlations: [[Double]], _ names: [String], _ leftOut: inout [LeftOutColumn]
  ) -> [Int] {
    var kept: [Int] = []
    var factor: [[Double]] = []
    for column in names.indices {
      var row: [Double] = []
      for (index, other) in kept.enumerated() {
        var value = correlations[column][other]
        for k in 0..<index { value -= row[k] * factor[index][k] }
        row.append(value / factor[index][index])
      }
      let pivot = correlations[column][column] - row.reduce(0) { $0 + $1 * $1 }
      guard pivot < Self.leastTolerance else {
        kept.append(column)
        factor.append(row + [pivot.squareRoot()])
        continue
      }
      // Lᵀ·shares = row: how the column is made of those that are kept.
      var shares = row
      for index in shares.indices.reversed() {
        for below in shares.indices where below > index {
          shares[index] -= factor[below][index] * shares[below]
        }
        shares[index] /= factor[index][index]
      }
      let makers = shares.indices.filter { abs(shares[$0]) > 1e-4 }.map { names[kept[$0]] }
      leftOut.append(
        LeftOutColumn(
          name: names[column], reason: "it is a combination of " + makers.joined(separator: ", ")))
    }
    return kept
  }

  // MARK: Covariance

  /// V of the slopes of the scaled columns [P, P].
  private func covariance(
    _ units: [[Double]], _ residuals: [Double], _ inverse: [[Double]]
  ) -> [[Double]] {
    let (P, G, n) = (units.count, clusterCount, residuals.count)
    // W = (XᵀX)⁻¹ s_g, so that V = c · Σ_g W_g W_gᵀ.
    var scores = [Double](repeating: 0, count: G * P)
    for (column, unit) in units.enumerated() {
      for row in 0..<n { scores[clusters[row] * P + column] += unit[row] * residuals[row] }
    }
    var sum = [[Double]](repeating: [Double](repeating: 0, count: P), count: P)
    for cluster in 0..<G {
      let score = Array(scores[cluster * P..<(cluster + 1) * P])
      let weighed = inverse.map { dot($0, score) }
      for row in 0..<P {
        for column in 0..<P { sum[row][column] += weighed[row] * weighed[column] }
      }
    }
    let correction =
      Double(G) / Double(G - 1) * Double(n - 1) / Double(n - P - 1)
    return sum.map { $0.map { $0 * correction } }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }
}
