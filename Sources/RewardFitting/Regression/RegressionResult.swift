/// One column's slope.
public struct RegressionTerm: Sendable, Equatable, Codable {
  /// The column.
  public let name: String
  /// The slope: outcome a unit of the column, all others held.
  public let estimate: Double
  /// Its standard error, clustered by user (CR1).
  public let standardError: Double
  /// The lower end of its interval.
  public let low: Double
  /// The upper end of its interval.
  public let high: Double
  /// Estimate over standard error; nil where the fit leaves no error.
  public let t: Double?
  /// The two-sided p-value of a slope of zero, by Student's t with (users − 1) degrees.
  public let pValue: Double?
  /// How many times the other columns inflate the estimate's variance: 1/(1 − R² of the column on
  /// the others).
  public let varianceInflation: Double

  /// Whether the interval holds zero.
  public var holdsZero: Bool { low <= 0 && high >= 0 }
}

/// A column that could not be fitted, and why.
public struct LeftOutColumn: Sendable, Equatable, Codable {
  /// The column.
  public let name: String
  /// Why.
  public let reason: String
}

/// One fitted regression.
public struct RegressionResult: Sendable, Equatable, Codable {
  /// Sessions.
  public let rows: Int
  /// Users.
  public let clusters: Int
  /// The share of the outcome's variance (within users: around their means) that the columns
  /// explain; nil where the outcome does not vary.
  public let rSquared: Double?
  /// The largest over the smallest singular value of the centered columns, each scaled to length
  /// 1, without the levels of days and hours; above 30 they are strongly collinear.
  public let conditionNumber: Double
  /// The slopes: signals first, then controls.
  public let terms: [RegressionTerm]
  /// Columns without a slope.
  public let leftOut: [LeftOutColumn]

  /// The slope of one column.
  public subscript(name: String) -> RegressionTerm? { terms.first { $0.name == name } }

  enum CodingKeys: String, CodingKey {
    case rSquared, conditionNumber, terms, leftOut
    case rows = "sessions"
    case clusters = "users"
  }
}
