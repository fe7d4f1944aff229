/// The correlations of the columns of a table, and what is left of them once some columns have
/// explained what they can.
///
///     C ← C − C_·k · C_k· / C_kk        for each column k that explains
///
/// (the sweep operator; Goodnight, "A tutorial on the SWEEP operator", The American Statistician
/// 33(3), 1979, without the inverse). Afterwards C_jj is the share of column j's variance that
/// is not explained, and C_ij² / (C_ii · C_jj) the squared partial correlation of two columns.
struct SweptCorrelations {
  let size: Int
  /// How many columns have explained something.
  private(set) var rank = 0
  /// [size, size], row-major; a column without variation has zeros.
  private var matrix: [Double]

  /// The correlations of a table [n·size], row by row.
  init(_ table: [Double], size: Int) {
    self.size = size
    let rows = table.count / size
    precondition(rows > 0 && table.count == rows * size, "\(table.count) values in rows of \(size)")
    var mean = [Double](repeating: 0, count: size)
    for (i, value) in table.enumerated() { mean[i % size] += value / Double(rows) }
    var sums = [Double](repeating: 0, count: size * size)
    var centered = mean
    for row in 0..<rows {
      for column in 0..<size { centered[column] = table[row * size + column] - mean[column] }
      for i in 0..<size {
        let factor = centered[i]
        if factor == 0 { continue }
        let start = i * size
        for j in i..<size { sums[start + j] += factor * centered[j] }
      }
    }
    // Below this a column's variance is the rounding of its mean.
    let scale = (0..<size).map { i -> Double in
      let variance = sums[i * size + i] / Double(rows)
      return variance > 1e-14 * (1 + mean[i] * mean[i]) ? 1 / sums[i * size + i].squareRoot() : 0
    }
    matrix = sums
    for i in 0..<size {
      for j in i..<size {
        let value = sums[i * size + j] * scale[i] * scale[j]
        matrix[i * size + j] = value
        matrix[j * size + i] = value
      }
    }
  }

  /// Lets `column` explain what it can; what earlier ones left of it must be above the tolerance.
  mutating func sweep(_ column: Int, tolerance: Double = 1e-8) {
    let pivot = matrix[column * size + column]
    guard pivot > tolerance else { return }
    rank += 1
    let row = Array(matrix[column * size..<(column + 1) * size])
    for i in 0..<size where i != column && row[i] != 0 {
      let factor = row[i] / pivot
      for j in 0..<size { matrix[i * size + j] -= factor * row[j] }
    }
    for j in 0..<size {
      matrix[column * size + j] = 0
      matrix[j * size + column] = 0
    }
  }

  /// The share of a column's variance that the swept columns leave, 0…1; 0 for a constant column.
  func unexplained(_ column: Int) -> Double { max(matrix[column * size + column], 0) }

  /// The squared partial correlation of two columns; nil where the swept columns leave less than
  /// `tolerance` of one of them.
  func squaredPartial(_ i: Int, _ j: Int, tolerance: Double = 1e-6) -> Double? {
    let (left, right) = (unexplained(i), unexplained(j))
    guard left > tolerance, right > tolerance else { return nil }
    let shared = matrix[i * size + j]
    return min(shared * shared / (left * right), 1)
  }
}
