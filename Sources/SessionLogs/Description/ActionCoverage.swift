import EmbeddedAnalytics
import FusionMDP

/// How much of the action space [−1, 1]^A decisions cover.
///
/// Two measures of the whole. With C [A, A] the covariance of the actions,
///
///     effective dimension = (tr C)² / tr C²
///
/// is A where all weights vary alike and independently, 1 where they move along one line, and 0 where
/// nothing varies (the participation ratio of C's eigenvalues). The box share
///
///     Π_k (95 % quantile of a_k − 5 % quantile of a_k) / 1.8
///
/// is about 1 for uniform actions; it takes the weights for independent, so it is too large where they
/// are not.
public struct ActionCoverage: Sendable, Equatable, Codable {
  /// One weight.
  public struct Weight: Sendable, Equatable, Codable {
    /// The task whose weight it is; its number where the log does not say.
    public let name: String
    /// The mean.
    public let mean: Double
    /// The standard deviation.
    public let deviation: Double
    /// The 5 % quantile.
    public let low: Double
    /// The 25 % quantile.
    public let lowerQuartile: Double
    /// The median.
    public let median: Double
    /// The 75 % quantile.
    public let upperQuartile: Double
    /// The 95 % quantile.
    public let high: Double
    /// The share of decisions within 0.001 of −1 or of 1.
    public let atBounds: Double

    enum CodingKeys: String, CodingKey {
      case name, mean, deviation, low, median, high
      case lowerQuartile = "lower_quartile"
      case upperQuartile = "upper_quartile"
      case atBounds = "at_bounds"
    }
  }

  /// The weights in order.
  public let weights: [Weight]
  /// How many directions vary, 0…A.
  public let effectiveDimension: Double
  /// The share of the box that the middle nine tenths of each weight span, 0…1.
  public let boxShare: Double

  enum CodingKeys: String, CodingKey {
    case weights
    case effectiveDimension = "effective_dimension"
    case boxShare = "box_share"
  }

  /// The names of the weights: those of the tasks, their numbers where the log does not say.
  static func names(_ schema: LogSchema) -> [String] {
    let size = schema.actionSize
    return schema.taskCount == size ? schema.tasks.names : (0..<size).map { "weight \($0)" }
  }

  /// The coverage of each group of decisions.
  ///
  /// The engine holds every action while it looks for quantiles, once, whatever their number.
  /// - Parameters:
  ///   - column: of `decisions`; nil: all are one group, named `all`. A decision without a value is
  ///     in the group `none`.
  ///   - groups: which groups; nil: every one.
  /// - Returns: nothing where the log knows no actions.
  static func byGroup(
    _ column: String?, among groups: [String]? = nil, _ schema: LogSchema,
    _ database: AnalyticsDatabase
  ) throws -> [String: ActionCoverage] {
    guard schema.knows(.action) else { return [:] }
    let names = names(schema)
    let size = names.count
    var selections: [String] = []
    for k in 0..<size {
      let a = "action[\(k + 1)]"
      selections += [
        "avg(\(a))::DOUBLE AS m\(k)", "stddev_pop(\(a))::DOUBLE AS s\(k)",
        "avg((abs(\(a)) >= 0.999)::INTEGER)::DOUBLE AS b\(k)",
      ]
      selections.append("quantile_disc(\(a), \(quantiles))::FLOAT[] AS q\(k)")
      for j in 0...k {
        selections.append("covar_pop(\(a), action[\(j + 1)])::DOUBLE AS c\(k)_\(j)")
      }
    }
    let group = column.map { "coalesce(\($0), 'none')" } ?? "'all'"
    let chosen = groups.map { "WHERE list_contains(\(SQLText.list($0)), \(group))" } ?? ""
    let rows = try database.query(
      """
      SELECT \(group) AS g, \(selections.joined(separator: ", ")) FROM decisions \(chosen)
      GROUP BY g
      """)
    var found: [String: ActionCoverage] = [:]
    for (row, name) in try rows.strings("g").enumerated() {
      func value(_ column: String) throws -> Double { try rows.doubles(column)[row] }
      var (trace, squares, share) = (0.0, 0.0, 1.0)
      let weights = try (0..<size).map { k in
        let (all, offsets) = try rows.floatLists("q\(k)")
        let q = all[offsets[row]..<offsets[row + 1]].map { Double($0) }
        trace += try value("c\(k)_\(k)")
        for j in 0...k {
          let covariance = try value("c\(k)_\(j)")
          squares += (j == k ? 1 : 2) * covariance * covariance
        }
        share *= min(max((q[4] - q[0]) / 1.8, 0), 1)
        return Weight(
          name: names[k], mean: try value("m\(k)"), deviation: try value("s\(k)"), low: q[0],
          lowerQuartile: q[1], median: q[2], upperQuartile: q[3], high: q[4],
          atBounds: try value("b\(k)"))
      }
      found[name] = ActionCoverage(
        weights: weights, effectiveDimension: squares > 0 ? trace * trace / squares : 0,
        boxShare: share)
    }
    return found
  }

  private static let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
}
