import Foundation

/// What regression needs of small symmetric matrices [P, P], as rows.
package enum SymmetricMatrix {
  /// The inverse of a positive definite matrix, by Cholesky's factor A = L·Lᵀ.
  /// - Complexity: O(P³).
  package static func inverse(_ matrix: [[Double]]) -> [[Double]] {
    let size = matrix.count
    var lower = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
    for row in 0..<size {
      for column in 0...row {
        var value = matrix[row][column]
        for k in 0..<column { value -= lower[row][k] * lower[column][k] }
        precondition(row != column || value > 0, "no positive definite matrix: pivot \(value)")
        lower[row][column] = row == column ? value.squareRoot() : value / lower[column][column]
      }
    }
    return (0..<size).map { unit in
      var x = [Double](repeating: 0, count: size)
      for row in 0..<size {  // L·z = e
        var value = row == unit ? 1.0 : 0
        for k in 0..<row { value -= lower[row][k] * x[k] }
        x[row] = value / lower[row][row]
      }
      for row in (0..<size).reversed() {  // Lᵀ·x = z
        for k in row + 1..<max(size, row + 1) { x[row] -= lower[k][row] * x[k] }
        x[row] /= lower[row][row]
      }
      return x
    }
  }

  /// The ratio of the largest to the smallest eigenvalue, by Jacobi's rotations.
  /// - Complexity: O(P³) a sweep, ten sweeps at most in practice.
  package static func conditionNumber(_ matrix: [[Double]]) -> Double {
    let values = eigenvalues(matrix)
    return (values.max() ?? 1) / max(values.min() ?? 1, .leastNormalMagnitude)
  }

  /// The eigenvalues, in no order.
  package static func eigenvalues(_ matrix: [[Double]]) -> [Double] {
    var a = matrix
    let size = a.count
    for _ in 0..<100 {
      var off = 0.0
      for row in 0..<size { for column in 0..<row { off += a[row][column] * a[row][column] } }
      if off < 1e-24 { break }
      for p in 0..<size {
        for q in p + 1..<max(size, p + 1) where a[p][q] != 0 { rotate(&a, p, q) }
      }
    }
    return (0..<size).map { a[$0][$0] }
  }

  /// One rotation, which makes a[p][q] zero.
  private static func rotate(_ a: inout [[Double]], _ p: Int, _ q: Int) {
    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let t = (theta >= 0 ? 1.0 : -1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    for k in a.indices {
      let (left, right) = (a[k][p], a[k][q])
      a[k][p] = c * left - s * right
      a[k][q] = s * left + c * right
    }
    for k in a.indices {
      let (left, right) = (a[p][k], a[q][k])
      a[p][k] = c * left - s * right
      a[q][k] = s * left + c * right
    }
  }
}
