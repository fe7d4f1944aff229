import EmbeddedAnalytics

extension LogTables {
  /// Cuts sessions and decides how each ends.
  ///
  /// Tables it makes:
  /// * `steps`: one row a kept decision with its `user_id`, `session` (a number within the user),
  ///   `step` (from 0), and whether it is `settled`: the window reaches further than the gap
  ///   beyond it;
  /// * `sessions`: one row a session: `start_ms`, `end_ms` (the last event), `length` in
  ///   decisions, `kept` transitions, `cut`, `first_open`, `truncated`, `arm`, `arms` (how many).
  ///
  /// A session ends where the next request comes more than the gap after everything the user did
  /// so far: requests and feedback. It is truncated if the log's window ends within the gap after
  /// its last event (`cut`), or if it has an *open* request: one whose list has no full feedback
  /// while the deadline has not passed. The transitions of a truncated session are its requests
  /// before the first one that is open or not settled, whose state is the final state. A request
  /// that is not settled is left out even where the next one is known: that the user left after it
  /// could not be known yet, so those that are known all go on, and what is learnt from them would
  /// take leaving for rarer than it is.
  /// - Throws: `AnalyticsError`.
  package func cutSessions() throws {
    try database.execute(stepsSQL)
    try database.execute(sessionsSQL)
  }

  private var stepsSQL: String {
    let end = windowEndMilliseconds
    let deadline = window.feedbackDeadlineMilliseconds
    let gap = window.sessionGapMilliseconds
    // The sum counts pauses: windows over count(*) FILTER take the engine a user's requests squared.
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
        SELECT *, sum(coalesce(pause_ms > \(gap), false)::INTEGER) OVER (
            PARTITION BY user_id ORDER BY time_ms, id ROWS UNBOUNDED PRECEDING)::BIGINT AS session
        FROM pauses
      )
      SELECT id, user_id, session, time_ms, arm, item_count, active_ms, open,
        row_number() OVER so_far - 1 AS step,
        \(end) - max(active_ms) OVER so_far > \(gap) AS settled
      FROM numbered
      WINDOW so_far AS (
        PARTITION BY user_id, session ORDER BY time_ms, id ROWS UNBOUNDED PRECEDING)
      """
  }

  private var sessionsSQL: String {
    let end = windowEndMilliseconds
    let gap = window.sessionGapMilliseconds
    return """
      CREATE TABLE sessions AS
      WITH summaries AS (
        SELECT user_id, session, min(time_ms) AS start_ms, max(active_ms) AS end_ms,
          count(*) AS length,
          count(DISTINCT coalesce(arm, '')) AS arms, any_value(arm) FILTER (WHERE step = 0) AS arm,
          min(step) FILTER (WHERE open) AS first_open,
          count(*) FILTER (WHERE settled) AS settled,
          \(end) - max(active_ms) <= \(gap) AS cut
        FROM steps GROUP BY user_id, session
      )
      SELECT *, cut OR first_open IS NOT NULL AS truncated,
        least(coalesce(first_open, length), settled)::BIGINT AS kept
      FROM summaries
      """
  }
}
