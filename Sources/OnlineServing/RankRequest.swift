/// A request to rank candidates for a user, checked once at the door.
///
/// Shapes: N candidates, T tasks; `scores` [N·T], candidate after candidate.
package struct RankRequest: Sendable {
  /// Candidates of a request, at most.
  package static let candidateLimit = 5000
  /// Tasks of a request, at most.
  package static let taskLimit = 16

  /// The request's id, unique in the log. What is drawn for a request depends on it.
  package let id: String
  /// Who asks.
  package let userID: String
  /// The candidates' ids [N].
  package let itemIDs: [String]
  /// The tasks that the columns of `scores` stand for, in any order [T].
  package let tasks: [String]
  /// The predictions [N·T]. Values outside a task's domain are no error: the fallback leaves out
  /// the candidates that have them.
  package let scores: [Float]
  /// How many items are wanted.
  package let count: Int

  /// A request.
  ///
  /// - Throws: `RankRequestError` naming the field, what was expected and found.
  package init(
    id: String, userID: String, itemIDs: [String], tasks: [String], scores: [Float], count: Int
  ) throws(RankRequestError) {
    func check(
      _ holds: Bool, _ field: String, _ expected: String, _ found: @autoclosure () -> String
    ) throws(RankRequestError) {
      if !holds { throw RankRequestError(field: field, expected: expected, found: found()) }
    }
    try check(!id.isEmpty, "request_id", "an id", "an empty text")
    try check(!userID.isEmpty, "user_id", "an id", "an empty text")
    try check(count > 0, "k", "at least 1", "\(count)")
    try check(
      (1...Self.candidateLimit).contains(itemIDs.count), "candidates",
      "1 to \(Self.candidateLimit)", "\(itemIDs.count)")
    try check(
      (1...Self.taskLimit).contains(tasks.count), "tasks", "1 to \(Self.taskLimit)",
      "\(tasks.count)")
    try check(Set(tasks).count == tasks.count, "tasks", "names that differ", "\(tasks)")
    try check(
      scores.count == itemIDs.count * tasks.count, "task_scores",
      "\(itemIDs.count) candidates of \(tasks.count) scores", "\(scores.count) scores")
    var seen = Set<String>(minimumCapacity: itemIDs.count)
    for (index, item) in itemIDs.enumerated() {
      try check(!item.isEmpty, "candidates[\(index)]", "an id", "an empty text")
      try check(
        seen.insert(item).inserted, "candidates[\(index)]", "an id of its own",
        "“\(item)” a second time")
    }
    self.id = id
    self.userID = userID
    self.itemIDs = itemIDs
    self.tasks = tasks
    self.scores = scores
    self.count = count
  }
}

/// What is wrong with a request to rank.
package struct RankRequestError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The field at fault.
  package let field: String
  /// What was expected there.
  package let expected: String
  /// What was found.
  package let found: String

  /// The error in one sentence for people.
  package var description: String { "\(field): expected \(expected), found \(found)" }
}

/// The answer to a request to rank.
package struct RankedList: Sendable, Equatable {
  /// An item of the list.
  package struct Item: Sendable, Equatable {
    /// The candidate's place in the request.
    package let candidate: Int
    /// Its id.
    package let id: String
    /// Its fused score; nil where nothing could be fused and the list is in the request's order.
    package let score: Float?
  }

  /// The request's id.
  package let requestID: String
  /// The items, best first: as many as were wanted, or fewer where there are not so many candidates
  /// whose scores can be used.
  package let items: [Item]
  /// What decided, as in the decision event.
  package let policyVersion: String
  /// The experiment, or the layer of exploration, that the user is in.
  package let experiment: String?
  /// The arm of the experiment, or the group of the exploration.
  package let arm: String?
  /// Why the fallback answered; nil where the policy did.
  package let fallback: FallbackReason?
  /// Whether the sink has taken the decision event.
  package let isLogged: Bool
}
