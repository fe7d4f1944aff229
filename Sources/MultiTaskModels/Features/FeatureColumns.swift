import DenseKernels

/// Rows of features under construction: cells whose logarithm is the feature, and cells that
/// stand as they are. The logarithms of a whole block are taken at once.
struct FeatureColumns {
  private(set) var logs: [Float] = []
  private(set) var plain: [Float] = []

  /// A feature log(x).
  mutating func appendLog(_ x: Float) { logs.append(x) }

  /// A feature as it stands.
  mutating func append(_ x: Float) { plain.append(x) }

  /// log(1 + n), and for each task the log-odds of the smoothed rate (the smoothed mean for
  /// tasks in log seconds, whose prior is the last).
  mutating func appendRates(
    _ table: RateTable, _ slot: Int, tasks: [Int], strengths: [Float], secondsFrom: Int,
    prior: (Int) -> Float
  ) {
    appendLog(1 + table.count(slot))
    for k in tasks {
      if k >= secondsFrom {
        append(table.smoothedMean(slot, k, prior: prior(k), strength: strengths[k]))
      } else {
        appendLog(table.smoothedOdds(slot, k, prior: prior(k), strength: strengths[k]))
      }
    }
  }

  /// The block [rows, columns]: first the logarithms, then what stands as it is.
  consuming func block(rows: Int) -> Matrix {
    precondition(
      rows > 0 && logs.count % rows == 0 && plain.count % rows == 0,
      "\(logs.count) and \(plain.count) cells for \(rows) rows")
    let left = Matrix(rows: rows, columns: logs.count / rows, values: VectorMath.log(logs))
    let right = Matrix(rows: rows, columns: plain.count / rows, values: plain)
    return .joiningColumns([left, right])
  }
}

/// The names of the columns of a block, in the order in which `FeatureColumns` lays them out.
struct FeatureNames {
  private var logs: [String] = []
  private var plain: [String] = []

  mutating func appendLog(_ name: String) { logs.append(name) }
  mutating func append(_ name: String) { plain.append(name) }

  mutating func appendRates(
    _ entity: String, tasks: [Int], taskNames: [String], secondsFrom: Int
  ) {
    logs.append("\(entity).count")
    for k in tasks {
      if k >= secondsFrom {
        plain.append("\(entity).\(taskNames[k])")
      } else {
        logs.append("\(entity).\(taskNames[k])")
      }
    }
  }

  var all: [String] { logs + plain }
}
