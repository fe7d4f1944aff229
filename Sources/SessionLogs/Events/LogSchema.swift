public import FusionMDP

/// What the events of one session log hold: the meaning of every number in them.
///
/// Stands beside the events as `schema.json`, so that a log explains itself.
public struct LogSchema: Sendable, Equatable {
  /// The version of the file layout that this code writes and reads.
  public static let version = 1

  /// A field of a decision that a log may not know; it is then an empty list in every line.
  public enum Part: String, Sendable, CaseIterable {
    /// The state that was decided on.
    case state
    /// The fusion weights.
    case action
    /// The predictions for the items shown.
    case taskScores = "task_scores"
  }

  /// The tasks whose predictions `task_scores` holds, K of them, in order; ``TaskSchema/none``
  /// where neither predictions nor weights are known.
  public let tasks: TaskSchema
  /// What no decision of the log knows, in the order of ``Part``.
  public let unknown: [Part]
  /// The behaviors that each feedback event counts, in the order of ``FeedbackEvent/behaviors``.
  public let behaviors: [String]
  /// What each of the S numbers of `state` is.
  public let stateNames: [String]
  /// What the states were built by, fitted, if the log says it: a service that builds states by the
  /// same definition gets the same numbers.
  public let stateDefinition: StateDefinition?
  /// The number of fusion weights of `action`, A; 0 if the weights are unknown.
  public let actionSize: Int
  /// When the collection of this log ended, in milliseconds since 1970; nil: at its last event.
  public var windowEndMilliseconds: Int64?

  /// The number of task scores of an item, K.
  public var taskCount: Int { tasks.count }
  /// The number of features of a state, S.
  public var stateSize: Int { stateNames.count }

  /// The behaviors of `FeedbackSignal`: all signals but the two that follow from play time.
  public static let standardBehaviors: [String] = FeedbackSignal.allCases
    .filter { $0 != .playMinutes && $0 != .playIntegrity }.map(\.rawValue)

  /// A schema whose action has one weight a task.
  /// - Parameters:
  ///   - actionSize: A, if it differs from the number of tasks.
  ///   - unknown: what no decision of the log knows: states then have no names, and actions no
  ///     weights.
  ///   - stateDefinition: what the states were built by, fitted; its names are `stateNames`.
  /// - Throws: `SessionLogError.schema` for an empty, repeated or reserved name, for what is said to
  ///   be unknown and has a size, and for a definition of other states.
  public init(
    tasks: TaskSchema = .standard, behaviors: [String] = standardBehaviors,
    stateNames: [String], actionSize: Int? = nil, unknown: Set<Part> = [],
    windowEndMilliseconds: Int64? = nil, stateDefinition: StateDefinition? = nil
  ) throws(SessionLogError) {
    self.tasks = tasks
    self.behaviors = behaviors
    self.stateNames = stateNames
    self.stateDefinition = stateDefinition
    self.actionSize = actionSize ?? (unknown.contains(.action) ? 0 : tasks.count)
    self.unknown = Part.allCases.filter(unknown.contains)
    self.windowEndMilliseconds = windowEndMilliseconds
    try LogSchema.check(
      stateNames, are: "state feature names", reserved: [],
      mayBeNone: unknown.contains(.state))
    // The engine's column names know no case, and `rowid` is its own.
    let taken = FeedbackEvent.fixedFieldNames + ["play_minutes", "play_integrity", "rowid"]
    try LogSchema.check(behaviors, are: "behaviors", reserved: taken)
    if let end = windowEndMilliseconds, end < 0 || end > LineCheck.timeLimit {
      throw .schema(path: nil, "window_end_ms: 0 to \(LineCheck.timeLimit) expected, found \(end)")
    }
    if unknown.contains(.action) ? self.actionSize != 0 : self.actionSize < 1 {
      throw .schema(
        path: nil,
        unknown.contains(.action)
          ? "action_size: 0 expected where actions are unknown, found \(self.actionSize)"
          : "an action needs at least 1 weight, found \(self.actionSize)")
    }
    if unknown.contains(.state) && !stateNames.isEmpty {
      throw .schema(
        path: nil,
        "state: no name expected where states are unknown, found \(stateNames.count)")
    }
    do {
      try stateDefinition?.check(builds: stateNames)
    } catch {
      throw .schema(path: nil, "state_definition: \(error)")
    }
    if tasks.count == 0 && !unknown.isSuperset(of: [.action, .taskScores]) {
      throw .schema(
        path: nil, "tasks: at least one expected where weights or predictions are known")
    }
  }

  /// Whether every decision holds this.
  public func knows(_ part: Part) -> Bool { !unknown.contains(part) }

  private static func check(
    _ names: [String], are what: String, reserved: [String], mayBeNone: Bool = false
  ) throws(SessionLogError) {
    if names.isEmpty && !mayBeNone {
      throw .schema(path: nil, "\(what): at least one expected, found none")
    }
    let ignoresCase = !reserved.isEmpty
    var seen = Set(reserved)
    for (index, name) in names.enumerated() {
      if name.isEmpty { throw .schema(path: nil, "\(what): number \(index) is empty") }
      if !seen.insert(ignoresCase ? name.lowercased() : name).inserted {
        throw .schema(path: nil, "\(what): “\(name)” stands twice or is reserved")
      }
    }
  }
}

/// What can be wrong with a log as a whole, or with an event handed to its writer.
public enum SessionLogError: Error, Sendable, Equatable, CustomStringConvertible {
  /// `schema.json` (or a schema made in code) cannot be used.
  case schema(path: String?, String)
  /// A folder that holds no finished log.
  case notALog(folder: String, reason: String)
  /// A folder in which a log stands already.
  case alreadyThere(folder: String)
  /// An event that the schema does not allow was handed to the writer.
  case event(kind: String, requestID: String, field: String, expected: String, found: String)

  /// The error in one sentence for people.
  public var description: String {
    switch self {
    case .schema(let path, let reason): "\(path ?? "log schema"): \(reason)"
    case .notALog(let folder, let reason): "\(folder) is not a session log: \(reason)"
    case .alreadyThere(let folder): "\(folder) already holds a session log"
    case .event(let kind, let requestID, let field, let expected, let found):
      "\(kind) event of request “\(requestID)”, field \(field): \(expected) expected, "
        + "found \(found)"
    }
  }
}
