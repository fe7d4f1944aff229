public import FusionMDP

/// What is known of users, kept between requests.
///
/// One implementation is embedded in the process (``EmbeddedUserStore``); one on servers that
/// several processes share can stand behind the same calls, so none of them holds a user between
/// two calls, and each call is atomic for its user, whoever else calls at the same time.
public protocol UserStateStore: Sendable {
  /// What is known of a user; nil for one who was never seen, was deleted, or has expired.
  ///
  /// It does not count as activity.
  func state(of user: String) async throws(UserStateError) -> UserContext?

  /// Changes what is known of a user, who is a new one where nothing is known, and returns what
  /// `change` returns. It counts as activity.
  ///
  /// At a request, `change` builds the state and takes in the list to be shown:
  ///
  ///     let state = try await store.update(user) { context in
  ///       var state: [Float] = []
  ///       context.appendState(at: now, using: encoder, to: &state)
  ///       context.recordRequest(at: now, impressions: min(k, candidates.count))
  ///       return state
  ///     }
  ///
  /// - Parameter change: a pure and short function of the context: a store that finds another
  ///   writer ahead of it calls it again with what that one left.
  func update<Result: Sendable>(
    _ user: String, _ change: @Sendable (inout UserContext) -> Result
  ) async throws(UserStateError) -> Result

  /// Takes in feedback, in order, leaving out what has been taken in before: an event whose id is
  /// among the user's latest ``UserStateLimits/eventIDsPerUser``.
  ///
  /// - Returns: how many events were new.
  func record(
    _ feedback: [UserFeedbackEvent], of user: String
  ) async throws(UserStateError) -> Int

  /// Forgets a user for good: when it returns, nothing of them is left in the store.
  func delete(_ user: String) async throws(UserStateError)

  /// All that is kept of a user, for the user to read; nil where ``state(of:)`` is nil.
  func export(_ user: String) async throws(UserStateError) -> UserExport?

  /// Returns when all that was changed before the call is where a crash does not reach it.
  func flush() async throws(UserStateError)

  /// Flushes, and lets go of files and connections. Later calls throw.
  func close() async throws(UserStateError)

  /// Counters and sizes.
  var metrics: UserStateMetrics { get }
}

/// Feedback with the name that tells a repeated delivery from a new event.
public struct UserFeedbackEvent: Sendable, Equatable {
  /// The event's name, unique for its user.
  public let id: String
  /// What happened.
  public let interaction: Interaction

  /// An event.
  public init(id: String, interaction: Interaction) {
    self.id = id
    self.interaction = interaction
  }
}
