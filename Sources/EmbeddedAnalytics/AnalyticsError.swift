/// A failure of the embedded analytics engine, with the statement that met it.
package struct AnalyticsError: Error, Equatable, CustomStringConvertible {
  /// What went wrong.
  package enum Kind: String, Sendable {
    /// The database could not be opened or configured.
    case open
    /// The engine refused or failed to run a statement.
    case statement
    /// The statement was stopped by ``AnalyticsInterrupter``.
    case interrupted
    /// A result column is missing, or has another type than was asked for.
    case column
  }

  package let kind: Kind
  /// The engine's own message, or what was expected and found.
  package let message: String
  /// The first ``statementHeadLength`` characters of the statement; empty when there is none.
  package let statement: String

  /// How much of a statement is kept in an error, in characters.
  package static let statementHeadLength = 300

  package init(kind: Kind, message: String, statement: String) {
    self.kind = kind
    self.message = message
    let length = AnalyticsError.statementHeadLength
    self.statement =
      statement.count > length ? String(statement.prefix(length)) + "…" : statement
  }

  package var description: String {
    let place = statement.isEmpty ? "" : "\n  in the statement: \(statement)"
    return "analytics engine, \(kind.rawValue): \(message)\(place)"
  }
}
