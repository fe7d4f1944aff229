package import FusionMDP

/// Replays one user after the other from events in the order in which they became known.
///
/// It holds one user at a time, whatever the log's size, and calls of ``UserContext`` what a service
/// would have called.
package struct UserReplay {
  /// What builds the states.
  package let encoder: StateEncoder
  private var user: String?
  private var context: UserContext

  /// A replay before its first event.
  package init(_ encoder: StateEncoder) {
    self.encoder = encoder
    context = UserContext(using: encoder)
  }

  /// Goes on to a user; all of a user's events come one after the other.
  package mutating func begin(user: String) {
    guard self.user != user else { return }
    self.user = user
    context = UserContext(using: encoder)
  }

  /// A row of the user's profile became known.
  /// - Throws: `StateDefinitionError` for a word where a number is declared.
  package mutating func update(profile: [ProfileValue]) throws(StateDefinitionError) {
    context.profile = try encoder.profile(profile)
  }

  /// Feedback became known.
  package mutating func record(_ interaction: Interaction) {
    context.record(interaction, using: encoder)
  }

  /// The state of a request [S], after which its list was shown.
  package mutating func decide(at time: Int64, impressions: Int) -> [Float] {
    var state: [Float] = []
    state.reserveCapacity(encoder.stateSize)
    context.appendState(at: time, using: encoder, to: &state)
    context.recordRequest(at: time, impressions: impressions)
    return state
  }
}
