import EmbeddedAnalytics

/// What the engine orders and joins rows by: expressions over the columns of a source table.
///
/// The values of events are read by ``SourceRow``; these keys only decide which row comes when.
extension SourceTable {
  /// A field's text.
  func text(_ source: FieldSource) -> String {
    if let constant = source.constant { return SQLText.literal(constant) }
    let name = name(of: source.column ?? "")
    return source.fallback.map { "coalesce(nullif(\(name), ''), \(SQLText.literal($0)))" } ?? name
  }

  /// A time, ascending; null where the text is none.
  func time(_ source: FieldSource) -> String {
    let name = name(of: source.column ?? "")
    guard source.unit == "iso8601" else { return "TRY_CAST(\(name) AS DOUBLE)" }
    let minutes = source.zone.flatMap(TimeText.offset) ?? 0
    // Without an offset of its own the text is a local time.
    return """
      CASE WHEN regexp_matches(\(name), ':[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')
        THEN epoch_ms(TRY_CAST(\(name) AS TIMESTAMPTZ))
        ELSE epoch_ms(TRY_CAST(\(name) AS TIMESTAMP)) - \(minutes * 60_000) END
      """
  }

  /// The columns of the relation, for a selection.
  var columnList: String {
    (["f", "r"] + columns.indices.map { "c\($0)" }).joined(separator: ", ")
  }
}
