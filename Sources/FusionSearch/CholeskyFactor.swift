/// The lower triangular L of a symmetric positive definite matrix K + ε·I = L·Lᵀ, in `Double`.
///
/// ε starts at zero and grows tenfold from 10⁻¹² of the mean diagonal until the factorisation
/// succeeds: kernel matrices of close points are positive definite only up to rounding.
package struct CholeskyFactor: Sendable {
  /// Rows and columns of the matrix.
  package let size: Int
  /// What had to be added to the diagonal.
  package let jitter: Double
  /// Row-major, zeros above the diagonal; [n, n].
  private let lower: [Double]

  /// Factorises `matrix` (row-major, [n, n], only the lower half is read).
  /// - Throws: `SearchError.notPositiveDefinite` when 10⁻⁴ of the diagonal was not enough.
  /// - Complexity: O(n³).
  package init(_ matrix: [Double], size: Int) throws(SearchError) {
    precondition(matrix.count == size * size, "\(matrix.count) values for \(size)²")
    var trace = 0.0
    for i in 0..<size { trace += matrix[i * size + i] }
    let scale = size == 0 ? 0 : trace / Double(size)
    var jitter = 0.0
    while true {
      if let lower = Self.factorize(matrix, size: size, jitter: jitter) {
        self.size = size
        self.jitter = jitter
        self.lower = lower
        return
      }
      jitter = jitter == 0 ? 1e-12 * scale : 10 * jitter
      guard jitter <= 1.01e-4 * scale else { throw .notPositiveDefinite(size: size) }
    }
  }

  private static func factorize(_ matrix: [Double], size n: Int, jitter: Double) -> [Double]? {
    var lower = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0...i {
        var sum = matrix[i * n + j]
        for k in 0..<j { sum -= lower[i * n + k] * lower[j * n + k] }
        if i == j {
          sum += jitter
          guard sum > 0, sum.isFinite else { return nil }
          lower[i * n + i] = sum.squareRoot()
        } else {
          lower[i * n + j] = sum / lower[j * n + j]
        }
      }
    }
    return lower
  }

  /// The x of L·x = b. Complexity: O(n²).
  package func solveLower(_ b: [Double]) -> [Double] {
    precondition(b.count == size, "\(b.count) values for \(size) rows")
    var x = b
    for i in 0..<size {
      var sum = x[i]
      let row = i * size
      for k in 0..<i { sum -= lower[row + k] * x[k] }
      x[i] = sum / lower[row + i]
    }
    return x
  }

  /// The x of (L·Lᵀ)·x = b. Complexity: O(n²).
  package func solve(_ b: [Double]) -> [Double] {
    var x = solveLower(b)
    for i in stride(from: size - 1, through: 0, by: -1) {
      x[i] /= lower[i * size + i]
      let value = x[i]
      let row = i * size
      for k in 0..<i { x[k] -= lower[row + k] * value }
    }
    return x
  }

  /// Σ_i of 2·L_ii's logarithm is log det K; this gives the L_ii.
  package var diagonal: [Double] { (0..<size).map { lower[$0 * size + $0] } }

  /// K⁻¹, row-major, full. Complexity: O(n³).
  package func inverse() -> [Double] {
    var result = [Double](repeating: 0, count: size * size)
    var unit = [Double](repeating: 0, count: size)
    for column in 0..<size {
      unit[column] = 1
      let x = solve(unit)
      unit[column] = 0
      for row in 0..<size { result[row * size + column] = x[row] }
    }
    return result
  }
}
