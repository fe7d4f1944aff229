import EmbeddedAnalytics
import FusionMDP
import SessionLogs

/// How an item's play time becomes its quantile among items of like duration.
public struct PlayQuantileSettings: Sendable, Equatable, Codable {
  /// Where classes of duration begin, in seconds, ascending. Below the first is a class too.
  public var durationEdges: [Double]
  /// The quantiles that stand for a class.
  public var knots: Int

  /// Seven classes, as short videos spread.
  public init(durationEdges: [Double] = [7, 18, 30, 60, 120, 240], knots: Int = 100) {
    self.durationEdges = durationEdges
    self.knots = knots
  }

  /// Keys that are absent keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    durationEdges =
      try container.decodeIfPresent([Double].self, forKey: .durationEdges) ?? durationEdges
    knots = try container.decodeIfPresent(Int.self, forKey: .knots) ?? knots
  }
}

/// The category quantile rescale of play time.
///
/// Source: Zhang et al., AAAI 2024 (UNEX-RL), category quantile rescale: long items collect more
/// play time than short ones, so that a reward in seconds pays for length.
///
///     q(x, c) = (#{knots of c < x} + #{knots of c ≤ x}) / (2m)
///
/// The m knots of class c are its training items at the ranks ⌈(2k − 1)·n/(2m)⌉, k = 1 … m. So q
/// lies in [0, 1], never falls as x rises, and ties share the middle of their ranks. A request's
/// `play_quantile` is the sum over its items.
///
/// Fitted on the transitions of the training sessions only: nothing of the test window enters. A
/// class with fewer training items than knots, and items of unknown duration, use the knots of all
/// training items together.
///
/// ## Departures from the source
///
/// * Classes are durations, not categories of content: a log has no table of items.
/// * Tables of quantiles stand for the source's running estimate, so that the same log gives the
///   same bytes.
struct PlayQuantiles {
  /// The class of all items together.
  private static let all = -1

  let tables: LogTables
  let settings: PlayQuantileSettings

  /// Makes `play_knots` and `play_quantiles` (`decision_id`, `play_quantile`) from `chosen`.
  /// - Throws: `AnalyticsError`.
  func run() throws {
    try tables.database.execute(itemsSQL)
    try tables.database.execute(knotsSQL)
    try tables.database.execute(quantilesSQL)
    try tables.database.execute("DROP TABLE item_plays")
  }

  /// The knots of every class that has its own, as the manifest holds them.
  /// - Throws: `AnalyticsError`.
  func stored() throws -> TrajectoryManifest.PlayQuantiles {
    let rows = try tables.database.query(
      """
      SELECT class, any_value(items)::BIGINT AS items,
        list(value ORDER BY value) AS knots, list(upto ORDER BY value) AS upto
      FROM play_knots GROUP BY class ORDER BY class
      """)
    let (classes, items) = (try rows.int64s("class"), try rows.int64s("items"))
    let (values, offsets) = try rows.floatLists("knots")
    let column = try rows.column("upto")
    guard case .int64Lists(let counts, _) = column.values else {
      preconditionFailure("a list of integers expected")
    }
    let edges = settings.durationEdges
    return TrajectoryManifest.PlayQuantiles(
      knots: settings.knots,
      classes: classes.indices.map { row in
        let place = Int(classes[row])
        return TrajectoryManifest.PlayQuantiles.DurationClass(
          fromSeconds: place > 0 ? edges[place - 1] : nil,
          toSeconds: place >= 0 && place < edges.count ? edges[place] : nil,
          isAll: place == Self.all, items: Int(items[row]),
          minutes: Array(values[offsets[row]..<offsets[row + 1]]),
          knotsUpTo: counts[offsets[row]..<offsets[row + 1]].map { Int($0) })
      })
  }

  private var playSignal: Int {
    guard let place = tables.signals.firstIndex(of: FeedbackSignal.playMinutes.rawValue) else {
      preconditionFailure("a log without play minutes among its signals")
    }
    return place
  }

  /// Every usable item with its class, and whether it belongs to a training transition.
  private var itemsSQL: String {
    let place = settings.durationEdges.map { "(f.duration_seconds >= \($0)::FLOAT)::INTEGER" }
      .joined(separator: " + ")
    return """
      CREATE TABLE item_plays AS
      SELECT f.decision_id, f.signal_\(playSignal) AS play,
        CASE WHEN f.duration_seconds > 0 THEN \(place) ELSE \(Self.all) END AS class,
        c.user_id IS NOT NULL AS is_training
      FROM judged_feedback f
      JOIN steps s ON s.id = f.decision_id
      LEFT JOIN chosen c ON c.user_id = s.user_id AND c.session = s.session AND c.part = 0
        AND s.step < c.kept
      WHERE f.verdict IS NULL
      """
  }

  private var knotsSQL: String {
    let m = settings.knots
    return """
      CREATE TABLE play_knots AS
      WITH classed AS (
        SELECT class, play FROM item_plays WHERE is_training AND class <> \(Self.all)
        UNION ALL SELECT \(Self.all), play FROM item_plays WHERE is_training
      ), ranked AS (
        SELECT class, play, row_number() OVER (PARTITION BY class ORDER BY play) AS rank,
          count(*) OVER (PARTITION BY class) AS items
        FROM classed
      ), picked AS (
        SELECT r.class, r.items, r.play AS value, count(*) AS n
        FROM ranked r
        JOIN range(1, \(m + 1)) k(k) ON r.rank = ((2 * k.k - 1) * r.items + \(2 * m - 1)) // \(2 * m)
        WHERE r.items >= \(m) OR r.class = \(Self.all)
        GROUP BY r.class, r.items, r.play
      )
      SELECT class::BIGINT AS class, items, value, n::BIGINT AS n,
        (sum(n) OVER (PARTITION BY class ORDER BY value))::BIGINT AS upto
      FROM picked
      """
  }

  private var quantilesSQL: String {
    """
    CREATE TABLE play_quantiles AS
    WITH placed AS (
      SELECT decision_id, play,
        CASE WHEN class IN (SELECT class FROM play_knots) THEN class ELSE \(Self.all) END AS class
      FROM item_plays
    )
    SELECT p.decision_id,
      (sum(CASE WHEN k.value IS NULL THEN 0 WHEN k.value = p.play THEN 2 * k.upto - k.n
        ELSE 2 * k.upto END)::DOUBLE / \(2 * settings.knots))::FLOAT AS play_quantile
    FROM placed p ASOF LEFT JOIN play_knots k ON p.class = k.class AND p.play >= k.value
    GROUP BY p.decision_id
    """
  }
}
