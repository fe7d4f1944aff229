import EmbeddedAnalytics
import FusionMDP
import SessionLogs

/// The SQL that chooses sessions and splits them by time.
///
/// On top of the tables of `LogTables` it makes `chosen`: the sessions with a transition in the
/// arms that are asked for, with `part` (0 training, 1 test) and `place` (the index within its
/// part).
struct SessionPlan {
  let tables: LogTables
  let configuration: PreparationConfiguration

  /// Runs the plan.
  /// - Throws: `AnalyticsError`.
  func run() throws {
    try tables.cutSessions()
    try tables.database.execute(splitSQL)
    if let settings = configuration.playQuantile {
      try PlayQuantiles(tables: tables, settings: settings).run()
    }
  }

  /// The split is at the start time of the session that stands at the training fraction, so
  /// every training session began before every test session. There is at least one for training.
  private var splitSQL: String {
    let arms = configuration.arms.map {
      "AND arm IN (\($0.map(SQLText.literal).joined(separator: ", ")))"
    }
    let balance =
      configuration.balancesArms
      ? """
      SELECT * FROM parted QUALIFY row_number() OVER (
          PARTITION BY part, arm ORDER BY start_ms, user_id)
        <= (SELECT min(n) FROM (SELECT count(*) AS n FROM parted p
          WHERE p.part = parted.part GROUP BY p.arm))
      """ : "SELECT * FROM parted"
    return """
      CREATE TABLE chosen AS
      WITH usable AS (SELECT * FROM sessions WHERE kept > 0 \(arms ?? "")),
      ranked AS (
        SELECT *, row_number() OVER (ORDER BY start_ms, user_id) - 1 AS rank,
          count(*) OVER () AS total
        FROM usable
      ), boundary AS (
        SELECT min(start_ms) AS split_ms FROM ranked
        WHERE rank >= greatest(1, floor(total * \(configuration.trainFraction)::DOUBLE))
      ), parted AS (
        SELECT ranked.*, split_ms,
          CASE WHEN split_ms IS NULL OR start_ms < split_ms THEN 0 ELSE 1 END AS part
        FROM ranked, boundary
      ), balanced AS (\(balance))
      SELECT user_id, session, start_ms, split_ms, kept, truncated, arms, arm, part,
        row_number() OVER (PARTITION BY part ORDER BY start_ms, user_id) - 1 AS place
      FROM balanced
      """
  }

  /// The signals of `feedback`: the log's, then those computed here.
  var signals: [String] {
    tables.signals
      + (configuration.playQuantile == nil ? [] : [SatisfactionReward.playQuantileName])
  }

  /// The rows of one part in the order of its sessions and their steps; after the last transition
  /// of a truncated session one more row, whose state is the final state.
  func rowsSQL(part: Int) -> String {
    var sums = tables.signals.indices
      .map { "coalesce(r.signal_\($0), 0::FLOAT) AS signal_\($0)" }
    var quantiles = ""
    if configuration.playQuantile != nil {
      sums.append("coalesce(q.play_quantile, 0::FLOAT) AS signal_\(tables.signals.count)")
      quantiles = "LEFT JOIN play_quantiles q ON q.decision_id = s.id"
    }
    return """
      SELECT c.place, s.step, c.kept, c.truncated, c.start_ms, c.user_id, s.item_count,
        d.state, d.action, d.log_propensity, \(sums.joined(separator: ", "))
      FROM chosen c
      JOIN steps s ON s.user_id = c.user_id AND s.session = c.session
        AND (s.step < c.kept OR (c.truncated AND s.step = c.kept))
      JOIN decisions d ON d.rowid = s.id
      LEFT JOIN responses r ON r.decision_id = s.id
      \(quantiles)
      WHERE c.part = \(part)
      ORDER BY c.place, s.step
      """
  }
}
