/// What can be odd about events that are each well formed: found by holding them against each
/// other, counted, reported, and dealt with by a fixed policy, never silently dropped.
public enum LogIrregularity: String, CaseIterable, Sendable, Hashable, Codable {
  /// A decision whose request id stands in an earlier line, with the same content.
  case duplicateDecision = "duplicate_decision"
  /// A decision whose request id stands in an earlier line, with other content.
  case conflictingDecision = "conflicting_decision"
  /// Two requests of one user in the same millisecond.
  case simultaneousDecision = "simultaneous_decision"
  /// A decision that is older than the one before it of the same user, in the order of lines.
  case unorderedDecision = "unordered_decision"
  /// A decision after the end of the log's window.
  case decisionAfterWindow = "decision_after_window"
  /// Feedback for a request that is not in the log.
  case orphanFeedback = "orphan_feedback"
  /// Feedback by another user than the request's.
  case feedbackByOtherUser = "feedback_by_other_user"
  /// Feedback for an item that was not in the shown list.
  case feedbackForItemNotShown = "feedback_for_item_not_shown"
  /// Feedback for an item that was shown at another position.
  case feedbackAtOtherPosition = "feedback_at_other_position"
  /// Feedback from before its request.
  case feedbackBeforeDecision = "feedback_before_decision"
  /// Feedback that arrived after the deadline.
  case lateFeedback = "late_feedback"
  /// The same feedback again: same request, item and values.
  case duplicateFeedback = "duplicate_feedback"
  /// Feedback for the same request and item with other values.
  case conflictingFeedback = "conflicting_feedback"
  /// `finished` contradicts play time and duration.
  case finishedContradictsPlayTime = "finished_contradicts_play_time"
  /// `skip` contradicts play time.
  case skipContradictsPlayTime = "skip_contradicts_play_time"
  /// An item that was shown and has no usable feedback.
  case missingFeedback = "missing_feedback"

  /// What preparation does with such an event.
  public var policy: String {
    switch self {
    case .duplicateDecision, .conflictingDecision: "the first line is used"
    case .simultaneousDecision: "ordered by line"
    case .unorderedDecision: "ordered by time"
    case .decisionAfterWindow: "left out"
    case .orphanFeedback, .feedbackByOtherUser, .feedbackForItemNotShown: "left out"
    case .feedbackAtOtherPosition, .feedbackBeforeDecision: "used"
    case .lateFeedback: "left out"
    case .duplicateFeedback, .conflictingFeedback: "the first arrival is used"
    case .finishedContradictsPlayTime, .skipContradictsPlayTime: "used as logged"
    case .missingFeedback: "counts as no response"
    }
  }

  /// What somebody who keeps the log can do about it.
  public var advice: String {
    switch self {
    case .duplicateDecision, .duplicateFeedback:
      "a retry writes twice: write once, or let logs convert drop repeats"
    case .conflictingDecision: "two requests share an id: make ids unique"
    case .conflictingFeedback: "two answers for one item: log the final one"
    case .simultaneousDecision: "check that times are milliseconds and requests are not split"
    case .unorderedDecision: "several writers: harmless"
    case .decisionAfterWindow: "check window_end_ms"
    case .orphanFeedback: "decisions are missing, or ids differ between the tables"
    case .feedbackByOtherUser: "check the user's id in both tables"
    case .feedbackForItemNotShown: "check the item's id and the shown list"
    case .feedbackAtOtherPosition: "check that positions begin with 0"
    case .feedbackBeforeDecision: "clocks disagree: check time zones and units of both tables"
    case .lateFeedback: "wait longer (feedbackDeadlineMinutes), or accept the loss"
    case .finishedContradictsPlayTime, .skipContradictsPlayTime:
      "check the units of play time and duration, or leave the behavior out: it is derived"
    case .missingFeedback: "normal where no response is not logged; else feedback is lost"
    }
  }

  /// Whether it concerns decisions, rather than feedback.
  var isAboutDecisions: Bool {
    switch self {
    case .duplicateDecision, .conflictingDecision, .simultaneousDecision, .unorderedDecision,
      .decisionAfterWindow, .missingFeedback:
      true
    default: false
    }
  }

  /// Whether the events contradict the schema's promises (rather than being what a service that
  /// loses or repeats messages, or stops collecting within sessions, produces).
  public var isError: Bool {
    switch self {
    case .lateFeedback, .missingFeedback, .unorderedDecision, .duplicateFeedback,
      .decisionAfterWindow:
      false
    default: true
    }
  }
}

/// How often each irregularity occurs, and where the first one stands.
public struct IrregularityCounts: Sendable, Equatable {
  /// One kind of irregularity.
  public struct Entry: Sendable, Equatable {
    /// What is odd.
    public let kind: LogIrregularity
    /// How many events (for missing feedback: shown items).
    public let count: Int
    /// The first line concerned, from 1.
    public let firstLine: Int
    /// The file that the line is in.
    public let file: String
  }

  /// The kinds that occur, in the order of `LogIrregularity`.
  public let entries: [Entry]

  package init(entries: [Entry]) { self.entries = entries }

  /// How often `kind` occurs.
  public subscript(kind: LogIrregularity) -> Int {
    entries.first { $0.kind == kind }?.count ?? 0
  }
}
