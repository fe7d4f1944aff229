public import FusionMDP

/// What makes a conversion impossible as a whole, before any single row.
public enum ConversionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A key of the mapping that cannot be used: its path, what was expected and found.
  case mapping(key: String, expected: String, found: String)
  /// The files that were given do not go with the mapping.
  case inputs(String)
  /// A column that the mapping names and a file has not.
  case missingColumn(file: String, column: String, field: String, found: [String])
  /// A file that is not of its format; the message is the engine's.
  case unreadable(file: String, message: String)
  /// A file without a row.
  case empty(file: String)

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .mapping(let key, let expected, let found):
      "mapping, key \(key): \(expected) expected, found \(found)"
    case .inputs(let text): text
    case .missingColumn(let file, let column, let field, let found):
      "\(file): column “\(column)” expected for \(field), found "
        + found.map { "“\($0)”" }.joined(separator: ", ")
    case .unreadable(let file, let message): "\(file): cannot be read: \(message)"
    case .empty(let file): "\(file): at least one row expected, found none"
    }
  }
}

/// One row that cannot be converted: where it stands, what was expected, what was found.
public struct ConversionFinding: Sendable, Equatable, Encodable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The row, from 1; of CSV without the header.
  public let row: Int
  /// The column; nil where no single one is at fault.
  public let column: String?
  /// The field of the log, with the index inside it.
  public let field: String
  /// What should stand there.
  public let expected: String
  /// What stands there.
  public let found: String

  /// `file, row 3, column “x” (field): … expected, found …`.
  public var description: String {
    let place = column.map { "column “\($0)” (\(field))" } ?? field
    return "\(file), row \(row), \(place): \(expected) expected, found \(found)"
  }
}

/// What a conversion read, wrote and left out.
public struct ConversionReport: Sendable, Equatable, Encodable {
  /// Why a row or an event was left out.
  public enum Reason: String, Sendable, CaseIterable {
    /// A second decision with the request id of an earlier one.
    case repeatedDecision = "repeated_decision"
    /// A second feedback for the same item of the same request.
    case repeatedFeedback = "repeated_feedback"
    /// A second impression of an item in the same request.
    case repeatedImpression = "repeated_impression"
    /// A row that cannot be converted.
    case badRow = "bad_row"
    /// Another impression of a request with a bad row: without that, the list is not whole.
    case impressionOfBadRequest = "impression_of_bad_request"
    /// Feedback whose decision is a bad row, or that has none where the user or the position is
    /// that of the decision.
    case feedbackWithoutDecision = "feedback_without_decision"
    /// Feedback for an item that the decision did not show, where that gives the position.
    case feedbackForItemNotShown = "feedback_for_item_not_shown"
    /// A decision that preparation would not use, and that has no state: a repeated one, or one
    /// after the window.
    case decisionWithoutState = "decision_without_state"
    /// Feedback of such a decision after the window.
    case feedbackWithoutState = "feedback_without_state"
  }

  /// Rows of one file.
  public struct Source: Sendable, Equatable, Encodable {
    /// The file.
    public let file: String
    /// `decisions`, `feedback` or `impressions`.
    public let table: String
    /// Rows read.
    public internal(set) var rows: Int
  }

  /// The files, in the order of the tables.
  public internal(set) var sources: [Source] = []
  /// Decisions written.
  public internal(set) var decisions = 0
  /// Feedback events written.
  public internal(set) var feedback = 0
  /// Decisions with a weight that was truncated to its bounds, whose log density is unknown.
  public internal(set) var truncatedActions = 0
  /// What was left out, by reason; reasons that did not occur are missing.
  public internal(set) var dropped: [String: Int] = [:]
  /// Rows that cannot be converted.
  public internal(set) var badRows = 0
  /// The first of them, in the order in which they were met.
  public internal(set) var findings: [ConversionFinding] = []
  /// Whether a log was written.
  public internal(set) var written = false
  /// The definition of computed states, fitted; it is no part of the printed report.
  public internal(set) var stateDefinition: StateDefinition?

  enum CodingKeys: String, CodingKey {
    case sources, decisions, feedback, truncatedActions, dropped, badRows, findings, written
  }

  mutating func drop(_ reason: Reason, _ count: Int = 1) {
    if count > 0 { dropped[reason.rawValue, default: 0] += count }
  }
}
