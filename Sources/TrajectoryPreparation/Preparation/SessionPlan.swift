import EmbeddedAnalytics
import SessionLogs

/// The SQL that cuts sessions, decides how each ends, and splits them by time.
///
/// Tables it makes, on top of those of `LogTables`:
/// * `steps`: one row a kept decision with its `user_id`, `session` (a number within the user)
///   and `step` (from 0);
/// * `sessions`: one row a session: `start_ms`, `length` in decisions, `kept` transitions,
///   `truncated`, `arm`, `part` (0 training, 1 test; null when the session is not used) and
///   `place` (its index within its part).
///
/// A session ends where the next request comes more than the gap after everything the user did
/// so far: requests and feedback. It is truncated if the log's window ends within the gap after
/// its last event, or if it has an *open* request: one whose list has no full feedback while the
/// deadline has not passed. Nothing is known beyond a truncated session's last request, or from
/// the first open one on: that request's state is the final state, and the requests before it are
/// the transitions.
struct SessionPlan {
  let tables: LogTables
  let configuration: PreparationConfiguration

  /// Runs the plan.
  /// - Throws: `AnalyticsError`.
  func run() throws {
    try tables.database.execute(stepsSQL)
    try tables.database.execute(sessionsSQL)
    try tables.database.execute(splitSQL)
  }

  private var stepsSQL: String {
    let end = tables.windowEndMilliseconds
    let deadline = tables.window.feedbackDeadlineMilliseconds
    let gap = tables.window.sessionGapMilliseconds
    return """
      CREATE TABLE steps AS
      WITH active AS (
        SELECT d.id, d.user_id, d.time_ms, d.arm, d.item_count,
          greatest(d.time_ms, coalesce(r.last_ms, d.time_ms)) AS active_ms,
          coalesce(r.items, 0) < d.item_count AND d.time_ms + \(deadline) > \(end) AS open
        FROM kept_decisions d LEFT JOIN responses r ON d.id = r.decision_id
      ), pauses AS (
        SELECT *, time_ms - max(active_ms) OVER (
            PARTITION BY user_id ORDER BY time_ms, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS pause_ms
        FROM active
      ), numbered AS (
        SELECT *, count(*) FILTER (WHERE pause_ms > \(gap)) OVER (
            PARTITION BY user_id ORDER BY time_ms, id ROWS UNBOUNDED PRECEDING) AS session
        FROM pauses
      )
      SELECT id, user_id, session, time_ms, arm, item_count, active_ms, open,
        row_number() OVER (PARTITION BY user_id, session ORDER BY time_ms, id) - 1 AS step
      FROM numbered
      """
  }

  private var sessionsSQL: String {
    let end = tables.windowEndMilliseconds
    let gap = tables.window.sessionGapMilliseconds
    return """
      CREATE TABLE sessions AS
      WITH summaries AS (
        SELECT user_id, session, min(time_ms) AS start_ms, count(*) AS length,
          count(DISTINCT coalesce(arm, '')) AS arms, any_value(arm) FILTER (WHERE step = 0) AS arm,
          min(step) FILTER (WHERE open) AS first_open,
          \(end) - max(active_ms) <= \(gap) AS cut
        FROM steps GROUP BY user_id, session
      )
      SELECT *, cut OR first_open IS NOT NULL AS truncated,
        coalesce(first_open, CASE WHEN cut THEN length - 1 ELSE length END)::BIGINT AS kept
      FROM summaries
      """
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

  /// The rows of one part in the order of its sessions and their steps; after the last transition
  /// of a truncated session one more row, whose state is the final state.
  func rowsSQL(part: Int) -> String {
    let sums = tables.signals.indices
      .map { "coalesce(r.signal_\($0), 0::FLOAT) AS signal_\($0)" }.joined(separator: ", ")
    return """
      SELECT c.place, s.step, c.kept, c.truncated, c.start_ms, c.user_id, s.item_count,
        d.state, d.action, d.log_propensity, \(sums)
      FROM chosen c
      JOIN steps s ON s.user_id = c.user_id AND s.session = c.session
        AND (s.step < c.kept OR (c.truncated AND s.step = c.kept))
      JOIN decisions d ON d.rowid = s.id
      LEFT JOIN responses r ON r.decision_id = s.id
      WHERE c.part = \(part)
      ORDER BY c.place, s.step
      """
  }
}
