import EmbeddedAnalytics

extension LogTables {
  /// Counts every irregularity and finds its first line.
  /// - Throws: `AnalyticsError`, or `DurableFileError`.
  package func irregularities() throws -> IrregularityCounts {
    let found = try database.query(
      LogIrregularity.allCases.map { kind in
        let (rows, line, count) = selection(of: kind)
        return """
          SELECT '\(kind.rawValue)' AS kind, coalesce(\(count), 0)::BIGINT AS n,
            coalesce(min(\(line)), 0)::BIGINT + 1 AS first_line FROM \(rows)
          """
      }.joined(separator: "\nUNION ALL\n"))
    let (names, counts, lines) = (
      try found.strings("kind"), try found.int64s("n"), try found.int64s("first_line")
    )
    var entries: [IrregularityCounts.Entry] = []
    for kind in LogIrregularity.allCases {
      guard let row = names.firstIndex(of: kind.rawValue), counts[row] > 0 else { continue }
      let place = try log.place(
        ofLine: Int(lines[row]),
        in: kind.isAboutDecisions ? log.decisionsPaths : log.feedbackPaths)
      entries.append(
        IrregularityCounts.Entry(
          kind: kind, count: Int(counts[row]), firstLine: place.line, file: place.file))
    }
    return IrregularityCounts(entries: entries)
  }

  /// The rows that are irregular in this way, which column is their line, and what to count.
  private func selection(
    of kind: LogIrregularity
  ) -> (rows: String, line: String, count: String) {
    switch kind {
    case .duplicateDecision: (repeatedDecisions(conflicting: false), "id", "count(*)")
    case .conflictingDecision: (repeatedDecisions(conflicting: true), "id", "count(*)")
    case .simultaneousDecision: (neighbors("time_ms = previous_ms"), "id", "count(*)")
    case .unorderedDecision: (unordered, "id", "count(*)")
    case .decisionAfterWindow:
      ("decisions WHERE time_ms > \(windowEndMilliseconds)", "rowid", "count(*)")
    case .feedbackAtOtherPosition: (used("at_other_position"), "id", "count(*)")
    case .feedbackBeforeDecision: (used("before_decision"), "id", "count(*)")
    case .finishedContradictsPlayTime: (used("odd_finished"), "id", "count(*)")
    case .skipContradictsPlayTime: (used("odd_skip"), "id", "count(*)")
    case .missingFeedback:
      (
        """
        (SELECT d.id, d.item_count - coalesce(r.items, 0) AS missing
          FROM kept_decisions d LEFT JOIN responses r ON d.id = r.decision_id)
        WHERE missing > 0
        """, "id", "sum(missing)"
      )
    case .orphanFeedback, .feedbackByOtherUser, .feedbackForItemNotShown, .lateFeedback,
      .duplicateFeedback, .conflictingFeedback:
      ("judged_feedback WHERE verdict = '\(kind.rawValue)'", "id", "count(*)")
    }
  }

  private func used(_ condition: String) -> String {
    "judged_feedback WHERE verdict IS NULL AND \(condition)"
  }

  private func repeatedDecisions(conflicting: Bool) -> String {
    let content = "(x.user_id, x.time_ms, x.policy_version, x.action, x.shown)"
    let first = content.replacing("x.", with: "o.")
    return """
      (SELECT x.rowid AS id FROM first_decisions f
        JOIN decisions x ON x.request_id = f.request_id AND x.rowid <> f.id
        JOIN decisions o ON o.rowid = f.id
        WHERE f.copies > 1 AND \(content) IS \(conflicting ? "" : "NOT") DISTINCT FROM \(first))
      """
  }

  /// Kept decisions beside the one before them of the same user in time.
  private func neighbors(_ condition: String) -> String {
    """
    (SELECT id, time_ms, lag(time_ms) OVER (PARTITION BY user_id ORDER BY time_ms, id)
      AS previous_ms FROM kept_decisions) WHERE \(condition)
    """
  }

  private var unordered: String {
    """
    (SELECT id, time_ms, lag(time_ms) OVER (PARTITION BY user_id ORDER BY id) AS previous_ms
      FROM kept_decisions) WHERE time_ms < previous_ms
    """
  }
}
