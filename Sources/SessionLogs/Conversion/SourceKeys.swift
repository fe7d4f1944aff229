import EmbeddedAnalytics

/// What the engine orders, groups and joins rows by: expressions over the columns of a source
/// table.
///
/// The values of events are read by ``SourceRow``; these keys only decide which row comes when and
/// which rows belong together. Both read a time as the same number of milliseconds.
extension SourceTable {
  /// A field's text; null where there is none.
  func text(_ source: FieldSource) -> String {
    if let constant = source.constant { return SQLText.literal(constant) }
    let text = "nullif(\(name(of: source.column ?? "")), '')"
    return source.fallback.map { "coalesce(\(text), \(SQLText.literal($0)))" } ?? text
  }

  /// A time in whole milliseconds since 1970, as ``SourceRow/time(_:_:)`` rounds it; null where the
  /// text is none.
  func time(_ source: FieldSource) -> String {
    let name = name(of: source.column ?? "")
    guard source.unit == "iso8601" else {
      return """
        TRY_CAST(round(TRY_CAST(\(name) AS DOUBLE) * \
        \(SourceRow.millisecondsPerUnit(source.unit))::DOUBLE) AS BIGINT)
        """
    }
    let parts =
      "regexp_extract(\(name), \(SQLText.literal(SourceTable.isoTime)), "
      + "['day', 'minute', 'second', 'fraction', 'zone', 'hours', 'minutes'])"
    func part(_ key: String) -> String { "(\(parts))['\(key)']" }
    let sign = "(CASE WHEN starts_with(\(part("zone")), '-') THEN -1 ELSE 1 END)"
    func number(_ text: String) -> String { "coalesce(TRY_CAST(\(text) AS BIGINT), 0)" }
    // Three digits of the fraction, rounded by the fourth.
    let thousandths = "((\(number("substr(rpad(\(part("fraction")), 4, '0'), 1, 4)")) + 5) // 10)"
    let minutes = source.zone.flatMap(TimeText.offset) ?? 0
    return """
      (epoch_ms(TRY_CAST(\(part("day")) || ' ' || \(part("minute")) || ':'
          || coalesce(nullif(\(part("second")), ''), '00') AS TIMESTAMP))
        + \(thousandths) - 60000 * (CASE WHEN \(part("zone")) = '' THEN \(minutes) ELSE
          \(sign) * (60 * \(number(part("hours"))) + \(number(part("minutes")))) END))
      """
  }

  /// The parts of a time as ``TimeText`` reads it.
  private static let isoTime =
    "^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.]([0-9]+))?)?"
    + "(Z|[+-]([0-9]{2})(?::?([0-9]{2}))?)?$"

  /// The columns of the relation, for a selection.
  var columnList: String {
    (["f", "r"] + columns.indices.map { "c\($0)" }).joined(separator: ", ")
  }
}
